// models/<name>.json -> ExportedProgram.
#include "formats/pt2/decode_graph.h"

namespace etalon::formats::pt2 {
namespace {

using json::element;
using json::object;

Result<std::string> metadata_text(element value) { return json::to_text(value, "metadata"); }
Result<std::string> item_text(element value) { return json::to_text(value, "item"); }

Result<NamedArgument> decode_named_argument(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "input"));
  NamedArgument out;
  ETALON_TRY(out.name, json::text_or_empty(fields, "name"));
  ETALON_TRY(const element arg, json::require(fields, "arg"));
  ETALON_TRY(out.arg, decode_argument(arg), out.name);
  ETALON_TRY(const std::int64_t kind, json::int_or(fields, "kind", 0));
  if (kind < 0 || kind > 2) return unsupported(fmt::format("unknown kind of argument {}", kind));
  out.kind = static_cast<ArgumentKind>(kind);
  return out;
}

Result<Node> decode_node(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "node"));
  Node out;
  ETALON_TRY(out.name, json::text_or_empty(fields, "name"));
  ETALON_TRY(out.target, json::require_text(fields, "target"));
  ETALON_TRY(out.inputs, json::list_or_empty<NamedArgument>(fields, "inputs", decode_named_argument),
             out.target);
  ETALON_TRY(out.outputs, json::list_or_empty<Argument>(fields, "outputs", decode_argument), out.target);
  ETALON_TRY(out.metadata, json::map_or_empty<std::string>(fields, "metadata", metadata_text), out.target);
  return out;
}

// What the members of the two spec unions look like: where the name of the stored thing stands.
struct InputMember {
  std::string_view name;
  InputKind kind;
  std::string_view target;
};
constexpr InputMember kInputMembers[] = {
    {"user_input", InputKind::kUserInput, ""},
    {"parameter", InputKind::kParameter, "parameter_name"},
    {"buffer", InputKind::kBuffer, "buffer_name"},
    {"tensor_constant", InputKind::kTensorConstant, "tensor_constant_name"},
    {"custom_obj", InputKind::kCustomObject, "custom_obj_name"},
    {"token", InputKind::kToken, ""},
    {"constant_input", InputKind::kConstantInput, "name"},
};
struct OutputMember {
  std::string_view name;
  OutputKind kind;
  std::string_view target;
};
constexpr OutputMember kOutputMembers[] = {
    {"user_output", OutputKind::kUserOutput, ""},
    {"loss_output", OutputKind::kLossOutput, ""},
    {"buffer_mutation", OutputKind::kBufferMutation, "buffer_name"},
    {"gradient_to_parameter", OutputKind::kGradientToParameter, "parameter_name"},
    {"gradient_to_user_input", OutputKind::kGradientToUserInput, "user_input_name"},
    {"user_input_mutation", OutputKind::kUserInputMutation, "user_input_name"},
    {"parameter_mutation", OutputKind::kParameterMutation, "parameter_name"},
    {"token", OutputKind::kToken, ""},
};

// An Argument union, or a bare {"name": ..} where the schema has no choice.
Result<Argument> decode_spec_argument(object fields) {
  ETALON_TRY(const element value, json::require(fields, "arg"));
  ETALON_TRY(const object arg, json::to_object(value, "arg"));
  const auto name = json::find(arg, "name");
  if (!name) return decode_argument(value);
  ETALON_TRY(std::string text, json::to_text(*name, "name"));
  const auto class_fqn = json::find(arg, "class_fqn");
  if (!class_fqn) return Argument{TensorArg{std::move(text)}};
  ETALON_TRY(std::string type, json::to_text(*class_fqn, "class_fqn"));
  return Argument{CustomObjArg{std::move(text), std::move(type)}};
}

Result<InputSpec> decode_input_spec(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "input spec"));
  for (const InputMember& known : kInputMembers) {
    if (known.name != member.name) continue;
    ETALON_TRY(const object fields, json::to_object(member.value, member.name));
    InputSpec out;
    out.kind = known.kind;
    if (!known.target.empty()) {
      ETALON_TRY(out.target, json::require_text(fields, known.target));
    }
    ETALON_TRY(out.persistent, json::bool_or(fields, "persistent", true));
    if (known.kind == InputKind::kConstantInput) {
      ETALON_TRY(const element literal, json::require(fields, "value"));
      ETALON_TRY(out.arg, decode_argument(literal));
    } else {
      ETALON_TRY(out.arg, decode_spec_argument(fields), member.name);
    }
    return out;
  }
  return unsupported(fmt::format("unknown kind of input '{}'", member.name));
}

