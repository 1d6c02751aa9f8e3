#include "analysis/validate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "analysis/content_hash.h"
#include "analysis/events.h"
#include "analysis/json_reading.h"
#include "analysis/manifest.h"
#include "analysis/run_report.h"
#include "formats/etdump/etdump.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;

constexpr std::string_view kTimelineColumns =
    "model_id,name,type,delegate_backend,start_us,end_us,duration_ms,pct_total,node_id,run_index,block";
constexpr std::string_view kStatsColumns =
    "model_id,name,type,delegate_backend,count,total_ms,avg_ms,pct_total";
constexpr std::string_view kKernelColumns = "model_id,kernel_name,category,count,dtype";

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

bool nearly_equal(double a, double b) {
  return std::fabs(a - b) <= 1e-6 * std::max(std::fabs(a), std::fabs(b)) + 1e-9;
}

class Check {
 public:
  explicit Check(const std::string& run_dir) : run_dir_(run_dir) {}

  void run();
  Validation take() { return std::move(validation_); }

 private:
  template <class... Args>
  void defect(const std::string& file, fmt::format_string<Args...> text, Args&&... args) {
    validation_.defects.push_back({file, fmt::format(text, std::forward<Args>(args)...)});
  }
  // Counts the file; false (and a defect) when it is missing or empty.
  bool present(const std::string& file);
  std::optional<json> object(const std::string& file, const char* schema);

  void model(const Manifest& manifest);
  void metrics(const json& manifest_root);
  void result(const RunResult& result);
  void latency(const RunResult& result);
  void samples(const RunResult& result);
  void recording(const RunResult& result);
  void csv(const std::string& file, std::string_view columns);
  void summary(const Manifest& manifest);
  void leftovers();

  const std::string& run_dir_;
  Validation validation_;
};

bool Check::present(const std::string& file) {
  ++validation_.files_checked;
  std::error_code error;
  const auto size = std::filesystem::file_size(run_dir_ + "/" + file, error);
  if (error) {
    defect(file, "missing");
    return false;
  }
  if (size == 0) defect(file, "empty");
  return size > 0;
}

std::optional<json> Check::object(const std::string& file, const char* schema) {
  if (!present(file)) return std::nullopt;
  auto root = read_json_file(run_dir_ + "/" + file);
  if (!root.ok()) {
    defect(file, "cannot be read: {}", root.error().message());
    return std::nullopt;
  }
  const std::string found = text_member(*root, "schema");
  if (found != schema) defect(file, "schema: found \"{}\", want \"{}\"", found.substr(0, 60), schema);
  return std::move(root).value();
}

void Check::model(const Manifest& manifest) {
  if (manifest.model.path.empty()) {
    defect("manifest.json", "does not name the model");
    return;
  }
  if (manifest.model.hash.empty()) defect("manifest.json", "has no hash of the model");
  if (!file_exists(manifest.model.path)) return;  // the folder may have been copied without it
  const auto hash = hash_file(manifest.model.path);
  if (hash.ok() && !manifest.model.hash.empty() && *hash != manifest.model.hash) {
    defect("manifest.json", "the model {} has changed since the run; profile it again", manifest.model.path);
  }
}

void Check::metrics(const json& manifest_root) {
  const auto root = object("metrics.json", kMetricsSchema);
  if (!root) return;
  const json* here = member(*root, "results");
  const json* there = member(manifest_root, "results");
  if (here == nullptr || there == nullptr || *here != *there) {
    defect("metrics.json", "results differ from those of manifest.json");
  }
}

void Check::latency(const RunResult& result) {
  const std::string name = run_name(result.experiment, result.threads);
  if (result.mode != "timing") return;
  if (result.latency_ms.empty() || !result.median_ms) {
    defect("manifest.json", "{}: a timing run without latency", name);
    return;
  }
  if (!nearly_equal(median_of(result.latency_ms), *result.median_ms)) {
    defect("manifest.json", "{}: median_ms is {}, the median of latency_ms is {}", name, *result.median_ms,
           median_of(result.latency_ms));
  }
  const bool negative =
      std::any_of(result.latency_ms.begin(), result.latency_ms.end(), [](double ms) { return ms < 0; });
  if (negative) defect("manifest.json", "{}: latency_ms holds a negative time", name);
}

void Check::samples(const RunResult& result) {
  if (result.mode != "timing") return;
  if (result.samples.empty()) {
    defect("manifest.json", "{}: names no samples file", run_name(result.experiment, result.threads));
    return;
  }
  const auto root = object(result.samples, kSamplesSchema);
  if (!root) return;
  std::vector<double> all;
  if (const json* launches = member(*root, "launches"); launches != nullptr && launches->is_array()) {
    for (const json& launch : *launches) {
      for (const double ms : numbers_member(launch, "runs_ms")) all.push_back(ms);
    }
  }
  if (all != result.latency_ms) defect(result.samples, "its times differ from latency_ms in manifest.json");
}

