#include "ir/frame.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "ops/data_dependent.h"

namespace etalon::ir {
namespace {

std::int64_t number_at(const NumberType& type, Assignment assignment) {
  return static_cast<std::int64_t>(assignment == Assignment::kMax ? type.max : type.probe);
}

bool returns_numbers(const ops::Op& op) {
  if (op.schema.returns.empty()) return false;
  switch (op.schema.returns[0]) {
    case ops::ArgType::kInt:
    case ops::ArgType::kFloat:
    case ops::ArgType::kBool:
    case ops::ArgType::kScalar: return true;
    default: return false;
  }
}

// Collects what infer reports.
class TypeCollector : public ops::OutShapes {
 public:
  struct Item {
    DType dtype = DType::kFloat32;
    Dims sizes;
    DimOrder order;
  };

  Status set(std::size_t index, DType dtype, const Dims& sizes, const DimOrder* order) override {
    return store(index, dtype, sizes, order ? *order : contiguous_order(sizes.size()));
  }
  Status set_list(std::size_t, std::size_t count) override {
    if (count > kMaxItems) return resource_error(fmt::format("operator gives {} tensors, the limit is {}", count, kMaxItems));
    items.resize(count);
    return {};
  }
  Status set_item(std::size_t, std::size_t item, DType dtype, const Dims& sizes) override {
    return store(item, dtype, sizes, contiguous_order(sizes.size()));
  }

  std::vector<Item> items;

 private:
  static constexpr std::size_t kMaxItems = 1u << 16;