Result<OutputSpec> decode_output_spec(element value) {
  ETALON_TRY(const json::Member member, json::active_member(value, "output spec"));
  for (const OutputMember& known : kOutputMembers) {
    if (known.name != member.name) continue;
    ETALON_TRY(const object fields, json::to_object(member.value, member.name));
    OutputSpec out;
    out.kind = known.kind;
    if (!known.target.empty()) {
      ETALON_TRY(out.target, json::require_text(fields, known.target));
    }
    ETALON_TRY(out.arg, decode_spec_argument(fields), member.name);
    return out;
  }
  return unsupported(fmt::format("unknown kind of output '{}'", member.name));
}

Result<ModuleCallEntry> decode_module_call(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "module call"));
  ModuleCallEntry out;
  ETALON_TRY(out.fqn, json::text_or_empty(fields, "fqn"));
  const auto signature = json::find(fields, "signature");
  if (!signature) return out;
  ETALON_TRY(const object parts, json::to_object(*signature, "signature"));
  out.has_signature = true;
  ETALON_TRY(out.in_spec, json::text_or_empty(parts, "in_spec"));
  ETALON_TRY(out.out_spec, json::text_or_empty(parts, "out_spec"));
  ETALON_TRY(out.forward_arg_names, json::list_or_empty<std::string>(parts, "forward_arg_names", item_text));
  return out;
}

Result<RangeConstraint> decode_range(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "range"));
  RangeConstraint out;
  if (const auto min = json::find(fields, "min_val")) {
    ETALON_TRY(out.min, json::to_int(*min, "min_val"));
  }
  if (const auto max = json::find(fields, "max_val")) {
    ETALON_TRY(out.max, json::to_int(*max, "max_val"));
  }
  return out;
}

Status decode_schema_version(object root, ExportedProgram& out) {
  ETALON_TRY(const object version, json::require_object(root, "schema_version"));
  ETALON_TRY(out.schema_major, json::require_int(version, "major"));
  ETALON_TRY(out.schema_minor, json::require_int(version, "minor"));
  if (out.schema_major == 8) return {};
  return unsupported(fmt::format("schema version {}.{}, want 8.x: export again with torch 2.9 or newer",
                                 out.schema_major, out.schema_minor));
}

Status decode_graph_module(object module, ExportedProgram& out) {
  ETALON_TRY(const element graph, json::require(module, "graph"));
  ETALON_TRY(out.graph, decode_graph(graph));
  ETALON_TRY(const object signature, json::require_object(module, "signature"));
  ETALON_TRY(out.input_specs, json::list_or_empty<InputSpec>(signature, "input_specs", decode_input_spec));
  ETALON_TRY(out.output_specs,
             json::list_or_empty<OutputSpec>(signature, "output_specs", decode_output_spec));
  ETALON_TRY(out.module_call_graph,
             json::list_or_empty<ModuleCallEntry>(module, "module_call_graph", decode_module_call));
  if (out.graph.inputs.size() != out.input_specs.size()) {
    return invalid_input(
        fmt::format("{} input specs for {} inputs", out.input_specs.size(), out.graph.inputs.size()));
  }
  if (out.graph.outputs.size() != out.output_specs.size()) {
    return invalid_input(
        fmt::format("{} output specs for {} outputs", out.output_specs.size(), out.graph.outputs.size()));
  }
  return {};
}

}  // namespace

Result<Graph> decode_graph(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "graph"));
  Graph out;
  ETALON_TRY(out.inputs, json::list_or_empty<Argument>(fields, "inputs", decode_argument));
  ETALON_TRY(out.outputs, json::list_or_empty<Argument>(fields, "outputs", decode_argument));
  ETALON_TRY(out.nodes, json::list_or_empty<Node>(fields, "nodes", decode_node));
  ETALON_TRY(out.tensor_values, json::map_or_empty<TensorMeta>(fields, "tensor_values", decode_tensor_meta));
  ETALON_TRY(out.sym_int_values, json::map_or_empty<SymInt>(fields, "sym_int_values", decode_sym_int));
  ETALON_TRY(out.is_single_tensor_return, json::bool_or(fields, "is_single_tensor_return", false));
  return out;
}

Result<ExportedProgram> decode_program(Bytes text) {
  json::Document document;
  ETALON_CHECKED(document.parse(text));
  ETALON_TRY(const object root, json::to_object(document.root(), "the program"));
  ExportedProgram out;
  ETALON_CHECKED(decode_schema_version(root, out));
  ETALON_TRY(out.torch_version, json::text_or_empty(root, "torch_version"));
  ETALON_TRY(out.verifiers, json::list_or_empty<std::string>(root, "verifiers", item_text));
  ETALON_TRY(out.opset_version, json::map_or_empty<std::int64_t>(root, "opset_version", [](element version) {
               return json::to_int(version, "version");
             }));
  ETALON_TRY(out.range_constraints,
             json::map_or_empty<RangeConstraint>(root, "range_constraints", decode_range));
  ETALON_TRY(const object module, json::require_object(root, "graph_module"));
  ETALON_CHECKED(decode_graph_module(module, out));
  return out;
}

}  // namespace etalon::formats::pt2
