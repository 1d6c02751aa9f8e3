#include "emit/program.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "ir/builder.h"

namespace etalon::emit {
namespace {

namespace pte = formats::pte;
using ir::ValueId;

std::vector<std::int32_t> to_int32(const Dims& dims) {
  std::vector<std::int32_t> out;
  for (const std::int64_t size : dims) out.push_back(static_cast<std::int32_t>(size));
  return out;
}

// Constants of all methods, shared between them by the value's bytes (the writer compares contents).
class ConstantPool {
 public:
  explicit ConstantPool(pte::ProgramToWrite& program) : program_(program) {}

  std::uint32_t add_constant(Bytes bytes) { return add(program_.constants, constants_, bytes); }
  std::uint32_t add_state(Bytes bytes) {
    // Two states with equal first contents are still two states.
    program_.mutable_data.push_back(pte::Blob::borrow(bytes));
    return static_cast<std::uint32_t>(program_.mutable_data.size() - 1);
  }

  // Payloads and what they find by key; equal keys are equal bytes.
  std::uint32_t add_payload(const ir::Delegate& delegate) {
    for (const ir::NamedData& named : delegate.named_data) {
      if (!keys_.insert(named.key).second) continue;
      program_.named_data.push_back({named.key, pte::Blob::borrow(named.data.bytes()), kNamedDataAlignment});
    }
    program_.delegate_payloads.push_back(pte::Blob::borrow(delegate.payload));
    return static_cast<std::uint32_t>(program_.delegate_payloads.size() - 1);
  }

 private:
  static constexpr std::uint32_t kNamedDataAlignment = 16;
  using Seen = std::map<std::pair<const std::byte*, std::size_t>, std::uint32_t>;
  static std::uint32_t add(std::vector<pte::Blob>& blobs, Seen& seen, Bytes bytes) {
    const auto [found, is_new] = seen.emplace(std::pair(bytes.data(), bytes.size()), static_cast<std::uint32_t>(blobs.size()));
    if (is_new) blobs.push_back(pte::Blob::borrow(bytes));
    return found->second;
  }

  pte::ProgramToWrite& program_;
  Seen constants_;
  std::set<std::string> keys_;
};

class MethodEmitter {
 public:
  MethodEmitter(const ir::Graph& graph, const StorageOptions& options, ConstantPool& constants)
      : graph_(graph), constants_(constants), map_(map_storage(graph, options)), value_of_(graph.values.size(), -1) {}

  Result<pte::ExecutionPlan> run(MethodReport& report) {
    report.method = plan_.name = graph_.method;
    report.memory = plan_memory(map_.storages);
    report.in_place = map_.in_place_count;
    plan_.encoded_inputs = graph_.in_spec;
    plan_.encoded_outputs = graph_.out_spec;
    plan_.planned_buffer_sizes = {0};
    if (report.memory.planned_bytes > 0) plan_.planned_buffer_sizes.push_back(static_cast<std::int64_t>(report.memory.planned_bytes));
    plan_.chains.resize(1);
    for (const ir::Input& input : graph_.inputs) {
      ETALON_TRY(const std::int32_t index, value(input.value));
      plan_.inputs.push_back(index);
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (map_.elided[n]) {
        ++report.elided_views;
        continue;
      }
      const ir::Node& node = graph_.nodes[n];
      ETALON_CHECKED(map_.runtime_view[n] ? emit_runtime_view(node) : emit_node(node), node.op->functional_name);
      report.node_of_instruction.push_back(static_cast<std::uint32_t>(n));
    }
    ETALON_CHECKED(emit_outputs(report));
    return std::move(plan_);
  }

 private:
  std::int32_t push(pte::EValue value) {
    plan_.values.push_back(std::move(value));
    return static_cast<std::int32_t>(plan_.values.size() - 1);
  }

