#include "cli/run_analysis.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "cli/model_facts.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

std::string stem_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

Status write_csv_files(const analysis::Profile& profile, const formats::etdump::EtDump& dump,
                       const analysis::SourceMap& sources) {
  const analysis::CsvPaths paths = analysis::csv_paths_of(profile.etdump);
  const std::string id = stem_of(profile.etdump);
  std::vector<analysis::TimelineRow> rows = analysis::make_timeline(dump, sources);
  ETALON_CHECKED(write_file(paths.all_runs, report::write_timeline_csv(id, rows)));
  std::erase_if(rows, [](const analysis::TimelineRow& row) { return row.run_index != 0; });
  ETALON_CHECKED(write_file(paths.run0, report::write_timeline_csv(id, rows)));
  return write_file(paths.stats, report::write_stats_csv(id, profile));
}

}  // namespace

Result<analysis::Report> analyze_and_write(const std::string& run_dir, const AnalysisFlags& flags) {
  analysis::ReportOptions options;
  options.etrecord = flags.etrecord;
  options.on_recording = write_csv_files;
  options.read_facts = read_model_facts;
  ETALON_TRY(analysis::Report report, analysis::report_on_folder(run_dir, options));
  ETALON_CHECKED(write_file(run_dir + "/analysis_summary.json", report::write_json(report)));
  ETALON_CHECKED(write_file(run_dir + "/report.md", report::write_markdown(report)));
  ETALON_CHECKED(write_file(run_dir + "/report.html", report::write_html(report)));
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
