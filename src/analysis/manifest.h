// manifest.json and metrics.json: what was run, on what, with which result.
//
// read_manifest() also takes the Arm kit's files, where `config` and `model` are plain paths. A field that
// was not measured is absent in the file and nullopt here. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace etalon::analysis {

inline constexpr const char* kManifestSchema = "etalon.manifest/1";
inline constexpr const char* kMetricsSchema = "etalon.metrics/1";
inline constexpr const char* kSamplesSchema = "etalon.samples/1";
inline constexpr const char* kSummarySchema = "etalon.analysis_summary/1";

struct RunResult {
  std::string experiment;
  std::uint32_t threads = 1;
  std::string mode = "timing";
  std::string status = "ok";  // "ok", "failed", "pending"
  std::string error;          // of a failed run
  std::string key;            // hash of everything that defines the run; equal keys need not run again
  std::string runner;
  std::string engine;
  std::string isa;         // what ran
  std::string isa_wanted;  // what the experiment asks for; empty: nothing
  std::uint32_t runs = 0;
  std::uint32_t warmup = 0;

  std::vector<double> latency_ms;  // steady iterations of the timing launches, in the order measured
  std::optional<double> median_ms;
  std::optional<double> mean_ms;
  std::optional<double> min_ms;
  std::optional<double> max_ms;
  std::optional<double> p95_ms;
  std::optional<double> stdev_ms;
  std::optional<double> cv_percent;
  std::optional<double> first_ms;  // the first iteration of a fresh process
  std::optional<double> load_ms;
  std::optional<double> peak_rss_bytes;
  bool timing_was_traced = false;  // the runner records events whatever it is asked

  std::optional<double> traced_ms;  // mean end to end of the traced run, by the runner's clock
  std::optional<double> traced_median_ms;
  std::optional<std::uint64_t> traced_warmup;  // executions in the recording before the steady ones

  // Relative to the run folder; empty: no such file.
  std::string etdump;
  std::string log;
  std::string kernels;
  std::string samples;
};

struct FileIdentity {
  std::string path;
  std::string hash;  // "sha256:..."
  std::optional<std::uint64_t> size_bytes;
};

struct PlannedComparison {
  std::string label;
  std::string baseline_experiment;
  std::uint32_t baseline_threads = 1;
  std::string candidate_experiment;
  std::uint32_t candidate_threads = 1;
};

// ExecuTorch's own runtime, if it ran.
struct ExecutorchUse {
  bool present = false;
  std::string version;  // "1.5.1+cpu"; empty: a runner that does not say
  std::string sha;
};

struct Manifest {
  std::string generated_at;  // ISO 8601, UTC
  std::string status;        // "complete", "failed" (some runs), "running"
  std::string tool;          // "etalon 0.1.0"
  FileIdentity config;
  FileIdentity model;
  ExecutorchUse executorch;
  std::string platform;
  std::string design;
  std::uint64_t seed = 0;
  std::map<std::string, std::string> device;  // read on the device
  std::map<std::string, std::vector<std::string>> categories;
  std::vector<PlannedComparison> compare_pairs;
  std::vector<RunResult> results;
};

std::string manifest_json(const Manifest& manifest, const std::string& run_dir);
std::string metrics_json(const Manifest& manifest, const std::string& run_dir);

// Errors: kNotFound, kInvalidInput (not JSON, or without `results`).
Result<Manifest> read_manifest(const std::string& run_dir);

// "imagenet_t1" style key used in files and reports: "<experiment>/<model>_<experiment>_t<threads>".
std::string artifact_stem(const std::string& model, const std::string& experiment, std::uint32_t threads);

}  // namespace etalon::analysis
