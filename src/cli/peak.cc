// `etalon peak`: what this machine can do at most.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "cli/ceilings.h"
#include "cli/command.h"
#include "cli/peak_table.h"
#include "platform/affinity.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::vector<std::uint32_t> threads;
  double seconds = 3;
  bool json = false;
  bool no_store = false;
  bool stored = false;
};

// One thread, and as many as there are CPUs.
std::vector<std::uint32_t> default_threads() {
  const auto cpus = static_cast<std::uint32_t>(platform::usable_cpu_count());
  return cpus > 1 ? std::vector<std::uint32_t>{1, cpus} : std::vector<std::uint32_t>{1};
}

Result<analysis::Ceilings> measure(const Flags& flags, const Console& console) {
  CeilingsOptions options;
  options.threads = flags.threads.empty() ? default_threads() : flags.threads;
  options.seconds = flags.seconds;
  options.progress = [&](std::string_view what, std::size_t done, std::size_t all) { console.progress(what, done, all); };
  ETALON_TRY(analysis::Ceilings ceilings, measure_ceilings(options));
  const auto cpus = static_cast<std::uint32_t>(platform::usable_cpu_count());
  for (const std::uint32_t threads : options.threads) {
    if (threads > cpus) {
      ceilings.notes.push_back(fmt::format("{} threads shared {} CPU{}", threads, cpus, cpus == 1 ? "" : "s"));
    }
  }
  if (flags.no_store) return ceilings;
  // What was measured is worth showing even where it cannot be kept.
  if (const Status stored = store_ceilings(ceilings); !stored.ok()) {
    console.warn("the ceilings are not kept: " + stored.error().message());
  }
  return ceilings;
}

Result<analysis::Ceilings> recall() {
  auto ceilings = stored_ceilings();
  if (!ceilings) return not_found("no ceilings of this CPU are stored; run 'etalon peak'");
  return std::move(*ceilings);
}

Result<int> run(const Flags& flags, const Console& console) {
  ETALON_TRY(const analysis::Ceilings ceilings, flags.stored ? recall() : measure(flags, console));
  console.print(flags.json ? analysis::ceilings_json(ceilings) : peak_table(ceilings, console));
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--threads", flags->threads, "Numbers of threads to measure with, as in 1,2 (1 and all CPUs)")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  app.add_option("--seconds", flags->seconds, "How long to measure, in all (3)")->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--json", flags->json, "Machine output on stdout");
  app.add_flag("--no-store", flags->no_store, "Do not keep the result for reports on this machine");
  app.add_flag("--stored", flags->stored, "Show what was kept, without measuring");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kPeakCommand;
constinit const Command kPeakCommand{
    "peak", "The most this machine can do: arithmetic per instruction set and dtype, bandwidth per memory level",
    "  etalon peak\n  etalon peak --threads 1,2,4 --seconds 10\n  etalon peak --stored --json", declare};

}  // namespace etalon::cli
