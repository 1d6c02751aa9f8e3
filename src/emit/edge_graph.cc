#include "emit/edge_graph.h"

#include <fmt/core.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

namespace etalon::emit {
namespace {

using Json = nlohmann::ordered_json;
using ir::ValueId;

// The numbers of torch's serialized schema, which are not c10's.
int schema_dtype(DType dtype) {
  switch (dtype) {
    case DType::kUInt8: return 1;
    case DType::kInt8: return 2;
    case DType::kInt16: return 3;
    case DType::kInt32: return 4;
    case DType::kInt64: return 5;
    case DType::kFloat16: return 6;
    case DType::kFloat32: return 7;
    case DType::kFloat64: return 8;
    case DType::kBool: return 12;
    case DType::kBFloat16: return 13;
    case DType::kUInt16: return 14;
    case DType::kUInt32:
    case DType::kUInt64: return 5;
  }
  return 7;
}

// "aten::add.Tensor" -> "executorch.exir.dialects.edge.ops.aten.add.Tensor"
std::string edge_target(const ops::Op& op) {
  std::string name = op.schema.name;
  if (const std::size_t colons = name.find("::"); colons != std::string::npos) name.replace(colons, 2, ".");
  return fmt::format("executorch.exir.dialects.edge.ops.{}.{}", name, op.schema.overload.empty() ? "default" : op.schema.overload);
}

class EdgeWriter {
 public:
  explicit EdgeWriter(const ir::Graph& graph) : graph_(graph) { make_names(); }

  std::string run() {
    Json inputs = Json::array();
    Json input_specs = Json::array();
    add_constants(inputs, input_specs);
    for (const ir::Input& input : graph_.inputs) {
      const Json arg = value_arg(input.value);
      inputs.push_back(arg);
      input_specs.push_back({{"user_input", {{"arg", arg}}}});
    }
    Json nodes = Json::array();
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!graph_.nodes[n].op->has(ops::kPrim)) nodes.push_back(node_json(n));
    }
    Json outputs = Json::array();
    Json output_specs = Json::array();
    add_outputs(outputs, output_specs);
    const Json graph = {{"inputs", inputs}, {"outputs", outputs}, {"nodes", nodes}, {"tensor_values", tensor_values()},
                        {"sym_int_values", Json::object()}, {"sym_bool_values", Json::object()},
                        {"is_single_tensor_return", false}, {"custom_obj_values", Json::object()}};
    const Json signature = {{"input_specs", input_specs}, {"output_specs", output_specs}};
    const Json module = {{"graph", graph}, {"signature", signature}, {"module_call_graph", Json::array()}};
    return Json{{"graph_module", module},
                {"opset_version", {{"aten", 10}}},
                {"range_constraints", Json::object()},
                {"schema_version", {{"major", 5}, {"minor", 4}}},
                {"dialect", ""},
                {"verifiers", {"EDGE"}}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  // FX wants Python identifiers, each once.
  void make_names() {
    std::set<std::string> used;
    for (const ir::Value& value : graph_.values) {
      std::string name = value.name.empty() ? "value" : value.name;
      for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      }
      if (std::isdigit(static_cast<unsigned char>(name[0]))) name.insert(0, "v");
      if (!used.insert(name).second) {
        name += fmt::format("__{}", names_.size());
        used.insert(name);
      }
      names_.push_back(std::move(name));
    }
  }

  Json named(ValueId id) const { return {{"name", names_[index_of(id)]}}; }
  Json value_arg(ValueId id) const {
    if (graph_[id].is_tensor()) return {{"as_tensor", named(id)}};
    return number_arg(id);
  }
  Json number_arg(ValueId id) const {
    const ir::NumberType& number = graph_[id].number();
    switch (number.kind) {
      case ir::NumberType::Kind::kFloat: return {{"as_float", number.max}};
      case ir::NumberType::Kind::kBool: return {{"as_bool", number.max != 0}};
      case ir::NumberType::Kind::kInt: break;
    }
    return {{"as_int", static_cast<std::int64_t>(number.max)}};
  }