  // The program value of a graph value, made on first use.
  Result<std::int32_t> value(ValueId id) {
    std::int32_t& index = value_of_[index_of(id)];
    if (index >= 0) return index;
    const ir::Value& source = graph_[id];
    if (source.is_tensor()) {
      ETALON_TRY(pte::Tensor tensor, tensor_value(id), source.name);
      index = push(std::move(tensor));
    } else {
      switch (source.number().kind) {
        case ir::NumberType::Kind::kInt: index = push(pte::Int{static_cast<std::int64_t>(source.number().max)}); break;
        case ir::NumberType::Kind::kFloat: index = push(pte::Double{source.number().max}); break;
        case ir::NumberType::Kind::kBool: index = push(pte::Bool{source.number().max != 0}); break;
      }
    }
    return index;
  }

  Result<pte::Tensor> tensor_value(ValueId id) {
    const ir::TensorType& type = graph_[id].tensor();
    for (const std::int64_t size : type.sizes) {
      if (size > std::numeric_limits<std::int32_t>::max()) {
        return resource_error(fmt::format("size {} is over the format's limit of 2^31 - 1", size));
      }
    }
    pte::Tensor tensor;
    tensor.dtype = static_cast<std::int8_t>(type.dtype);
    tensor.sizes = to_int32(type.sizes);
    tensor.dim_order.assign(type.order.begin(), type.order.end());
    tensor.dynamism = type.is_dynamic() ? pte::ShapeDynamism::kDynamicBound : pte::ShapeDynamism::kStatic;
    const ValuePlace& place = map_.places[index_of(id)];
    if (place.kind == ValuePlace::Kind::kConstant) {
      tensor.data_buffer_idx = constants_.add_constant(graph_.constants[place.index].data.bytes());
      return tensor;
    }
    tensor.allocation = pte::Allocation{1, map_.storages[place.index].offset};
    const ir::Constant* constant = graph_.constant_of(id);
    if (constant && constant->is_state) {
      tensor.data_buffer_idx = constants_.add_state(constant->data.bytes());
      tensor.extra = pte::ExtraTensorInfo{};
      tensor.extra->fully_qualified_name = constant->name;
    }
    return tensor;
  }

  std::int32_t int_value(std::int64_t v) {
    const auto [found, is_new] = ints_.emplace(v, 0);
    if (is_new) found->second = push(pte::Int{v});
    return found->second;
  }
  std::int32_t null_value() {
    if (null_ < 0) null_ = push(pte::Null{});
    return null_;
  }

  // A literal, in the kind the schema wants.
  std::int32_t number_value(const ops::SchemaArg& schema, std::int64_t v) {
    if (schema.type == ops::ArgType::kFloat) return push(pte::Double{static_cast<double>(v)});
    if (schema.type == ops::ArgType::kBool) return push(pte::Bool{v != 0});
    return int_value(v);
  }

  Result<std::int32_t> argument(const ops::SchemaArg& schema, const ir::Arg& arg) {
    if (std::holds_alternative<std::monostate>(arg)) return null_value();
    if (const auto* v = std::get_if<ValueId>(&arg)) return *v == ir::kNoValue ? Result<std::int32_t>(null_value()) : value(*v);
    if (const auto* v = std::get_if<bool>(&arg)) {
      return schema.type == ops::ArgType::kInt ? int_value(*v ? 1 : 0) : push(pte::Bool{*v});
    }
    if (const auto* v = std::get_if<std::int64_t>(&arg)) return number_value(schema, *v);
    if (const auto* v = std::get_if<double>(&arg)) return push(pte::Double{*v});
    if (const auto* v = std::get_if<std::string>(&arg)) return push(pte::String{*v});
    if (const auto* v = std::get_if<ir::IntItems>(&arg)) return int_list(*v);
    if (const auto* v = std::get_if<std::vector<double>>(&arg)) return push(pte::DoubleList{*v});
    if (const auto* v = std::get_if<std::vector<bool>>(&arg)) return push(pte::BoolList{{v->begin(), v->end()}});
    return tensor_list(std::get<ir::ValueIds>(arg), schema.type == ops::ArgType::kOptionalTensorList);
  }

