#include "frontend/pt2/translate.h"

#include <fmt/core.h>

#include <utility>

#include "frontend/pt2/needed_nodes.h"
#include "frontend/pt2/node_names.h"
#include "frontend/pt2/sym_ops.h"
#include "frontend/pt2/view_ops.h"

namespace etalon::frontend {
namespace pt2 = formats::pt2;
namespace {

constexpr int kMaxSubgraphDepth = 16;

bool is_number_output(const pt2::Argument& argument) {
  return argument.as<pt2::SymIntArg>() || argument.as<pt2::SymFloatArg>() || argument.as<pt2::SymBoolArg>();
}

const std::string* metadata(const pt2::Node& node, const std::string& key) {
  const auto found = node.metadata.find(key);
  return found == node.metadata.end() ? nullptr : &found->second;
}

ir::Origin origin_of(const pt2::Node& node, std::string_view name) {
  ir::Origin origin;
  if (const std::string* trace = metadata(node, "stack_trace")) origin.stack_trace = *trace;
  if (const std::string* modules = metadata(node, "nn_module_stack")) origin.module_stack = *modules;
  origin.source_op = std::string(name);
  origin.source_name = node.name;
  if (origin.source_name.empty()) {
    const std::vector<std::string> names = output_names(node);
    if (!names.empty()) origin.source_name = names[0];
  }
  return origin;
}

const pt2::TensorMeta* meta_of(const pt2::Graph& program, const std::string& name) {
  const auto found = program.tensor_values.find(name);
  return found == program.tensor_values.end() ? nullptr : &found->second;
}

const std::string* first_tensor_name(const pt2::Node& node) {
  if (node.inputs.empty()) return nullptr;
  const auto* tensor = node.inputs[0].arg.as<pt2::TensorArg>();
  return tensor ? &tensor->name : nullptr;
}

}  // namespace

std::vector<std::string> output_names(const pt2::Node& node) {
  std::vector<std::string> names;
  for (const pt2::Argument& output : node.outputs) {
    if (const auto* tensor = output.as<pt2::TensorArg>()) {
      names.push_back(tensor->name);
    } else if (const auto* tensors = output.as<pt2::TensorsArg>()) {
      names.insert(names.end(), tensors->names.begin(), tensors->names.end());
    } else {
      names.emplace_back();  // None and numbers keep their place
    }
  }
  return names;
}

void Translator::name_value(ir::ValueId value, const std::string& name) {
  if (graph_[value].source == ir::ValueSource::kNode && !name.empty()) graph_[value].name = name;
}

Status Translator::bind_outputs(const Program& program, const Node& node, std::string_view name,
                                const Target& target, const std::vector<ir::Arg>& args,
                                const ir::ValueIds& outs) {
  const std::vector<std::string> names = output_names(node);
  const std::string* input = first_tensor_name(node);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    if (i >= outs.size()) return invalid_input(fmt::format("output '{}' has no counterpart", names[i]));
    const bool is_view = input != nullptr &&
                         shares_memory(name, meta_of(program, *input), meta_of(program, names[i]), symbols_);
    SlotId id{};
    if (is_view) {
      ETALON_TRY(const SlotId parent, slot(*input));
      id = aliases_.add_view(parent, {std::string(name), target, args, i}, outs[i]);
    } else {
      id = aliases_.add_root(outs[i]);
      name_value(outs[i], names[i]);
    }
    names_.insert_or_assign(names[i], id);
  }
  return {};
}

Status Translator::bind_unknown(const Program& program, const Node& node) {
  for (const std::string& name : output_names(node)) {
    const pt2::TensorMeta* meta = name.empty() ? nullptr : meta_of(program, name);
    ir::TensorType type;
    if (meta != nullptr) {
      type.dtype = dtype_from_number(meta->dtype).value_or(DType::kFloat32);
      for (const pt2::SymInt& size : meta->sizes) {
        const auto pair = symbols_.evaluate(size);
        type.sizes.push_back(pair.ok() ? pair->max : 1);
        type.probe.push_back(pair.ok() ? pair->probe : 1);
      }
      type.order = contiguous_order(type.sizes.size());
    }
    if (!name.empty()) names_.insert_or_assign(name, aliases_.add_root(graph_.add_input(name, type)));
  }
  for (const pt2::Argument& output : node.outputs) {
    const auto* number = output.as<pt2::SymIntArg>();
    if (number != nullptr) names_.insert_or_assign(number->name, ir::Arg{std::int64_t{1}});
  }
  return {};
}

