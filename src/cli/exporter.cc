#include "cli/exporter.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "emit/record.h"
#include "formats/detect.h"
#include "frontend/pt2/import.h"
#include "ir/frame.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/half_precision.h"

namespace etalon::cli {
namespace {

class Stopwatch {
 public:
  double lap_ms() {
    const auto now = std::chrono::steady_clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return ms;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Status check_request(const ExportRequest& request) {
  if (request.backend != "portable" && request.backend != "xnnpack") {
    return unsupported(fmt::format("there is no backend '{}', want portable or xnnpack", request.backend));
  }
  if (request.dtype != "fp32" && request.dtype != "fp16" && request.dtype != "int8") {
    const char* hint = request.dtype == "bf16" ? "; bfloat16 is how float32 files may be computed: etalon run --math bf16" : "";
    return unsupported(fmt::format("dtype '{}' is not available, want fp32, fp16 or int8{}", request.dtype, hint));
  }
  return request.dtype == "int8" ? check_quantise_request(request.quantise) : Status{};
}

Status check_is_archive(const std::string& path, Bytes bytes) {
  using formats::FileKind;
  const FileKind kind = formats::detect(bytes);
  if (kind == FileKind::kPt2) return {};
  if (kind == FileKind::kOnnx) {
    return unsupported(path + ": is an ONNX model, which cannot be read yet; export it with torch.export.save to a .pt2");
  }
  if (kind == FileKind::kPte) return invalid_input(path + ": is an ExecuTorch program already; use `etalon run` or `etalon inspect`");
  return invalid_input(fmt::format("{}: found {}, want a .pt2 archive written by torch.export.save", path, formats::describe(kind)));
}

std::vector<OperatorCount> count_operators(const ir::Graph& graph) {
  std::map<std::string, std::uint32_t> counts;
  for (const ir::Node& node : graph.nodes) ++counts[node.op->functional_name];
  std::vector<OperatorCount> out;
  for (const auto& [name, count] : counts) out.push_back({name, count});
  std::ranges::stable_sort(out, std::ranges::greater{}, &OperatorCount::count);
  return out;
}

std::string value_text(const ir::Graph& graph, ir::ValueId id) {
  return fmt::format("{}: {}", graph[id].name, ir::to_text(graph[id].type));
}

ExportedMethod describe(const ir::Graph& graph, std::vector<passes::PassRecord> records) {
  ExportedMethod method;
  method.name = graph.method;
  for (const ir::Input& input : graph.inputs) method.inputs.push_back(value_text(graph, input.value));
  for (const ir::Output& output : graph.outputs) {
    const auto* id = std::get_if<ir::ValueId>(&output.value);
    if (output.kind == ir::Output::Kind::kUser && id) method.outputs.push_back(value_text(graph, *id));
  }
  method.passes = std::move(records);
  for (const ir::Constant& constant : graph.constants) {
    method.constant_bytes += constant.type.nbytes();
    if (constant.is_parameter) method.parameters += numel(constant.type.sizes);
  }
  for (const ir::Node& node : graph.nodes) method.flops += ir::cost_of(graph, node).flops;
  return method;
}

std::string output_path(const ExportRequest& request) {
  if (!request.output.empty()) return request.output;
  const std::string stem = model_stem(request.model);
  const std::string folder = request.outdir.empty() ? "out_" + stem + "/artifacts" : request.outdir;
  return fmt::format("{}/{}_{}_{}.pte", folder, stem, request.backend, request.dtype);
}

void tell(const ExportRequest& request, std::string_view what) {
  if (request.progress) request.progress(what);
}

Status optimise(const ExportRequest& request, std::vector<ir::Graph>& graphs, ExportOutcome& outcome) {
  passes::PipelineOptions options;
  options.disabled = request.disabled_passes;
  options.verify = request.verify;
  for (ir::Graph& graph : graphs) {
    ETALON_TRY(auto records, passes::run_pipeline(graph, options), "method " + graph.method);
    if (request.dtype == "fp16") ETALON_CHECKED(passes::convert_to_half(graph), "method " + graph.method);
    outcome.methods.push_back(describe(graph, std::move(records)));
  }
  return {};
}

// What the quantiser adds for weights is computed now, on their integers.
Status settle_weights(ir::Graph& graph) {
  for (const passes::Pass* pass : passes::pipeline()) {
    if (pass->name == "quantised-weights" || pass->name == "fold-constants") ETALON_CHECKED(passes::run_pass(*pass, graph, false));
  }
  return {};
}

Status quantise(const ExportRequest& request, std::vector<ir::Graph>& graphs, ExportOutcome& outcome) {
  if (request.dtype != "int8") return {};
  if (graphs.size() > 1 && request.quantise.scheme == "static") {
    return unsupported(fmt::format("the program has {} methods and calibration data are for one; --quant dynamic needs none", graphs.size()));
  }
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    ExportedMethod& method = outcome.methods[i];
    ETALON_TRY(method.quantisation, quantise_graph(graphs[i], request.quantise, request.quantise_progress), "method " + graphs[i].method);
    ETALON_CHECKED(settle_weights(graphs[i]));
    if (request.verify) ETALON_CHECKED(ir::verify(graphs[i]), "after quantisation");
    method.constant_bytes = 0;
    for (const ir::Constant& constant : graphs[i].constants) method.constant_bytes += constant.type.nbytes();
  }
  return {};
}

// Returns the graphs as they were before, for the record.
Result<std::vector<ir::Graph>> delegate(const ExportRequest& request, std::vector<ir::Graph>& graphs, ExportOutcome& outcome) {
  std::vector<ir::Graph> before;
  if (request.backend != "xnnpack") return before;
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    if (request.record) before.push_back(graphs[i]);
    ETALON_TRY(outcome.methods[i].delegation, xnnpack::delegate_graph(graphs[i]), "method " + graphs[i].method);
    if (request.verify) ETALON_CHECKED(ir::verify(graphs[i]), "after delegation");
  }
  return before;
}

Status write_program(const ExportRequest& request, std::vector<ir::Graph>& graphs, std::span<const ir::Graph> before,
                     ExportOutcome& outcome) {
  ETALON_TRY(const emit::Emitted emitted, emit::emit_program(graphs));
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    outcome.methods[i].report = emitted.methods[i];
    outcome.methods[i].operators = count_operators(graphs[i]);
    outcome.methods[i].graph_text = ir::print(graphs[i]);
  }
  outcome.program_path = output_path(request);
  if (const auto folder = std::filesystem::path(outcome.program_path).parent_path(); !folder.empty()) {
    ETALON_CHECKED(make_directories(folder.string()));
  }
  ETALON_TRY(FileWriter file, FileWriter::create(outcome.program_path));
  ETALON_CHECKED(formats::pte::encode(emitted.program, file), outcome.program_path);
  outcome.program_bytes = file.offset();
  if (request.record) {
    outcome.record_path = outcome.program_path + ".etrecord";
    ETALON_CHECKED(emit::write_record(graphs, before.empty() ? std::span<const ir::Graph>(graphs) : before, emitted, outcome.record_path));
  }
  return file.commit();
}

Status save_graph(const ExportRequest& request, const ExportOutcome& outcome) {
  if (request.save_graph.empty()) return {};
  std::string text;
  for (const ExportedMethod& method : outcome.methods) text += method.graph_text;
  return write_file(request.save_graph, text);
}

}  // namespace

