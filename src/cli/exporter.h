// From a model file to a program: what `etalon export`, `etalon demo` and the tests call.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/xnnpack/aot/delegate.h"
#include "base/result.h"
#include "cli/quantiser.h"
#include "emit/program.h"
#include "passes/pass.h"

namespace etalon::cli {

struct ExportRequest {
  std::string model;    // a .pt2 file or "zoo:NAME"
  std::string output;   // the .pte; empty: <outdir>/<model>_<backend>_<dtype>.pte
  std::string outdir;   // empty: "out_<model>/artifacts"
  std::string backend = "xnnpack";  // or "portable"
  std::string dtype = "fp32";        // "fp16", or "int8" as `quantise` says
  QuantiseRequest quantise;
  ProgressFn quantise_progress;
  bool record = true;   // write <output>.etrecord
  bool verify = false;  // check the graph after every pass
  std::vector<std::string> disabled_passes;
  std::string save_graph;  // where to write the final graph as text; empty: nowhere
  std::function<void(std::string_view)> progress;  // told what is being done
};

struct OperatorCount {
  std::string name;
  std::uint32_t count = 0;
};

struct ExportedMethod {
  std::string name;
  std::vector<std::string> inputs;   // "x: f32[1, 3, 224, 224]"
  std::vector<std::string> outputs;
  std::vector<passes::PassRecord> passes;
  std::vector<OperatorCount> operators;  // after the passes and outside delegates, most frequent first
  emit::MethodReport report;
  xnnpack::Report delegation;        // empty with the portable backend
  std::int64_t parameters = 0;       // elements
  std::int64_t constant_bytes = 0;
  std::optional<QuantiseOutcome> quantisation;  // with dtype int8
  std::int64_t flops = 0;            // at the upper-bound shapes; a multiply-add counts as two
  std::string graph_text;
};

struct ExportOutcome {
  std::string program_path;
  std::string record_path;  // empty if none was written
  std::uint64_t program_bytes = 0;
  bool drawn_weights = false;  // the archive held no weights: they were drawn at random
  std::string torch_version;
  std::vector<ExportedMethod> methods;
  double import_ms = 0;
  double passes_ms = 0;
  double quantise_ms = 0;
  double delegation_ms = 0;
  double emit_ms = 0;
  double total_ms = 0;
};

// Nothing is left behind on an error. Errors: those of the file, kUnsupported with every operator that has no lowering.
Result<ExportOutcome> export_model(const ExportRequest& request);

// "zoo:NAME" -> the archive's path, anything else -> itself. kNotFound names the models there are.
Result<std::string> resolve_model(const std::string& model);
// The folder of the built-in models: $ETALON_ZOO, or beside the program.
Result<std::string> zoo_folder();
// "mobilenet_v3_small" for "dir/mobilenet_v3_small.pt2" and "zoo:mobilenet_v3_small".
std::string model_stem(const std::string& model);

}  // namespace etalon::cli