Status Translator::translate_in_place(const Node& node, const Target& target, std::vector<ir::Arg> args) {
  const std::string* self = first_tensor_name(node);
  if (self == nullptr) return invalid_input("an in-place operator without a tensor");
  ETALON_TRY(const SlotId id, slot(*self));
  ETALON_TRY(const ir::ValueId old, aliases_.read(id));
  ETALON_TRY(const ir::ValueIds outs, lower(builder_, target, std::move(args)));
  ir::ValueId updated = outs.at(0);
  const DType dtype = builder_.type(old).dtype;
  if (builder_.type(updated).dtype != dtype) {
    ETALON_TRY(updated, builder_.call("dim_order_ops::_to_dim_order_copy",
                                      {updated, static_cast<std::int64_t>(dtype)}));
  }
  ETALON_CHECKED(aliases_.write(id, updated));
  const std::vector<std::string> names = output_names(node);
  if (!names.empty() && !names[0].empty()) {
    names_.insert_or_assign(names[0], id);
    name_value(updated, names[0]);
  }
  return {};
}

// The tensor gets other sizes under the same name; other names of its memory keep theirs.
Status Translator::translate_in_place_view(const Node& node, const std::string& functional) {
  const Target target = find_target(functional);
  const std::string* self = first_tensor_name(node);
  if (!target || self == nullptr) return unsupported(functional);
  ETALON_TRY(const std::vector<ir::Arg> args, place_arguments(node, *target.schema));
  ETALON_TRY(const ir::ValueIds outs, lower(builder_, target, args));
  ETALON_TRY(const SlotId parent, slot(*self));
  const SlotId id = aliases_.add_view(parent, {functional, target, args, 0}, outs.at(0));
  names_.insert_or_assign(*self, id);
  const std::vector<std::string> names = output_names(node);
  if (!names.empty()) names_.insert_or_assign(names[0], id);
  return {};
}

Status Translator::translate_operator(const Program& program, const Node& node, std::string_view name) {
  const std::string functional = without_underscore(name);
  if (is_in_place_view(name)) return translate_in_place_view(node, functional);
  if (!functional.empty() && name != "aten::requires_grad_") {
    const Target target = find_target(functional);
    if (!target) return unsupported(std::string(name));
    ETALON_TRY(std::vector<ir::Arg> args, place_arguments(node, *target.schema));
    return translate_in_place(node, target, std::move(args));
  }
  const Target target = find_target(name);
  if (!target) return unsupported(std::string(name));
  ETALON_TRY(const std::vector<ir::Arg> args, place_arguments(node, *target.schema));
  ETALON_TRY(const ir::ValueIds outs, lower(builder_, target, args));
  return bind_outputs(program, node, name, target, args, outs);
}

Status Translator::translate_number(const Program& program, const Node& node) {
  const auto& output = node.outputs[0];
  const auto* integer = output.as<pt2::SymIntArg>();
  std::string name = integer ? integer->name : std::string();
  if (const auto* number = output.as<pt2::SymFloatArg>()) name = number->name;
  if (const auto* flag = output.as<pt2::SymBoolArg>()) name = flag->name;
  if (name.empty()) return {};
  if (integer != nullptr) {
    const auto known = program.sym_int_values.find(name);
    if (known != program.sym_int_values.end() && !known->second.is_symbolic()) {
      names_.insert_or_assign(name, ir::Arg{known->second.value});
      return {};
    }
  }
  std::vector<ir::Arg> args;
  for (const pt2::NamedArgument& input : node.inputs) {
    ETALON_TRY(ir::Arg arg, argument(input.arg));
    args.push_back(std::move(arg));
  }
  ETALON_TRY(ir::Arg value, compute_number(builder_, functional_name(node.target), std::move(args)));
  // The bounds of a number that tensors' contents decide are known from the export only.
  if (const auto* id = std::get_if<ir::ValueId>(&value); id != nullptr && integer != nullptr) {
    auto& type = std::get<ir::NumberType>(graph_[*id].type);
    const auto known = program.sym_int_values.find(name);
    if (type.max == 0 && type.probe == 0 && known != program.sym_int_values.end()) {
      ETALON_TRY(const SizePair pair, symbols_.evaluate(known->second));
      type.max = static_cast<double>(pair.max);
      type.probe = static_cast<double>(pair.probe);
    }
    name_value(*id, name);
  }
  names_.insert_or_assign(name, std::move(value));
  return {};
}