void Check::csv(const std::string& file, std::string_view columns) {
  if (!present(file)) return;
  const auto text = read_text_file(run_dir_ + "/" + file);
  if (!text.ok()) {
    defect(file, "cannot be read: {}", text.error().message());
    return;
  }
  if (!text->starts_with(columns)) {
    defect(file, "columns: found \"{}\", want \"{}\"",
           text->substr(0, std::min<std::size_t>(text->find('\n'), 80)), columns);
  }
  if (text->back() != '\n') defect(file, "ends within a line; it was cut");
}

void Check::recording(const RunResult& result) {
  if (result.etdump.empty()) {
    if (result.mode == "ops") {
      defect("manifest.json", "{}: names no .etdump", run_name(result.experiment, result.threads));
    }
    return;
  }
  if (!present(result.etdump)) return;
  const auto file = MappedFile::open(run_dir_ + "/" + result.etdump);
  if (!file.ok()) {
    defect(result.etdump, "cannot be read: {}", file.error().message());
    return;
  }
  const auto dump = formats::etdump::decode(file->bytes());
  if (!dump.ok()) {
    defect(result.etdump, "damaged: {}", dump.error().message());
    return;
  }
  std::size_t executions = 0;
  std::size_t unusable = 0;
  for (const auto& run : dump->runs) {
    const TimedRun timed = time_run(run);
    executions += timed.is_execution ? 1 : 0;
    unusable += timed.unusable_events;
  }
  if (executions == 0) defect(result.etdump, "holds no execution");
  if (unusable > 0) defect(result.etdump, "{} events end before they start", unusable);
  const CsvPaths paths = csv_paths_of(result.etdump);
  csv(paths.all_runs, kTimelineColumns);
  csv(paths.run0, kTimelineColumns);
  csv(paths.stats, kStatsColumns);
}

void Check::result(const RunResult& result) {
  const std::string name = run_name(result.experiment, result.threads);
  if (result.experiment.empty()) defect("manifest.json", "a result without the name of its experiment");
  if (result.log.empty()) {
    defect("manifest.json", "{}: names no log", name);
  } else {
    present(result.log);
  }
  if (result.status != "ok") {
    defect(result.log.empty() ? "manifest.json" : result.log, "{}: {}{}{}", name, result.status,
           result.error.empty() ? "" : ": ", result.error);
    return;
  }
  latency(result);
  samples(result);
  recording(result);
  if (result.mode != "kernels" && result.mode != "xnntrace") return;
  if (result.kernels.empty()) {
    defect("manifest.json", "{}: names no _kernels.csv", name);
  } else {
    csv(result.kernels, kKernelColumns);
  }
}

void Check::summary(const Manifest& manifest) {
  const auto root = object("analysis_summary.json", kSummarySchema);
  if (!root) return;
  const auto recordings =
      static_cast<std::uint64_t>(std::count_if(manifest.results.begin(), manifest.results.end(),
                                               [](const RunResult& r) { return !r.etdump.empty(); }));
  const auto found = count_member(*root, "etdump_count");
  if (found != recordings) {
    defect("analysis_summary.json",
           "etdump_count is {}, manifest.json names {} recordings; run 'etalon analyze' again",
           found ? std::to_string(*found) : "absent", recordings);
  }
  const json* profiles = member(*root, "per_etdump");
  if (profiles == nullptr || !profiles->is_array()) {
    defect("analysis_summary.json", "has no list per_etdump");
    return;
  }
  for (const json& profile : *profiles) {
    const json* account = member(profile, "accounting");
    if (account == nullptr) continue;
    const double parts = number_member(*account, "operators_ms").value_or(0) +
                         number_member(*account, "framework_ms").value_or(0) +
                         number_member(*account, "residual_ms").value_or(0);
    const auto whole = number_member(*account, "end_to_end_ms");
    if (!whole || !nearly_equal(parts, *whole)) {
      defect("analysis_summary.json", "{}: operators, framework and residual do not add up to the end to end",
             text_member(*account, "run"));
    }
  }
}

// What a killed writer or runner left behind.
void Check::leftovers() {
  std::error_code error;
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk walk(run_dir_, std::filesystem::directory_options::skip_permission_denied, error);
       !error && walk != Walk(); walk.increment(error)) {
    const std::string name = walk->path().filename().string();
    if (name.find(".tmp-") == std::string::npos && name.find(".scratch.") == std::string::npos) continue;
    defect(walk->path().string().substr(std::min(run_dir_.size() + 1, walk->path().string().size())),
           "left over from an interrupted write; delete it");
  }
}

void Check::run() {
  const auto root = object("manifest.json", kManifestSchema);
  if (root) {
    const auto manifest = read_manifest(run_dir_);
    if (!manifest.ok()) {
      defect("manifest.json", "cannot be read: {}", manifest.error().message());
    } else {
      if (manifest->status == "running")
        defect("manifest.json", "the session was interrupted; run 'etalon profile' again");
      if (manifest->results.empty()) defect("manifest.json", "holds no result");
      model(*manifest);
      metrics(*root);
      for (const RunResult& entry : manifest->results) result(entry);
      summary(*manifest);
    }
  }
  present("report.md");
  leftovers();
}

}  // namespace

Result<Validation> validate_run_folder(const std::string& run_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir, error)) return not_found(run_dir + ": no such run folder");
  Check check(run_dir);
  check.run();
  return check.take();
}

}  // namespace etalon::analysis
