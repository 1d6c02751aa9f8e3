#include "analysis/timed_recording.h"

#include <algorithm>
#include <numeric>

namespace etalon::analysis {
namespace {

using formats::etdump::ProfileEventView;

constexpr double kNsPerMs = 1e6;
constexpr std::size_t kEnoughForTheMiddle = 8;

void add_run(const TimedRun& run, TimedRecording& out) {
  out.unusable_events += run.unusable_events;
  for (const TimedEvent& event : run.events) {
    if (out.load_ms) break;
    if (event.part == Part::kLoad && event.event.name == "Program::load_method") {
      out.load_ms = static_cast<double>(event.duration_ns) / kNsPerMs;
    }
  }
  if (!run.is_execution || run.events.empty()) return;
  out.table.add(run);
  out.totals_ms.push_back(static_cast<double>(run.total_ns()) / kNsPerMs);
}

Result<TimedRecording> checked(TimedRecording recording) {
  if (recording.totals_ms.empty()) {
    return invalid_input("the recording holds no execution; run the model with tracing on");
  }
  return recording;
}

double value_at(const std::vector<double>& values, std::size_t run) { return run < values.size() ? values[run] : 0; }

}  // namespace

Result<TimedRecording> time_recording(const formats::etdump::EtDumpView& dump) {
  TimedRecording out;
  std::vector<ProfileEventView> events;
  TimedRun run;
  for (std::size_t i = 0; i < dump.run_count(); ++i) {
    ETALON_CHECKED(dump.read_events(i, events));
    time_run(dump.run_name(i), events, run);
    add_run(run, out);
  }
  return checked(std::move(out));
}

Result<TimedRecording> time_recording(const formats::etdump::EtDump& dump) {
  TimedRecording out;
  for (const auto& run : dump.runs) add_run(time_run(run), out);
  return checked(std::move(out));
}

RunChoice choose_runs(const std::vector<double>& totals_ms, const std::vector<std::size_t>& launch_runs,
                      const std::optional<std::size_t>& warmup) {
  std::vector<std::size_t> launches = launch_runs;
  if (std::accumulate(launches.begin(), launches.end(), std::size_t{0}) != totals_ms.size()) launches = {totals_ms.size()};
  RunChoice out;
  std::size_t first = 0;
  for (const std::size_t runs : launches) {
    const std::size_t cold = runs < 2 ? 0 : std::min(warmup.value_or(1), runs - 1);
    out.cold += cold;
    std::vector<std::size_t>& steady = out.launches.emplace_back();
    for (std::size_t k = cold; k < runs; ++k) steady.push_back(first + k);
    out.steady.insert(out.steady.end(), steady.begin(), steady.end());
    first += runs;
  }
  out.typical = out.steady;
  if (out.typical.size() < kEnoughForTheMiddle) return out;
  std::stable_sort(out.typical.begin(), out.typical.end(),
                   [&](std::size_t a, std::size_t b) { return totals_ms[a] < totals_ms[b]; });
  const auto quarter = static_cast<std::ptrdiff_t>(out.typical.size() / 4);
  out.typical = {out.typical.begin() + quarter, out.typical.end() - quarter};
  std::sort(out.typical.begin(), out.typical.end());
  return out;
}

double mean_of(const std::vector<double>& values, const std::vector<std::size_t>& runs) {
  double sum = 0;
  for (const std::size_t run : runs) sum += value_at(values, run);
  return runs.empty() ? 0 : sum / static_cast<double>(runs.size());
}

double median_of(const std::vector<double>& values, const std::vector<std::size_t>& runs) {
  if (runs.empty()) return 0;
  std::vector<double> chosen;
  chosen.reserve(runs.size());
  for (const std::size_t run : runs) chosen.push_back(value_at(values, run));
  const auto half = chosen.begin() + static_cast<std::ptrdiff_t>(chosen.size() / 2);
  std::nth_element(chosen.begin(), half, chosen.end());
  if (chosen.size() % 2 == 1) return *half;
  return (*half + *std::max_element(chosen.begin(), half)) / 2;
}

}  // namespace etalon::analysis