  Status store(std::size_t index, DType dtype, const Dims& sizes, const DimOrder& order) {
    ETALON_TRY(const Dims valid, make_dims(sizes.span()));
    if (items.size() <= index) items.resize(index + 1);
    items[index] = {dtype, valid, order};
    return {};
  }
};

Result<std::vector<TypeCollector::Item>> infer_once(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args,
                                                    Assignment assignment) {
  const Frame frame(graph, op, args, assignment);
  ETALON_CHECKED(frame.check(), op.functional_name);
  TypeCollector collector;
  ETALON_CHECKED(op.def->infer(frame.call(), collector), op.functional_name);
  return std::move(collector.items);
}

Result<double> compute_number(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args, Assignment assignment,
                              NumberType::Kind& kind) {
  Frame frame(graph, op, args, assignment);
  ETALON_CHECKED(frame.check(), op.functional_name);
  frame.add_number_out();
  frame.finish_outs();
  ETALON_CHECKED(op.def->kernel(frame.call()), op.functional_name);
  const ops::Value& value = frame.out_value(0);
  switch (value.tag()) {
    case ops::Value::Tag::kDouble: kind = NumberType::Kind::kFloat; return value.as_double();
    case ops::Value::Tag::kBool: kind = NumberType::Kind::kBool; return value.as_bool() ? 1.0 : 0.0;
    default: kind = NumberType::Kind::kInt; return static_cast<double>(value.as_int());
  }
}

Result<std::vector<Type>> infer_number(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args) {
  NumberType type;
  if (op.functional_name == "aten::_local_scalar_dense") {
    // A tensor's contents are unknown here; only its category is.
    const Frame frame(graph, op, args, Assignment::kMax);
    ETALON_CHECKED(frame.check(), op.functional_name);
    const DTypeCategory category = category_of(frame.call().tensor(0).dtype());
    type.kind = category == DTypeCategory::kFloating ? NumberType::Kind::kFloat
                : category == DTypeCategory::kBool   ? NumberType::Kind::kBool
                                                     : NumberType::Kind::kInt;
    return std::vector<Type>{type};
  }
  ETALON_TRY(type.max, compute_number(graph, op, args, Assignment::kMax, type.kind));
  ETALON_TRY(type.probe, compute_number(graph, op, args, Assignment::kProbe, type.kind));
  return std::vector<Type>{type};
}

}  // namespace

Frame::Frame(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args, Assignment assignment)
    : graph_(graph), op_(op), assignment_(assignment) {
  args_.reserve(args.size());
  for (const Arg& arg : args) args_.push_back(convert(arg));
  for (const ops::Value& value : args_) arg_pointers_.push_back(&value);
}

TensorView* Frame::tensor_of(ValueId id) {
  const Value& value = graph_[id];
  const TensorType& type = value.tensor();
  const Constant* constant = graph_.constant_of(id);
  // Kernels take inputs as const TensorView&, so the constant's bytes are never written.
  // State changes from call to call, so shapes must not be inferred from its first contents.
  void* data = constant && !constant->is_state ? const_cast<std::byte*>(constant->data.bytes().data()) : nullptr;
  if (data == nullptr && type.nbytes() != 0) all_have_data_ = false;
  tensors_.emplace_back(type.dtype, assignment_ == Assignment::kMax ? type.sizes : type.probe, type.order, data);
  return &tensors_.back();
}

ops::Value Frame::number_of(ValueId id) const {
  const NumberType& type = graph_[id].number();
  const double at = assignment_ == Assignment::kMax ? type.max : type.probe;
  switch (type.kind) {
    case NumberType::Kind::kFloat: return ops::Value::of_double(at);
    case NumberType::Kind::kBool: return ops::Value::of_bool(at != 0);
    case NumberType::Kind::kInt: return ops::Value::of_int(static_cast<std::int64_t>(at));
  }
  return {};
}

ops::Value Frame::convert_int_items(const IntItems& items) {
  std::vector<std::int64_t>& list = int_lists_.emplace_back();
  for (const IntItem& item : items) {
    list.push_back(item.symbol == kNoValue ? item.value : number_at(graph_[item.symbol].number(), assignment_));
  }
  return ops::Value::of_ints(list);
}

ops::Value Frame::convert(const Arg& arg) {
  if (const auto* v = std::get_if<bool>(&arg)) return ops::Value::of_bool(*v);
  if (const auto* v = std::get_if<std::int64_t>(&arg)) return ops::Value::of_int(*v);
  if (const auto* v = std::get_if<double>(&arg)) return ops::Value::of_double(*v);
  if (const auto* v = std::get_if<std::string>(&arg)) return ops::Value::of_string(*v);
  if (const auto* v = std::get_if<IntItems>(&arg)) return convert_int_items(*v);
  if (const auto* v = std::get_if<std::vector<double>>(&arg)) return ops::Value::of_doubles(*v);
  if (const auto* v = std::get_if<std::vector<bool>>(&arg)) {
    static_assert(sizeof(bool) == sizeof(char));
    std::vector<char>& list = bool_lists_.emplace_back(v->begin(), v->end());
    return ops::Value::of_bools({reinterpret_cast<const bool*>(list.data()), list.size()});
  }
  if (const auto* v = std::get_if<ValueId>(&arg)) {
    if (*v == kNoValue) return {};
    if (!graph_[*v].is_tensor()) return number_of(*v);
    return ops::Value::of_tensor(tensor_of(*v));
  }
  if (const auto* v = std::get_if<ValueIds>(&arg)) {
    std::vector<TensorView*>& list = tensor_lists_.emplace_back();
    for (const ValueId id : *v) list.push_back(id == kNoValue ? nullptr : tensor_of(id));
    return ops::Value::of_tensors(list);
  }
  return {};
}

Status Frame::check() const {
  if (args_.size() != op_.schema.args.size()) {
    return internal_error(fmt::format("has {} arguments, the schema wants {}", args_.size(), op_.schema.args.size()));
  }
  for (std::size_t i = 0; i < args_.size(); ++i) {
    ETALON_CHECKED(ops::check_arg(op_.schema.args[i], args_[i]));
  }
  return {};
}

void Frame::add_out(TensorView view) {
  tensors_.push_back(std::move(view));
  out_tensors_.push_back(&tensors_.back());
}

void Frame::add_number_out() { outs_.emplace_back(); }

void Frame::finish_outs() {
  if (!op_.schema.returns.empty() && op_.schema.returns[0] == ops::ArgType::kTensorList) {
    outs_.push_back(ops::Value::of_tensors(out_tensors_));
  } else {
    for (TensorView* tensor : out_tensors_) outs_.push_back(ops::Value::of_tensor(tensor));
  }
  for (ops::Value& value : outs_) out_pointers_.push_back(&value);
}

namespace {

// The work inside, and what crosses the border.
NodeCost delegate_cost(const Graph& graph, const Node& node) {
  NodeCost out;
  const auto bytes_of = [&](ValueId id) { return graph[id].is_tensor() ? graph[id].tensor().nbytes() : 0; };
  for (const Arg& arg : node.args) for_each_value(arg, [&](ValueId id) { out.read_bytes += bytes_of(id); });
  for (const ValueId id : node.outs) out.written_bytes += bytes_of(id);
  if (const Delegate* delegate = delegate_of(graph, node.args)) {
    for (const Node& inner : delegate->lowered.nodes) out.flops += cost_of(delegate->lowered, inner).flops;
    for (const Constant& constant : delegate->lowered.constants) out.read_bytes += constant.type.nbytes();
  }
  return out;
}

// Runs what the payload was made from, node by node, each result becoming a constant.
Result<std::vector<Constant>> evaluate_delegate(const Graph& graph, const Node& node) {
  const Delegate* delegate = delegate_of(graph, node.args);
  if (delegate == nullptr || delegate->lowered.nodes.empty()) return unsupported("the delegate keeps no graph to evaluate");
  Graph inner = delegate->lowered;
  const auto set = [&](ValueId id, Constant constant) {
    inner[id].source = ValueSource::kConstant;
    inner[id].source_index = static_cast<std::uint32_t>(inner.constants.size());
    inner.constants.push_back(std::move(constant));
  };
  const ValueIds& inputs = std::get<ValueIds>(node.args[1]);
  if (inputs.size() != inner.inputs.size()) return internal_error("a delegate call has another number of inputs than its graph");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Constant* constant = graph.constant_of(inputs[i]);
    if (constant == nullptr || constant->is_state) return invalid_input("executorch_call_delegate: an argument is not known at export");
    set(inner.inputs[i].value, *constant);
  }
  for (const Node& step : inner.nodes) {
    ETALON_TRY(std::vector<Constant> results, evaluate(inner, step));
    for (std::size_t i = 0; i < results.size(); ++i) set(step.outs[i], std::move(results[i]));
  }
  std::vector<Constant> outs;
  for (const Output& output : inner.outputs) outs.push_back(*inner.constant_of(std::get<ValueId>(output.value)));
  return outs;
}

}  // namespace

