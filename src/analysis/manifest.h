// manifest.json and metrics.json: what was run, on what, with which result.
//
// Verdicts are recomputed from files. A result names `samples` (one arm, schema etalon.samples/1, read with
// measure::read_recording), which holds the session's id, seed, number of launches and the state of the machine;
// results of equal, non-empty `session` were measured interleaved and are paired by launch and block. `control` names
// the A/A control of that session (no arms, control[0] and control[1] are the same run twice); a session of fewer than
// six launches or of one run has none. run_report.cc does all of this. Operators: `etdump` holds the recorded runs
// of several processes one after the other, as many of each as `traced_launch_runs` says.
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
  std::optional<double> cold_ms;  // loading and the first iteration of a fresh process
  // Memory, as the runner tells it; see MemoryLedger.
  std::optional<double> peak_rss_bytes;
  std::optional<double> baseline_rss_bytes;    // before the model is loaded
  std::optional<double> packed_weights_bytes;  // copies of the weights that kernels made
  std::optional<double> planned_bytes;         // planned memory of the program
  std::optional<double> workspace_bytes;       // of delegates and kernels besides
  bool timing_was_traced = false;  // the runner records events whatever it is asked

  std::optional<double> traced_ms;  // mean end to end of the traced run, by the runner's clock
  std::optional<double> traced_median_ms;
  std::optional<std::uint64_t> traced_warmup;  // executions of each traced process before the steady ones
  std::vector<std::uint64_t> traced_launch_runs;  // executions of each traced process, those included; in file order

  std::string session;  // results of one session were measured interleaved; empty: unknown

  // The program that ran, where that is not the manifest's: comparisons of several programs. Empty otherwise.
  std::string model;
  std::string model_hash;

  // Relative to the run folder; empty: no such file.
  std::string etdump;
  std::string log;
  std::string kernels;
  std::string samples;
  std::string control;  // of the session, the same for all of its results
};

struct FileIdentity {
  std::string path;
  std::string hash;  // "sha256:..."
  std::optional<std::uint64_t> size_bytes;
};

// What the machine was like before anything ran; see measure/preflight.h.
struct MachineConcern {
  std::string id;       // "load", "governor"
  std::string concern;  // "note", "warning", "refuse"
  std::string found;
  std::string why;
  std::string fix;
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
  std::string machine_json;  // measure::machine_state_to_json(), an object; empty: unknown
  std::vector<MachineConcern> concerns;
  std::vector<std::string> notes;  // about the session, for people, one line each
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