Status Translator::inline_subgraph(const Node& node) {
  std::size_t at = 0;
  while (at < node.inputs.size() && !node.inputs[at].arg.as<pt2::GraphArg>()) ++at;
  if (at == node.inputs.size() || depth_ >= kMaxSubgraphDepth)
    return unsupported(functional_name(node.target));
  const pt2::Graph& body = node.inputs[at].arg.as<pt2::GraphArg>()->graph.at(0);
  Names inner;
  for (std::size_t i = 0; i < body.inputs.size() && at + 1 + i < node.inputs.size(); ++i) {
    const pt2::Argument& outer = node.inputs[at + 1 + i].arg;
    if (const auto* tensor = body.inputs[i].as<pt2::TensorArg>()) {
      const auto* given = outer.as<pt2::TensorArg>();
      if (given == nullptr) return unsupported("a subgraph whose input is not a tensor");
      ETALON_TRY(const SlotId id, slot(given->name));
      inner.insert_or_assign(tensor->name, id);
    } else if (const auto* number = body.inputs[i].as<pt2::SymIntArg>()) {
      ETALON_TRY(const ir::Arg value, argument(outer));
      inner.insert_or_assign(number->name, value);
    }
  }
  std::swap(names_, inner);
  ++depth_;
  Status status = translate(body);
  --depth_;
  std::swap(names_, inner);
  ETALON_CHECKED(std::move(status));
  std::vector<std::string> results;
  for (const pt2::Argument& output : body.outputs) {
    const auto* tensor = output.as<pt2::TensorArg>();
    results.push_back(tensor ? tensor->name : std::string());
  }
  const std::vector<std::string> outer = output_names(node);
  for (std::size_t i = 0; i < outer.size() && i < results.size(); ++i) {
    const auto found = inner.find(results[i]);
    if (!outer[i].empty() && found != inner.end()) names_.insert_or_assign(outer[i], found->second);
  }
  return {};
}

Status Translator::translate_node(const Program& program, const Node& node) {
  const std::string name = functional_name(node.target);
  if (is_check(name)) return {};
  builder_.set_origin(origin_of(node, name));
  if (name == "higher_order::wrap_with_set_grad_enabled") return inline_subgraph(node);
  if (name == "higher_order::wrap_with_autocast") {
    const auto* enabled = node.inputs.size() > 2 ? node.inputs[2].arg.as<pt2::BoolArg>() : nullptr;
    if (enabled != nullptr && enabled->value) return unsupported(name + " (automatic mixed precision)");
    return inline_subgraph(node);
  }
  if (!node.outputs.empty() && is_number_output(node.outputs[0])) return translate_number(program, node);
  return translate_operator(program, node, name);
}

Status Translator::translate(const Program& program) {
  const std::vector<bool> needed = needed_nodes(program);
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    if (!needed[i]) continue;
    const Node& node = program.nodes[i];
    Status status = translate_node(program, node);
    if (status.ok()) continue;
    if (status.error().code() != ErrorCode::kUnsupported) {
      return status.take_error().with_context(
          fmt::format("node '{}' ({})", node.name, functional_name(node.target)));
    }
    const std::string* trace = metadata(node, "stack_trace");
    unsupported_.add(status.error().message(), trace ? *trace : std::string_view{});
    ETALON_CHECKED(bind_unknown(program, node));
  }
  return {};
}

}  // namespace etalon::frontend