Result<std::vector<Type>> infer_types(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args) {
  if (is_delegate_call(op)) {
    const Delegate* delegate = delegate_of(graph, args);
    if (delegate == nullptr) return internal_error("a delegate call names no delegate of the graph");
    return delegate->out_types;
  }
  if (returns_numbers(op)) return infer_number(graph, op, args);
  ETALON_TRY(const auto at_max, infer_once(graph, op, args, Assignment::kMax));
  ETALON_TRY(const auto at_probe, infer_once(graph, op, args, Assignment::kProbe));
  if (at_max.size() != at_probe.size()) return unsupported(op.functional_name + ": the number of outputs depends on a dynamic size");
  const auto open_dim = ops::data_dependent_dim(op, Frame(graph, op, args, Assignment::kMax).call());
  std::vector<Type> types;
  for (std::size_t i = 0; i < at_max.size(); ++i) {
    Dims probe = at_probe[i].sizes;
    if (probe.size() != at_max[i].sizes.size()) return unsupported(op.functional_name + ": the rank depends on a dynamic size");
    // Data-dependent shapes are dynamic although both assignments agree on the bound.
    if (open_dim && *open_dim < probe.size() && probe == at_max[i].sizes) probe[*open_dim] = std::max<std::int64_t>(probe[*open_dim] - 1, 0);
    types.push_back(TensorType{at_max[i].dtype, at_max[i].sizes, probe, at_max[i].order});
  }
  return types;
}

NodeCost cost_of(const Graph& graph, const Node& node) {
  if (is_delegate_call(*node.op)) return delegate_cost(graph, node);
  Frame frame(graph, *node.op, node.args, Assignment::kMax);
  for (const ValueId out : node.outs) {
    const Value& value = graph[out];
    if (!value.is_tensor()) return {};
    frame.add_out(TensorView(value.tensor().dtype, value.tensor().sizes, value.tensor().order, nullptr));
  }
  frame.finish_outs();
  const ops::Call call = frame.call();
  const ops::Traffic traffic = ops::traffic_of(call);
  return {node.op->def->flops ? node.op->def->flops(call) : 0, traffic.read_bytes, traffic.written_bytes};
}

Result<std::vector<Constant>> evaluate(const Graph& graph, const Node& node) {
  if (is_delegate_call(*node.op)) return evaluate_delegate(graph, node);
  Frame frame(graph, *node.op, node.args, Assignment::kMax);
  ETALON_CHECKED(frame.check(), node.op->functional_name);
  if (!frame.all_tensors_have_data()) return invalid_input(node.op->functional_name + ": an argument is not known at export");
  std::vector<Constant> results;
  std::vector<std::vector<std::byte>> buffers;
  for (const ValueId out : node.outs) {
    const TensorType& type = graph[out].tensor();
    buffers.emplace_back(static_cast<std::size_t>(type.nbytes()));
    frame.add_out(TensorView(type.dtype, type.sizes, type.order, buffers.back().data()));
  }
  frame.finish_outs();
  const std::size_t scratch_bytes = node.op->def->scratch ? node.op->def->scratch(frame.call()) : 0;
  constexpr std::size_t kAlignment = 64;
  std::vector<std::byte> scratch(scratch_bytes + kAlignment);
  void* aligned = scratch.data();
  std::size_t space = scratch.size();
  std::align(kAlignment, scratch_bytes, aligned, space);
  ETALON_CHECKED(node.op->def->kernel(frame.call({static_cast<std::byte*>(aligned), scratch_bytes})), node.op->functional_name);
  for (std::size_t i = 0; i < node.outs.size(); ++i) {
    const Value& value = graph[node.outs[i]];
    results.push_back({value.name, value.tensor(), Data::owned(std::move(buffers[i])), false, false});
  }
  return results;
}

}  // namespace etalon::ir
