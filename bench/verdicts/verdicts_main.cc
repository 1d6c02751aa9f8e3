// How often is a verdict wrong? False alarms of identical arms, and the chance to find injected slowdowns.
//
//   etalon-verdicts [--simulated] [--real] [--trials N] [--seed N] [--launches N] [--blocks N] [--control N]
//                   [--block-ms X] [--disturbers N] [--seconds X] [--no-naive] [--lines FILE]
//
// Prints a markdown table on stdout. Without a mode, the simulation alone.
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/preflight.h"
#include "platform/process.h"
#include "trials.h"

namespace {

using etalon::bench::TrialOptions;

struct Flags {
  bool simulated = false;
  bool real = false;
  std::optional<double> worker;
  std::optional<std::uint64_t> disturb_process;
  TrialOptions options;
};

std::optional<double> number(const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0) || value > 1e9) return std::nullopt;
  return value;
}

// False: not a flag with a number, or a bad number.
bool take_number(std::string_view flag, double value, Flags& flags) {
  TrialOptions& options = flags.options;
  const auto whole = static_cast<std::uint32_t>(value);
  if (flag == "--trials")
    options.trials = whole;
  else if (flag == "--seed")
    options.seed = whole;
  else if (flag == "--launches")
    options.launches = whole;
  else if (flag == "--blocks")
    options.blocks_per_launch = whole;
  else if (flag == "--control")
    options.control_launches = whole;
  else if (flag == "--block-ms")
    options.block_seconds = value / 1000;
  else if (flag == "--disturbers")
    options.disturbers = whole;
  else if (flag == "--seconds")
    options.seconds = value;
  else if (flag == "--worker")
    flags.worker = value;
  else if (flag == "--disturb-process")
    flags.disturb_process = whole;
  else
    return false;
  return true;
}

std::optional<Flags> parse(int count, char** arguments) {
  Flags flags;
  for (int i = 1; i < count; ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--simulated")
      flags.simulated = true;
    else if (flag == "--real")
      flags.real = true;
    else if (flag == "--no-naive")
      flags.options.naive = false;
    else if (flag == "--lines" && i + 1 < count)
      flags.options.lines_path = arguments[++i];
    else {
      const std::optional<double> value = i + 1 < count ? number(arguments[i + 1]) : std::nullopt;
      if (!value || !take_number(flag, *value, flags)) {
        fmt::print(stderr, "etalon-verdicts: {}: unknown flag, or no number after it\n", flag);
        return std::nullopt;
      }
      ++i;
    }
  }
  if (!flags.real) flags.simulated = true;
  return flags;
}

int finish(const etalon::Status& status) {
  if (status.ok()) return 0;
  fmt::print(stderr, "etalon-verdicts: {}\n", status.error().message());
  return 3;
}

etalon::Status run(const Flags& flags) {
  std::vector<etalon::bench::Row> rows;
  if (flags.simulated) {
    ETALON_TRY(rows, etalon::bench::run_simulated(flags.options));
  }
  if (flags.real) {
    for (const auto& finding : etalon::measure::examine(etalon::measure::read_machine_state())) {
      fmt::print("machine: {}\n", finding.found);
    }
    ETALON_TRY(const std::string self, etalon::platform::own_executable());
    ETALON_TRY(const auto real, etalon::bench::run_real(self, flags.options));
    rows.insert(rows.end(), real.begin(), real.end());
  }
  fmt::print("{} launches of {} blocks, {:.1f} ms of each arm in a block, control of {} launches\n\n{}",
             flags.options.launches, flags.options.blocks_per_launch, 1000 * flags.options.block_seconds,
             flags.options.control_launches, etalon::bench::rate_table(rows));
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  const std::optional<Flags> flags = parse(count, arguments);
  if (!flags) return 2;
  if (flags->worker) return finish(etalon::bench::serve_kernel(*flags->worker));
  if (flags->disturb_process) return finish(etalon::bench::serve_disturbance(*flags->disturb_process));
  return finish(run(*flags));
}