  void add_constants(Json& inputs, Json& specs) const {
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].source != ir::ValueSource::kConstant) continue;
      const ir::Constant& constant = graph_.constants[graph_.values[i].source_index];
      inputs.push_back(value_arg(ValueId(i)));
      if (constant.is_parameter) {
        specs.push_back({{"parameter", {{"arg", named(ValueId(i))}, {"parameter_name", constant.name}}}});
      } else {
        specs.push_back({{"buffer", {{"arg", named(ValueId(i))}, {"buffer_name", constant.name}, {"persistent", true}}}});
      }
    }
  }

  void add_outputs(Json& outputs, Json& specs) const {
    for (const ir::Output& output : graph_.outputs) {
      const auto* id = std::get_if<ValueId>(&output.value);
      if (output.kind == ir::Output::Kind::kStateUpdate || id == nullptr || !graph_[*id].is_tensor()) continue;
      outputs.push_back(value_arg(*id));
      specs.push_back({{"user_output", {{"arg", value_arg(*id)}}}});
    }
  }

  Json ints_json(const ir::IntItems& items) const {
    Json list = Json::array();
    for (const ir::IntItem& item : items) {
      list.push_back(item.symbol == ir::kNoValue ? item.value : static_cast<std::int64_t>(graph_[item.symbol].number().max));
    }
    return {{"as_ints", list}};
  }

  Json tensors_json(const ir::ValueIds& ids, bool optional_items) const {
    Json list = Json::array();
    for (const ValueId id : ids) {
      if (!optional_items) {
        list.push_back(named(id));
      } else {
        list.push_back(id == ir::kNoValue ? Json{{"as_none", Json::array()}} : Json{{"as_tensor", named(id)}});
      }
    }
    return {{optional_items ? "as_optional_tensors" : "as_tensors", list}};
  }

  Json arg_json(const ops::SchemaArg& schema, const ir::Arg& arg) const {
    if (const auto* v = std::get_if<bool>(&arg)) return {{"as_bool", *v}};
    if (const auto* v = std::get_if<std::int64_t>(&arg)) {
      if (schema.type != ops::ArgType::kDType) return {{"as_int", *v}};
      const auto dtype = dtype_from_number(*v);
      return {{"as_scalar_type", dtype ? schema_dtype(*dtype) : 0}};
    }
    if (const auto* v = std::get_if<double>(&arg)) return float_json(*v);
    if (const auto* v = std::get_if<std::string>(&arg)) return {{"as_string", *v}};
    if (const auto* v = std::get_if<ValueId>(&arg)) return *v == ir::kNoValue ? Json{{"as_none", Json::array()}} : value_arg(*v);
    if (const auto* v = std::get_if<ir::IntItems>(&arg)) return ints_json(*v);
    if (const auto* v = std::get_if<std::vector<double>>(&arg)) return {{"as_floats", *v}};
    if (const auto* v = std::get_if<std::vector<bool>>(&arg)) return {{"as_bools", *v}};
    if (const auto* v = std::get_if<ir::ValueIds>(&arg)) return tensors_json(*v, schema.type == ops::ArgType::kOptionalTensorList);
    return {{"as_none", Json::array()}};
  }

  // JSON has no infinities; the schema spells them as strings.
  static Json float_json(double value) {
    if (value != value) return {{"as_float", "NaN"}};
    if (value - value != 0) return {{"as_float", value > 0 ? "Infinity" : "-Infinity"}};
    return {{"as_float", value}};
  }

  static bool is_written(const ops::SchemaArg& schema, const ir::Arg& arg) {
    using Type = ops::ArgType;
    if (std::holds_alternative<std::monostate>(arg)) return !schema.keyword_only && !schema.has_default;
    return schema.type != Type::kLayout && schema.type != Type::kDevice && schema.type != Type::kMemoryFormat;
  }

  Json node_json(std::size_t n) const {
    const ir::Node& node = graph_.nodes[n];
    Json inputs = Json::array();
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      const ops::SchemaArg& schema = node.op->schema.args[i];
      if (is_written(schema, node.args[i])) inputs.push_back({{"name", schema.name}, {"arg", arg_json(schema, node.args[i])}});
    }
    Json outputs = Json::array();
    if (node.op->schema.returns[0] == ops::ArgType::kTensorList) {
      outputs.push_back(tensors_json(node.outs, false));
    } else {
      for (const ValueId out : node.outs) outputs.push_back(value_arg(out));
    }
    Json metadata = {{"debug_handle", std::to_string(debug_handle_of(n))}};
    if (!node.origin.stack_trace.empty()) metadata["stack_trace"] = node.origin.stack_trace;
    if (!node.origin.module_stack.empty()) metadata["nn_module_stack"] = node.origin.module_stack;
    return {{"name", names_[index_of(node.outs[0])]}, {"target", edge_target(*node.op)}, {"inputs", inputs},
            {"outputs", outputs}, {"metadata", metadata}};
  }

  Json tensor_values() const {
    Json values = Json::object();
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const ir::Value& value = graph_.values[i];
      if (!value.is_tensor()) continue;
      const ir::TensorType& type = value.tensor();
      Json sizes = Json::array();
      Json strides = Json::array();
      const Dims steps = strides_of(type.sizes, type.order);
      for (std::size_t d = 0; d < type.sizes.size(); ++d) {
        sizes.push_back({{"as_int", type.sizes[d]}});
        strides.push_back({{"as_int", steps[d]}});
      }
      values[names_[i]] = {{"dtype", schema_dtype(type.dtype)}, {"sizes", sizes}, {"requires_grad", false},
                           {"device", {{"type", "cpu"}}}, {"strides", strides}, {"storage_offset", {{"as_int", 0}}},
                           {"layout", 7}};
    }
    return values;
  }

  const ir::Graph& graph_;
  std::vector<std::string> names_;
};

}  // namespace

std::string edge_graph_json(const ir::Graph& graph) { return EdgeWriter(graph).run(); }

}  // namespace etalon::emit
