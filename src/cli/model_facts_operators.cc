#include "cli/model_facts_operators.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace etalon::cli {
namespace {

namespace pte = formats::pte;
using ops::ArgType;
using Tag = ops::Value::Tag;

// So that products of two element counts fit into 64 bits, whatever a file claims.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;

// Operators that read as many elements as they write of their first argument, however large it is.
constexpr std::array<std::string_view, 12> kReadWhatTheyWrite = {
    "aten::embedding.out",      "aten::index_select.out",      "aten::gather.out",
    "aten::slice_copy.Tensor_out", "aten::select_copy.int_out", "aten::index.Tensor_out",
    "aten::narrow_copy.out",    "aten::diagonal_copy.out",     "aten::unfold_copy.out",
    "quantized_decomposed::embedding_byte.out", "quantized_decomposed::embedding_4bit.out",
    "quantized_decomposed::embedding_2bit.out"};

// The call in functional positions, as runtime binds it: what the out form keeps, then outputs, then the result again.
struct Binding {
  const ops::Op* op = nullptr;
  std::vector<std::int32_t> args;  // -1: dropped by the out form
  std::vector<std::int32_t> outs;
};

std::optional<Binding> bound_call(const pte::KernelCall& call, const std::string& name) {
  Binding out;
  out.op = ops::find_out_op(name);
  if (out.op == nullptr) return std::nullopt;
  const bool in_place = out.op->has(ops::kMutatesSelf);
  const bool prim = out.op->has(ops::kPrim);
  const std::size_t kept = out.op->out_args.size();
  const std::size_t outs = in_place ? 0 : out.op->schema.returns.size();
  const std::size_t wanted = kept + outs + (prim ? 0 : 1);
  if (call.args.size() != wanted && !(prim && call.args.size() == wanted + 1)) return std::nullopt;
  out.args.assign(out.op->schema.args.size(), -1);
  for (std::size_t i = 0; i < kept; ++i) out.args[static_cast<std::size_t>(out.op->out_args[i])] = call.args[i];
  for (std::size_t i = 0; i < outs; ++i) out.outs.push_back(call.args[kept + i]);
  if (in_place && kept > 0) out.outs.push_back(call.args[0]);
  return out;
}

bool is_number(const ModelValues& values, std::int32_t value) {
  const pte::EValue& stored = values.plan().values[static_cast<std::size_t>(value)];
  return std::holds_alternative<pte::Int>(stored) || std::holds_alternative<pte::Bool>(stored) ||
         std::holds_alternative<pte::Double>(stored);
}

void add_reads(const ModelValues& values, std::int32_t value, CallValues& roles) {
  for (const std::int32_t tensor : values.tensors_of(value)) roles.reads.push_back(tensor);
  if (is_number(values, value)) roles.numbers_read.push_back(value);
  const auto* list = std::get_if<pte::IntList>(&values.plan().values[static_cast<std::size_t>(value)]);
  if (list == nullptr) return;
  for (const std::int64_t item : list->items) roles.numbers_read.push_back(static_cast<std::int32_t>(item));
}

void add_writes(const ModelValues& values, std::int32_t value, CallValues& roles) {
  for (const std::int32_t tensor : values.tensors_of(value)) roles.writes.push_back(tensor);
  if (is_number(values, value)) roles.numbers_written.push_back(value);
}

CallValues roles_of(const pte::KernelCall& call, const std::optional<Binding>& bound, const ModelValues& values) {
  CallValues roles;
  if (bound) {
    for (const std::int32_t arg : bound->args) {
      if (arg >= 0) add_reads(values, arg, roles);
    }
    for (const std::int32_t out : bound->outs) add_writes(values, out, roles);
    return roles;
  }
  if (call.args.empty()) return roles;
  const std::int32_t result = call.args.back();
  for (const std::int32_t arg : call.args) {
    if (arg != result) add_reads(values, arg, roles);
  }
  add_writes(values, result, roles);
  return roles;
}

// ---- what the operator definition knows ----

// Accepts any shape; operators prove that their arguments fit while they report.
class Proof final : public ops::OutShapes {
 public:
  Status set(std::size_t, DType, const Dims& sizes, const DimOrder*) override { return check(sizes); }
  Status set_list(std::size_t, std::size_t) override { return {}; }
  Status set_item(std::size_t, std::size_t, DType, const Dims& sizes) override { return check(sizes); }

