// Experiments: what is run, how often and how, read from a JSON file.
//
// The Arm profiling kit's files are accepted as they are; `docs` name each field. Parsing touches no file but
// the configuration itself; check_files() is the separate step that finds a missing model or runner before
// anything runs. Plain values, thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::measure {

// One kind of evidence per run; they are never mixed.
enum class Mode : std::uint8_t {
  kTiming,    // untraced latency, and a traced run of its own for the operators
  kOps,       // the traced run alone
  kKernels,   // which kernels ran
  kXnntrace,  // the same from XNNPACK's own log, as the Arm kit names it
};
std::string_view mode_name(Mode mode);
inline bool is_kernel_mode(Mode mode) { return mode == Mode::kKernels || mode == Mode::kXnntrace; }

enum class Design : std::uint8_t { kInterleaved, kSequential };
std::string_view design_name(Design design);

struct Experiment {
  std::string name;         // a folder name, unique
  std::string runner_path;  // empty: our own runner
  Mode mode = Mode::kTiming;
  std::uint32_t runs = 100;
  std::uint32_t warmup = 10;
  std::vector<std::uint32_t> threads = {1};
  std::string engine;  // empty: the runner's default; own runner only, as `isa`
  std::string isa;
  std::vector<std::string> inputs;
  std::vector<std::string> extra_args;
  std::map<std::string, std::string> environment;
  std::uint64_t cpu_mask = 0;  // 0: not pinned
  std::string power;           // empty: leave
};

struct RunReference {
  std::string experiment;
  std::uint32_t threads = 1;
};

struct ComparePair {
  std::string label;
  RunReference baseline;
  RunReference candidate;
};

struct Config {
  std::string path;         // of the JSON file; empty when made from flags
  std::string model;        // as written
  std::string output_root;  // empty: derived from the model
  std::string platform = "host";
  Design design = Design::kInterleaved;
  std::vector<Experiment> experiments;
  std::vector<ComparePair> compare_pairs;
  std::map<std::string, std::vector<std::string>> categories;  // added to the built-in table
};

// Errors (kInvalidInput): not JSON, a wrong type or range, an unknown field (with the nearest known one), a
// duplicate field or experiment name, no experiments, a comparison of runs that do not exist.
Result<Config> parse_config(std::string_view json);

// Reads the file (at most 16 MiB), then as parse_config(), with the path in front of each message.
Result<Config> load_config(const std::string& path);

// Turns `model`, `runner_path` and `inputs` into existing paths: first as written (relative to the working
// folder), then relative to the configuration; `<model>` in output_root becomes the model's name.
// Errors: kNotFound, kInvalidInput (a runner that cannot be executed), kUnsupported (a platform).
Status check_files(Config& config);

// "mobilenet_xnnpack_fp32" for "a/mobilenet_xnnpack_fp32.pte".
std::string model_name_of(const std::string& model_path);

// Where results go when the configuration does not say: beside the `artifacts` folder that holds the model,
// else out_<model> in the working folder; then runs/<system>.
std::string default_output_root(const std::string& model_path, std::string_view system);

}  // namespace etalon::measure