  Result<std::int32_t> int_list(const ir::IntItems& items) {
    pte::IntList list;
    for (const ir::IntItem& item : items) {
      std::int64_t index = 0;
      if (item.symbol == ir::kNoValue) {
        index = int_value(item.value);
      } else {
        ETALON_TRY(index, value(item.symbol));
      }
      list.items.push_back(index);
    }
    return push(std::move(list));
  }

  Result<std::int32_t> tensor_list(const ir::ValueIds& ids, bool optional_items) {
    std::vector<std::int32_t> items;
    for (const ValueId id : ids) {
      if (id == ir::kNoValue) {
        items.push_back(-1);
        continue;
      }
      ETALON_TRY(const std::int32_t index, value(id));
      items.push_back(index);
    }
    if (optional_items) return push(pte::OptionalTensorList{std::move(items)});
    return push(pte::TensorList{std::move(items)});
  }

  std::int32_t operator_index(std::string_view out_name) {
    const auto [found, is_new] = operators_.emplace(std::string(out_name), static_cast<std::int32_t>(plan_.operators.size()));
    if (is_new) {
      const std::size_t dot = out_name.find('.');
      plan_.operators.push_back({std::string(out_name.substr(0, dot)),
                                 dot == std::string_view::npos ? std::string() : std::string(out_name.substr(dot + 1))});
    }
    return found->second;
  }

  void call(std::string_view out_name, std::vector<std::int32_t> args) {
    plan_.chains[0].instructions.emplace_back(pte::KernelCall{operator_index(out_name), std::move(args)});
  }

  // Inputs, then outputs.
  Status emit_delegate_call(const ir::Node& node) {
    const ir::Delegate* delegate = ir::delegate_of(graph_, node.args);
    if (delegate == nullptr) return internal_error("the call names no delegate");
    std::vector<std::int32_t> args;
    for (const ValueId id : std::get<ir::ValueIds>(node.args[1])) {
      ETALON_TRY(const std::int32_t index, value(id));
      args.push_back(index);
    }
    for (const ValueId id : node.outs) {
      ETALON_TRY(const std::int32_t index, value(id));
      args.push_back(index);
    }
    plan_.chains[0].instructions.emplace_back(pte::DelegateCall{static_cast<std::int32_t>(plan_.delegates.size()), std::move(args)});
    pte::Delegate made;
    made.id = delegate->backend;
    made.index = constants_.add_payload(*delegate);
    plan_.delegates.push_back(std::move(made));
    return {};
  }

  Status emit_node(const ir::Node& node) {
    if (ir::is_delegate_call(*node.op)) return emit_delegate_call(node);
    if (node.op->out_name.empty()) return unsupported("the operator has no out form that programs can call");
    std::vector<std::int32_t> args;
    for (const int position : node.op->out_args) {
      const auto at = static_cast<std::size_t>(position);
      ETALON_TRY(const std::int32_t index, argument(node.op->schema.args[at], node.args[at]), node.op->schema.args[at].name);
      args.push_back(index);
    }
    ETALON_CHECKED(append_outputs(node, args));
    call(node.op->out_name, std::move(args));
    return {};
  }

  // The outputs in their schema places, then the returned value again (formats.md 1.5). Prims return without repeating.
  Status append_outputs(const ir::Node& node, std::vector<std::int32_t>& args) {
    std::vector<std::int32_t> outs;
    for (const ValueId out : node.outs) {
      ETALON_TRY(const std::int32_t index, value(out));
      outs.push_back(index);
    }
    const bool returns_list = node.op->schema.returns[0] == ops::ArgType::kTensorList;
    if (node.op->has(ops::kMutatesSelf)) {
      args.push_back(args[0]);
    } else if (node.op->has(ops::kPrim)) {
      args.insert(args.end(), outs.begin(), outs.end());
    } else if (returns_list) {
      const std::int32_t list = push(pte::TensorList{outs});
      args.insert(args.end(), {list, list});
    } else {
      args.insert(args.end(), outs.begin(), outs.end());
      args.push_back(outs.size() == 1 ? outs[0] : push(pte::TensorList{outs}));
    }
    return {};
  }