 private:
  static Status check(const Dims& sizes) {
    if (make_dims(sizes.span()).ok() && numel(sizes) <= kMaxElements) return {};
    return resource_error("too many elements");
  }
};

bool are_small(const ops::Value& value) {
  const auto is_small = [](const TensorView* tensor) { return tensor == nullptr || tensor->numel() <= kMaxElements; };
  if (value.is(Tag::kTensor)) return is_small(value.as_tensor());
  if (!value.is(Tag::kTensorList)) return true;
  const auto items = value.as_tensors();
  return std::all_of(items.begin(), items.end(), is_small);
}

// The arguments as the operator wants them; nothing where they do not fit its schema.
struct Arguments {
  std::vector<const ops::Value*> args;
  std::vector<ops::Value*> outs;
  ops::Value none;
};

bool prepare(const Binding& bound, ModelValues& values, Arguments& out) {
  for (std::size_t i = 0; i < bound.args.size(); ++i) {
    const ops::Value* value = bound.args[i] < 0 ? &out.none : values.argument(bound.args[i]);
    if (bound.args[i] >= 0 && !ops::check_arg(bound.op->schema.args[i], *value).ok()) return false;
    if (!are_small(*value)) return false;
    out.args.push_back(value);
  }
  return true;
}

bool only_needs_shapes(const ops::Op& op) {
  const bool gives_number = !op.schema.returns.empty() && op.schema.returns[0] != ArgType::kTensor &&
                            op.schema.returns[0] != ArgType::kTensorList;
  return op.has(ops::kPrim) && gives_number && op.out_name != "aten::_local_scalar_dense";
}

// Arithmetic, and the numbers that later shapes depend on.
double arithmetic_of(const Binding& bound, ModelValues& values) {
  Arguments arguments;
  if (!prepare(bound, values, arguments)) return 0;
  ops::Value number;
  const bool computes_number = only_needs_shapes(*bound.op) && bound.outs.size() == 1 && is_number(values, bound.outs[0]);
  if (computes_number) arguments.outs.push_back(&number);
  const ops::Call call(arguments.args, arguments.outs);
  Proof proof;
  if (!bound.op->def->infer(call, proof).ok()) return 0;
  if (computes_number && bound.op->def->kernel(call).ok()) values.set_number(bound.outs[0], number);
  if (bound.op->def->flops == nullptr) return 0;
  return static_cast<double>(std::max<std::int64_t>(0, bound.op->def->flops(call)));
}

// ---- attributes ----

void put_pair(const std::string& name, std::span<const std::int64_t> items, analysis::NodeFacts& node) {
  if (items.empty() || items.size() > 2) return;  // a single number stands for both
  node.attributes[name + "_height"] = static_cast<double>(items.front());
  node.attributes[name + "_width"] = static_cast<double>(items.back());
}

void put_argument(const ops::SchemaArg& arg, const ops::Value& value, analysis::NodeFacts& node) {
  if (value.is(Tag::kInt)) node.attributes[arg.name] = static_cast<double>(value.as_int());
  if (value.is(Tag::kBool)) node.attributes[arg.name] = value.as_bool() ? 1 : 0;
  if (value.is(Tag::kDouble)) node.attributes[arg.name] = value.as_double();
  if (!value.is(Tag::kIntList)) return;
  const auto items = value.as_ints();
  if (arg.name == "padding" && !items.empty() && items.size() <= 2) {
    for (const char* side : {"padding_top", "padding_bottom"}) node.attributes[side] = static_cast<double>(items.front());
    for (const char* side : {"padding_left", "padding_right"}) node.attributes[side] = static_cast<double>(items.back());
    return;
  }
  static constexpr std::array<std::string_view, 4> kPairs = {"stride", "dilation", "output_padding", "output_size"};
  if (std::find(kPairs.begin(), kPairs.end(), arg.name) != kPairs.end()) return put_pair(arg.name, items, node);
  if (arg.name == "kernel_size") return put_pair("kernel", items, node);
  for (std::size_t i = 0; i < items.size(); ++i) {
    node.attributes[fmt::format("{}_{}", arg.name, i)] = static_cast<double>(items[i]);
  }
}

// The words that a delegate's convolutions use too.
void put_filter(const Binding& bound, const ModelValues& values, analysis::NodeFacts& node) {
  const int weight = bound.op->schema.find("weight");
  const bool convolution = bound.op->schema.name == "aten::convolution";
  const bool linear = bound.op->schema.name == "aten::linear";
  if (weight < 0 || !(convolution || linear) || bound.args[static_cast<std::size_t>(weight)] < 0) return;
  const TensorView* filter = values.view(bound.args[static_cast<std::size_t>(weight)]);
  if (filter == nullptr || filter->rank() < 2) return;
  const bool transposed = node.attributes.count("transposed") != 0 && node.attributes["transposed"] != 0;
  const double groups = convolution && node.attributes.count("groups") != 0 ? node.attributes["groups"] : 1;
  const auto rows = static_cast<double>(filter->size(0)), columns = static_cast<double>(filter->size(1));
  node.attributes["input_channels"] = transposed ? rows : columns * groups;
  node.attributes["output_channels"] = transposed ? columns * groups : rows;
  if (!convolution) return;
  node.attributes["kernel_height"] = filter->rank() > 3 ? static_cast<double>(filter->size(2)) : 1;
  node.attributes["kernel_width"] = filter->rank() > 2 ? static_cast<double>(filter->sizes().back()) : 1;
}

void put_attributes(const Binding& bound, ModelValues& values, analysis::NodeFacts& node) {
  for (std::size_t i = 0; i < bound.args.size(); ++i) {
    if (bound.args[i] >= 0) put_argument(bound.op->schema.args[i], *values.argument(bound.args[i]), node);
  }
  put_filter(bound, values, node);
}

// ---- traffic ----

bool in_same_place(const pte::Tensor& a, const pte::Tensor& b) {
  return a.allocation && b.allocation && a.allocation->memory_id == b.allocation->memory_id &&
         a.allocation->offset == b.allocation->offset;
}

// Views that the memory plan puts where their input is, and those that only hand on a pointer.
bool moves_nothing(const Binding& bound, const ModelValues& values) {
  if (only_needs_shapes(*bound.op)) return true;
  if (!bound.op->has(ops::kSameElements) || bound.args.empty() || bound.outs.size() != 1 || bound.args[0] < 0) return false;
  if (bound.op->has(ops::kPrim)) return true;  // et_view
  const pte::Tensor* in = values.tensor(bound.args[0]);
  const pte::Tensor* out = values.tensor(bound.outs[0]);
  return in != nullptr && out != nullptr && in_same_place(*in, *out);
}

void limit_reads(const Binding& bound, const ModelValues& values, analysis::NodeFacts& node) {
  const auto& list = kReadWhatTheyWrite;
  if (std::find(list.begin(), list.end(), bound.op->out_name) == list.end() || bound.args[0] < 0) return;
  const TensorView* table = values.view(bound.args[0]);
  const TensorView* out = bound.outs.empty() ? nullptr : values.view(bound.outs[0]);
  if (table == nullptr || out == nullptr) return;
  const double all = values.bytes(bound.args[0]);
  const double used = static_cast<double>(out->numel()) * static_cast<double>(size_of(table->dtype()));
  double& counted = values.is_constant(bound.args[0]) ? node.weight_bytes : node.read_bytes;
  if (used < all) counted -= all - used;
}

std::string dtype_of(const ModelValues& values, const std::vector<std::int32_t>& tensors) {
  for (const std::int32_t value : tensors) {
    if (const TensorView* view = values.view(value)) return std::string(name_of(view->dtype()));
  }
  return "";
}

}  // namespace

