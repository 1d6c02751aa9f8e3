// A recording, and the CSV files beside it, which must hold the same events.
#include <algorithm>
#include <numeric>

#include "analysis/events.h"
#include "analysis/run_report.h"
#include "analysis/validate_check.h"
#include "base/file.h"
#include "formats/etdump/etdump.h"

namespace etalon::analysis {
namespace {

// The kit's columns; ours may follow.
constexpr std::string_view kTimelineColumns =
    "model_id,name,type,delegate_backend,start_us,end_us,duration_ms,pct_total,node_id,run_index,block";
constexpr std::string_view kStatsColumns = "model_id,name,type,delegate_backend,count,total_ms,avg_ms,pct_total";
constexpr std::string_view kKernelColumns = "model_id,kernel_name,category,count,dtype";

struct Counts {
  std::size_t executions = 0;
  std::size_t events = 0;        // that can be used
  std::size_t first_events = 0;  // of the first run of each block
  std::size_t unusable = 0;
};

Counts count(const formats::etdump::EtDump& dump) {
  Counts counts;
  std::vector<std::string_view> seen;
  for (const auto& run : dump.runs) {
    const TimedRun timed = time_run(run);
    counts.executions += timed.is_execution ? 1 : 0;
    counts.unusable += timed.unusable_events;
    counts.events += timed.events.size();
    if (std::find(seen.begin(), seen.end(), run.name) != seen.end()) continue;
    seen.push_back(run.name);
    counts.first_events += timed.events.size();
  }
  return counts;
}

// Records below the heading; nothing where the file cannot be used. `want` absent: any number.
void check_csv(const std::string& file, std::string_view columns, std::optional<std::size_t> want, Check& check) {
  if (!check.expected(file)) return;
  const auto text = check.text(file);
  if (!text) return;
  if (!text->starts_with(columns)) {
    check.defect(file, "columns: found \"{}\", want \"{}\"", text->substr(0, std::min<std::size_t>(text->find('\n'), 80)), columns);
    return;
  }
  if (text->back() != '\n') {
    check.defect(file, "ends within a line; it was cut");
    return;
  }
  const auto records = csv_records(*text);
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (records[i].size() == records[0].size()) continue;
    check.defect(file, "line {}: found {} cells, want {}", i + 1, records[i].size(), records[0].size());
    return;
  }
  if (want && records.size() - 1 != *want) check.defect(file, "holds {} rows, the recording {} events; run 'etalon analyze' again", records.size() - 1, *want);
}

}  // namespace

void check_recording(const RunResult& result, Check& check) {
  if (result.etdump.empty()) {
    if (result.mode == "ops") check.defect("manifest.json", "{}: names no .etdump", run_name(result.experiment, result.threads));
    return;
  }
  if (!check.present(result.etdump)) return;
  const auto file = MappedFile::open(check.path_of(result.etdump));
  if (!file.ok()) {
    check.defect(result.etdump, "cannot be read: {}", file.error().message());
    return;
  }
  const auto dump = formats::etdump::decode(file->bytes());
  if (!dump.ok()) {
    check.defect(result.etdump, "damaged: {}", dump.error().message());
    return;
  }
  const Counts counts = count(*dump);
  if (counts.executions == 0) check.defect(result.etdump, "holds no execution");
  if (counts.unusable > 0) check.defect(result.etdump, "{} events end before they start", counts.unusable);
  const std::uint64_t told = std::accumulate(result.traced_launch_runs.begin(), result.traced_launch_runs.end(), std::uint64_t{0});
  if (told > 0 && told != counts.executions) {
    check.defect(result.etdump, "holds {} executions, manifest.json says {}", counts.executions, told);
  }
  // Another tool may leave events out of its tables.
  const auto rows = [&](std::size_t number) { return check.foreign() ? std::optional<std::size_t>() : std::optional(number); };
  const CsvPaths paths = csv_paths_of(result.etdump);
  check_csv(paths.all_runs, kTimelineColumns, rows(counts.events), check);
  check_csv(paths.run0, kTimelineColumns, rows(counts.first_events), check);
  check_csv(paths.stats, kStatsColumns, std::nullopt, check);
}

void check_kernels(const RunResult& result, Check& check) {
  if (!result.kernels.empty()) {
    check_csv(result.kernels, kKernelColumns, std::nullopt, check);
  } else if (result.mode == "kernels" || result.mode == "xnntrace") {
    check.defect("manifest.json", "{}: names no _kernels.csv", run_name(result.experiment, result.threads));
  }
}

}  // namespace etalon::analysis
