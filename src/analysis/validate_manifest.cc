// manifest.json and metrics.json: what they say, and whether it agrees.
#include <algorithm>
#include <cctype>

#include "analysis/content_hash.h"
#include "analysis/json_reading.h"
#include "analysis/run_report.h"
#include "analysis/validate_check.h"
#include "measure/statistics.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;

// "2026-01-31T12:34:56Z", as text so that times compare as strings.
bool is_utc_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

void check_file(const char* what, const FileIdentity& file, Check& check) {
  if (!file_exists(file.path)) return;  // the folder may have been copied without it
  const auto hash = hash_file(file.path);
  if (hash.ok() && !file.hash.empty() && *hash != file.hash) {
    check.defect("manifest.json", "the {} {} has changed since the run; profile it again", what, file.path);
  }
}

void check_model(const Manifest& manifest, Check& check) {
  if (manifest.model.path.empty()) {
    check.defect("manifest.json", "does not name the model");
    return;
  }
  if (manifest.model.hash.empty() && !check.foreign()) check.defect("manifest.json", "has no hash of the model");
  check_file("model", manifest.model, check);
  if (!manifest.config.path.empty()) check_file("configuration", manifest.config, check);
}

void check_metrics(const json& manifest_root, Check& check) {
  const auto root = check.object("metrics.json", kMetricsSchema);
  if (!root || check.foreign()) return;
  const json* here = member(*root, "results");
  const json* there = member(manifest_root, "results");
  if (here == nullptr || there == nullptr || *here != *there) {
    check.defect("metrics.json", "results differ from those of manifest.json");
  }
}

void compare(const RunResult& result, const char* name, const std::optional<double>& said, double computed, Check& check) {
  if (!said || nearly_equal(*said, computed)) return;
  check.defect("manifest.json", "{}: {} is {}, {} of latency_ms is {}", run_name(result.experiment, result.threads), name, *said,
               std::string_view(name) == "median_ms" ? "the median" : "that", computed);
}

void check_latency(const RunResult& result, Check& check) {
  if (result.mode != "timing") return;
  if (result.latency_ms.empty() || !result.median_ms) {
    check.defect("manifest.json", "{}: a timing run without latency", run_name(result.experiment, result.threads));
    return;
  }
  const auto wrong = [](double ms) { return !(ms > 0); };
  if (std::any_of(result.latency_ms.begin(), result.latency_ms.end(), wrong)) {
    check.defect("manifest.json", "{}: latency_ms holds a time that is not positive", run_name(result.experiment, result.threads));
  }
  const measure::Summary summary = measure::summarize(result.latency_ms);
  compare(result, "median_ms", result.median_ms, summary.median, check);
  compare(result, "mean_ms", result.mean_ms, summary.mean, check);
  compare(result, "min_ms", result.min_ms, summary.min, check);
  compare(result, "max_ms", result.max_ms, summary.max, check);
  if (check.foreign()) return;  // other tools define percentiles otherwise
  compare(result, "p95_ms", result.p95_ms, summary.p95, check);
  compare(result, "stdev_ms", result.stdev_ms, summary.stdev, check);
  compare(result, "cv_percent", result.cv_percent, summary.cv_percent, check);
}

void check_result(const RunResult& result, Check& check) {
  const std::string name = run_name(result.experiment, result.threads);
  if (result.experiment.empty()) check.defect("manifest.json", "a result without the name of its experiment");
  if (!result.log.empty()) check.present(result.log);
  else if (!check.foreign()) check.defect("manifest.json", "{}: names no log", name);
  if (result.status != "ok") {
    check.defect(result.log.empty() ? "manifest.json" : result.log, "{}: {}{}{}", name, result.status, result.error.empty() ? "" : ": ", result.error);
    return;
  }
  check_latency(result, check);
  check_recording(result, check);
  check_kernels(result, check);
}

const RunResult* find(const Manifest& manifest, const std::string& experiment, std::uint32_t threads) {
  for (const RunResult& result : manifest.results) {
    if (result.experiment == experiment && result.threads == threads) return &result;
  }
  return nullptr;
}

void check_names(const Manifest& manifest, Check& check) {
  for (const RunResult& result : manifest.results) {
    if (find(manifest, result.experiment, result.threads) != &result) {
      check.defect("manifest.json", "{}: stands there twice", run_name(result.experiment, result.threads));
    }
  }
  for (const PlannedComparison& pair : manifest.compare_pairs) {
    for (const auto& [experiment, threads] : {std::pair(pair.baseline_experiment, pair.baseline_threads), std::pair(pair.candidate_experiment, pair.candidate_threads)}) {
      if (find(manifest, experiment, threads) == nullptr) {
        check.defect("manifest.json", "the comparison {} names {}, which has no result", pair.label, run_name(experiment, threads));
      }
    }
  }
}

}  // namespace

void check_manifest(const json& root, const Manifest& manifest, Check& check) {
  if (manifest.status == "running") check.defect("manifest.json", "the session was interrupted; run 'etalon profile' again");
  if (manifest.results.empty()) check.defect("manifest.json", "holds no result");
  if (!check.foreign() && !is_utc_time(manifest.generated_at)) {
    check.defect("manifest.json", "generated_at: found \"{}\", want a time like 2026-01-31T12:34:56Z", manifest.generated_at.substr(0, 60));
  }
  check_model(manifest, check);
  check_metrics(root, check);
  check_names(manifest, check);
  for (const RunResult& result : manifest.results) check_result(result, check);
}

}  // namespace etalon::analysis