Result<ExportOutcome> export_model(const ExportRequest& request) {
  ETALON_CHECKED(check_request(request));
  Stopwatch total;
  Stopwatch watch;
  ExportOutcome outcome;
  tell(request, "reading " + request.model);
  ETALON_TRY(const std::string path, resolve_model(request.model));
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_CHECKED(check_is_archive(path, file.bytes()));
  ETALON_TRY(frontend::Imported imported, frontend::import_pt2(file.bytes()), path);
  outcome.drawn_weights = imported.weightless;
  outcome.torch_version = imported.torch_version;
  outcome.import_ms = watch.lap_ms();
  tell(request, "optimising");
  ETALON_CHECKED(optimise(request, imported.methods, outcome), path);
  outcome.passes_ms = watch.lap_ms();
  ETALON_CHECKED(quantise(request, imported.methods, outcome), path);
  outcome.quantise_ms = watch.lap_ms();
  tell(request, "delegating");
  ETALON_TRY(const std::vector<ir::Graph> before, delegate(request, imported.methods, outcome), path);
  outcome.delegation_ms = watch.lap_ms();
  if (request.dtype == "fp16") {
    for (const ir::Graph& graph : imported.methods) ETALON_CHECKED(passes::check_half_kernels(graph), path);
  }
  tell(request, "writing");
  ETALON_CHECKED(write_program(request, imported.methods, before, outcome));
  ETALON_CHECKED(save_graph(request, outcome));
  outcome.emit_ms = watch.lap_ms();
  outcome.total_ms = total.lap_ms();
  return outcome;
}

}  // namespace etalon::cli
