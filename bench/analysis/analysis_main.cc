// Recordings of any size, and how long each step of their analysis takes.
//
//   etalon-analysis-bench make FILE [--megabytes N] [--operators N]   writes an .etdump as a runtime would
//   etalon-analysis-bench time FILE                                   steps, seconds and peak memory, as JSON
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "analysis/profile.h"
#include "base/file.h"
#include "formats/etdump/etdump.h"
#include "formats/etdump/view.h"

namespace {

using namespace etalon;
using formats::etdump::EtDump;
using formats::etdump::ProfileEvent;
using formats::etdump::RunData;

// One execution: half of the operators are kernels, half are events of one delegate, as in a delegated model with some
// operators left outside. Times differ from run to run, so that nothing can be found by comparing.
class RunMaker {
 public:
  explicit RunMaker(std::size_t operators) : operators_(operators) {}

  RunData run() {
    RunData out;
    out.name = "Execute";
    out.events.reserve(operators_ * 3 / 2 + 2);
    const std::uint64_t start = now_;
    const std::size_t kernels = operators_ / 2;
    for (std::size_t k = 0; k < kernels; ++k) add_kernel(static_cast<std::int32_t>(k), out);
    add_delegate(static_cast<std::int32_t>(kernels), operators_ - kernels, out);
    add({.name = "Method::execute", .chain_index = -1, .instruction_id = 0, .start_time = start, .end_time = ++now_}, out);
    return out;
  }

 private:
  static void add(ProfileEvent event, RunData& out) { out.events.emplace_back(std::move(event)); }

  std::uint64_t next(std::uint64_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (state_ >> 33) % limit;
  }

  void add_kernel(std::int32_t instruction, RunData& out) {
    const std::uint64_t begin = now_ + 1;
    const std::uint64_t end = begin + 1 + 20'000 + next(2'000);
    add({.name = fmt::format("native_call_operator_{}.out", instruction % 40), .instruction_id = instruction,
         .start_time = begin + 1, .end_time = end}, out);
    now_ = end + 1;
    add({.name = "OPERATOR_CALL", .instruction_id = instruction, .start_time = begin, .end_time = now_}, out);
  }

  void add_delegate(std::int32_t instruction, std::size_t events, RunData& out) {
    const std::uint64_t begin = now_ + 1;
    now_ = begin;
    for (std::size_t k = 0; k < events; ++k) {
      const std::uint64_t duration = (20 + next(30)) * 1000;  // whole microseconds
      ProfileEvent event{.instruction_id = instruction, .start_time = now_, .end_time = now_ + duration};
      event.delegate_debug_name = fmt::format("Convolution (NHWC, F32) IGEMM #{}", k + 1);
      event.delegate_metadata.emplace();
      now_ += duration;
      add(std::move(event), out);
    }
    add({.name = "DELEGATE_CALL", .instruction_id = instruction, .start_time = begin - 1, .end_time = ++now_}, out);
  }

  std::size_t operators_;
  std::uint64_t now_ = 1'000;
  std::uint64_t state_ = 1;
};

Status make(const std::string& path, std::size_t megabytes, std::size_t operators) {
  constexpr std::size_t kSampleRuns = 20;
  RunMaker maker(operators);
  EtDump dump;
  for (std::size_t k = 0; k < kSampleRuns; ++k) dump.runs.push_back(maker.run());
  ETALON_TRY(const auto sample, formats::etdump::encode(dump));
  const std::size_t runs = megabytes * 1'000'000 * kSampleRuns / sample.size() + 1;
  while (dump.runs.size() < runs) dump.runs.push_back(maker.run());
  ETALON_TRY(const auto bytes, formats::etdump::encode(dump));
  ETALON_CHECKED(write_file(path, as_text(Bytes(bytes))));
  fmt::print("{{\"bytes\": {}, \"runs\": {}, \"operators\": {}}}\n", bytes.size(), dump.runs.size(), operators);
  return {};
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1e3;
}

Status time_steps(const std::string& path) {
  const auto clock = [] { return std::chrono::steady_clock::now(); };
  const auto seconds_since = [&](auto start) { return std::chrono::duration<double>(clock() - start).count(); };
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  const auto start = clock();
  ETALON_TRY(const auto view, formats::etdump::EtDumpView::open(file.bytes()), path);
  const double verified = seconds_since(start);
  ETALON_TRY(const auto profile, analysis::make_profile(view, analysis::SourceMap(), analysis::Taxonomy(), {}), path);
  const double profiled = seconds_since(start) - verified;
  const double peak = peak_mb();
  const auto timeline_start = clock();
  ETALON_TRY(const auto rows, analysis::make_timeline(view, analysis::SourceMap()), path);
  fmt::print("{{\"verify_s\": {:.3f}, \"profile_s\": {:.3f}, \"peak_mb\": {:.0f}, \"operators\": {}, \"steady_runs\": {}, "
             "\"timeline_s\": {:.3f}, \"timeline_rows\": {}, \"timeline_peak_mb\": {:.0f}}}\n",
             verified, profiled, peak, profile.operators.size(), profile.steady_runs, seconds_since(timeline_start), rows.size(),
             peak_mb());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 2 ? argv[1] : "";
  std::size_t megabytes = 100, operators = 200;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    (flag == "--megabytes" ? megabytes : operators) = static_cast<std::size_t>(std::atoll(argv[i + 1]));
  }
  if ((command != "make" && command != "time") || megabytes == 0 || operators < 2) {
    std::fputs("usage: etalon-analysis-bench make|time FILE [--megabytes N] [--operators N]\n", stderr);
    return 2;
  }
  const etalon::Status done = command == "make" ? make(argv[2], megabytes, operators) : time_steps(argv[2]);
  if (done.ok()) return 0;
  std::fprintf(stderr, "etalon-analysis-bench: %s\n", done.error().message().c_str());
  return 1;
}