void add_tensors(const ModelValues& values, const CallValues& roles, analysis::NodeFacts& node) {
  std::unordered_set<std::int32_t> counted;
  const auto is_new = [&](std::int32_t value) { return counted.insert(value).second; };
  for (const std::int32_t value : roles.reads) {
    node.inputs.push_back(values.text(value));
    if (!is_new(value)) continue;
    if (values.is_constant(value)) {
      node.weight_bytes += values.bytes(value);
      continue;
    }
    node.read_bytes += values.bytes(value);
    node.reads.push_back(value);
  }
  for (const std::int32_t value : roles.writes) {
    node.outputs.push_back(values.text(value));
    node.written_bytes += values.bytes(value);
    node.writes.push_back(value);
  }
  for (const std::int32_t value : roles.numbers_read) {
    if (is_new(value)) node.reads.push_back(value);
  }
  for (const std::int32_t value : roles.numbers_written) node.writes.push_back(value);
  node.dtype = dtype_of(values, roles.writes);
  node.compute_dtype = dtype_of(values, roles.reads);
  if (node.compute_dtype.empty()) node.compute_dtype = node.dtype;
}

analysis::NodeFacts operator_facts(const pte::KernelCall& call, ModelValues& values, CallValues& roles) {
  analysis::NodeFacts node;
  node.op = values.plan().operators[static_cast<std::size_t>(call.op_index)].full_name();
  const std::optional<Binding> bound = bound_call(call, node.op);
  roles = roles_of(call, bound, values);
  add_tensors(values, roles, node);
  if (!bound) return node;
  node.flops = arithmetic_of(*bound, values);
  put_attributes(*bound, values, node);
  limit_reads(*bound, values, node);
  if (moves_nothing(*bound, values)) node.read_bytes = node.weight_bytes = node.written_bytes = 0;
  return node;
}

}  // namespace etalon::cli
