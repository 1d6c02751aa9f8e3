#include "cli/run_analysis.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "analysis/advice_file.h"
#include "base/file.h"
#include "cli/ceilings.h"
#include "cli/model_facts.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

std::string stem_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

Status write_csv_files(const analysis::Profile& profile, const std::vector<analysis::TimelineRow>& rows) {
  const analysis::CsvPaths paths = analysis::csv_paths_of(profile.etdump);
  const std::string id = stem_of(profile.etdump);
  ETALON_CHECKED(write_file(paths.all_runs, report::write_timeline_csv(id, rows)));
  std::vector<analysis::TimelineRow> first;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(first), [](const analysis::TimelineRow& row) { return row.run_index == 0; });
  ETALON_CHECKED(write_file(paths.run0, report::write_timeline_csv(id, first)));
  return write_file(paths.stats, report::write_stats_csv(id, profile));
}

// All of it, or the last run, which is a steady one.
analysis::Timeline timeline_of(const analysis::Profile& profile, std::vector<analysis::TimelineRow> rows, report::Timelines timelines) {
  if (timelines == report::Timelines::kOneRun) {
    std::size_t last = 0;
    for (const analysis::TimelineRow& row : rows) last = std::max(last, row.run_index);
    std::erase_if(rows, [&](const analysis::TimelineRow& row) { return row.run_index != last || row.block != "Execute"; });
  }
  return {profile.name, std::move(rows)};
}

void add_advice(const std::string& run_dir, analysis::Report& report) {
  auto advice = analysis::read_advice(run_dir);
  if (advice.ok()) report.advice = std::move(advice).value();
  else report.notes.push_back("the advice is left out: " + advice.error().message());
}

analysis::ReportOptions report_options(const AnalysisFlags& flags, report::Timelines timelines,
                                       std::vector<analysis::Timeline>& collected) {
  analysis::ReportOptions options;
  options.etrecord = flags.etrecord;
  options.facts = flags.facts;
  options.read_facts = read_model_facts;
  options.ceilings = stored_ceilings();
  if (timelines == report::Timelines::kNone) return options;
  options.on_recording = [timelines, &collected](const analysis::Profile& profile, const formats::etdump::EtDumpView& dump,
                                                 const analysis::SourceMap& sources) -> Status {
    ETALON_TRY(auto rows, analysis::make_timeline(dump, sources));
    collected.push_back(timeline_of(profile, std::move(rows), timelines));
    return {};
  };
  return options;
}

}  // namespace

Result<analysis::Report> read_report(const std::string& path, const AnalysisFlags& flags, report::Timelines timelines) {
  std::vector<analysis::Timeline> collected;
  const analysis::ReportOptions options = report_options(flags, timelines, collected);
  if (!is_folder(path)) {
    ETALON_TRY(analysis::Report report, analysis::report_on_etdump(path, options));
    report.timelines = std::move(collected);
    return report;
  }
  ETALON_TRY(analysis::Report report, analysis::report_on_folder(path, options));
  report.timelines = std::move(collected);
  add_advice(path, report);
  return report;
}

Result<analysis::Report> analyze_and_write(const std::string& run_dir, const AnalysisFlags& flags) {
  std::vector<analysis::Timeline> collected;
  analysis::ReportOptions options = report_options(flags, report::Timelines::kNone, collected);
  options.on_recording = [&collected](const analysis::Profile& profile, const formats::etdump::EtDumpView& dump,
                                      const analysis::SourceMap& sources) -> Status {
    ETALON_TRY(std::vector<analysis::TimelineRow> rows, analysis::make_timeline(dump, sources));
    ETALON_CHECKED(write_csv_files(profile, rows));
    collected.push_back(timeline_of(profile, std::move(rows), report::Timelines::kOneRun));
    return {};
  };
  ETALON_TRY(analysis::Report report, analysis::report_on_folder(run_dir, options));
  report.timelines = std::move(collected);
  add_advice(run_dir, report);
  for (const report::Writer& writer : report::all_writers()) {
    if (writer.beside_run) ETALON_CHECKED(write_file(fmt::format("{}/{}", run_dir, writer.file), writer.write(report)));
  }
  return report;
}

std::string terminal_report(const analysis::Report& report, const Console& console) {
  report::Style style;
  style.colour = console.colour();
  style.width = static_cast<std::size_t>(std::max(console.width(), 80));
  return report::write_terminal(report, style);
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace etalon::cli