  Status emit_runtime_view(const ir::Node& node) {
    ETALON_TRY(const std::int32_t self, value(std::get<ValueId>(node.args[0])));
    ETALON_TRY(const std::int32_t sizes, int_list(std::get<ir::IntItems>(node.args[1])));
    ETALON_TRY(const std::int32_t out, value(node.outs[0]));
    call("executorch_prim::et_view.default", {self, sizes, out});
    return {};
  }

  Status emit_outputs(MethodReport& report) {
    for (const ir::Output& output : graph_.outputs) {
      const auto* id = std::get_if<ValueId>(&output.value);
      if (output.kind == ir::Output::Kind::kStateUpdate) {
        ETALON_CHECKED(emit_state_update(output, *id));
        report.node_of_instruction.push_back(kNoNode);
        continue;
      }
      if (id != nullptr) {
        ETALON_TRY(const std::int32_t index, value(*id));
        plan_.outputs.push_back(index);
        continue;
      }
      ops::SchemaArg any_number;
      any_number.type = ops::ArgType::kScalar;
      ETALON_TRY(const std::int32_t index, argument(any_number, output.value));
      plan_.outputs.push_back(index);
    }
    return {};
  }

  Status emit_state_update(const ir::Output& output, ValueId source) {
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const ir::Value& state = graph_.values[i];
      if (state.source != ir::ValueSource::kConstant || state.source_index != index_of(output.state)) continue;
      ETALON_TRY(const std::int32_t self, value(ValueId(i)));
      ETALON_TRY(const std::int32_t from, value(source));
      call("aten::copy_", {self, from, push(pte::Bool{false}), self});
      return {};
    }
    return internal_error("a state update names no state");
  }

  const ir::Graph& graph_;
  ConstantPool& constants_;
  StorageMap map_;
  std::vector<std::int32_t> value_of_;
  pte::ExecutionPlan plan_;
  std::map<std::int64_t, std::int32_t> ints_;
  std::map<std::string, std::int32_t> operators_;
  std::int32_t null_ = -1;
};

bool is_state(const ir::Graph& graph, ValueId id) {
  const ir::Constant* constant = graph.constant_of(id);
  return constant != nullptr && constant->is_state;
}

// What looks at a state through views is overwritten by the copies at the end; outputs get their own tensor first.
bool looks_at_state(const ir::Graph& graph, ValueId id) {
  while (graph[id].source == ir::ValueSource::kNode) {
    const ir::Node& node = graph.nodes[graph[id].source_index];
    if (!node.op->has(ops::kSameElements) || !std::holds_alternative<ValueId>(node.args[0])) return false;
    id = std::get<ValueId>(node.args[0]);
  }
  return is_state(graph, id);
}

Status separate_outputs_from_state(ir::Graph& graph) {
  ir::Builder builder(graph);
  for (ir::Output& output : graph.outputs) {
    const auto* id = std::get_if<ValueId>(&output.value);
    if (id == nullptr || *id == ir::kNoValue || !looks_at_state(graph, *id)) continue;
    ETALON_TRY(const ValueId copy, builder.call("aten::clone", {*id}));
    output.value = copy;
  }
  return {};
}

}  // namespace

Result<Emitted> emit_program(std::span<ir::Graph> graphs, const StorageOptions& options) {
  Emitted emitted;
  ConstantPool constants(emitted.program);
  for (ir::Graph& graph : graphs) {
    ETALON_CHECKED(separate_outputs_from_state(graph));
    MethodReport report;
    ETALON_TRY(pte::ExecutionPlan plan, MethodEmitter(graph, options, constants).run(report), "method " + graph.method);
    emitted.program.plans.push_back(std::move(plan));
    emitted.methods.push_back(std::move(report));
  }
  std::ranges::sort(emitted.program.plans, {}, &pte::ExecutionPlan::name);
  return emitted;
}

}  // namespace etalon::emit
