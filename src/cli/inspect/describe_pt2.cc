#include <map>

#include "cli/inspect/describe.h"
#include "formats/pt2/pt2.h"

namespace etalon::cli {
namespace {

namespace pt2 = formats::pt2;

std::string sizes_text(const pt2::TensorMeta& meta) {
  std::vector<std::int64_t> sizes;
  bool symbolic = false;
  for (const pt2::SymInt& size : meta.sizes) {
    symbolic = symbolic || size.is_symbolic();
    sizes.push_back(size.is_symbolic() ? size.hint.value_or(0) : size.value);
  }
  return tensor_text(meta.dtype, sizes) + (symbolic ? " (dynamic)" : "");
}

std::string argument_text(const pt2::Graph& graph, const pt2::Argument& arg) {
  if (const auto* tensor = arg.as<pt2::TensorArg>()) {
    const auto meta = graph.tensor_values.find(tensor->name);
    return tensor->name + (meta == graph.tensor_values.end() ? "" : ": " + sizes_text(meta->second));
  }
  return "a literal";
}

Json operators_json(const pt2::Graph& graph) {
  std::map<std::string, int> counts;
  constexpr std::string_view kPrefix = "torch.ops.";
  for (const pt2::Node& node : graph.nodes) {
    ++counts[node.target.starts_with(kPrefix) ? node.target.substr(kPrefix.size()) : node.target];
  }
  return Json(counts);
}

Json model_json(const pt2::Model& model) {
  const pt2::Graph& graph = model.program.graph;
  Json inputs = Json::array();
  for (std::size_t i = 0; i < model.program.input_specs.size(); ++i) {
    const pt2::InputSpec& spec = model.program.input_specs[i];
    if (spec.kind == pt2::InputKind::kUserInput) inputs.push_back(argument_text(graph, spec.arg));
  }
  Json outputs = Json::array();
  for (const pt2::OutputSpec& spec : model.program.output_specs) {
    if (spec.kind == pt2::OutputKind::kUserOutput) outputs.push_back(argument_text(graph, spec.arg));
  }
  std::uint64_t weight_bytes = 0;
  for (const auto& [name, tensor] : model.weights) weight_bytes += tensor.payload.size();
  return {{"name", model.name},
          {"torch_version", model.program.torch_version},
          {"schema_version", std::to_string(model.program.schema_major) + "." + std::to_string(model.program.schema_minor)},
          {"verifiers", model.program.verifiers},
          {"inputs", inputs},
          {"outputs", outputs},
          {"nodes", graph.nodes.size()},
          {"weights", model.weights.size()},
          {"weight_bytes", weight_bytes},
          {"weights_taken_out", model.is_weightless},
          {"constants", model.constants.size()},
          {"operators", operators_json(graph)}};
}

}  // namespace

Result<Json> describe_pt2(Bytes file) {
  ETALON_TRY(const pt2::Archive archive, pt2::decode(file));
  Json models = Json::array();
  for (const pt2::Model& model : archive.models) models.push_back(model_json(model));
  return Json{{"kind", "pt2"}, {"bytes", file.size()}, {"models", models}};
}

}  // namespace etalon::cli
