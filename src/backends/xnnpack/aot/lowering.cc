#include "backends/xnnpack/aot/lowering.h"

#include <fmt/core.h>

#include <map>

#include "backends/xnnpack/aot/quantised.h"
#include "formats/xnn/xnn.h"
#include "ir/builder.h"
#include "ir/text.h"

namespace etalon::xnnpack {

#define ETALON_LOWERINGS(family) extern const LoweringFamily family;
#include "backends/xnnpack/aot/lowerings.def"
#undef ETALON_LOWERINGS

namespace {

using Table = std::map<std::string_view, const Lowering*>;

const Table& table() {
  static const Table kTable = [] {
    Table out;
#define ETALON_LOWERINGS(family) \
  for (const Lowering& row : family) out.emplace(row.op, &row);
#include "backends/xnnpack/aot/lowerings.def"
#undef ETALON_LOWERINGS
    return out;
  }();
  return kTable;
}

Refused check_tensor(const ir::Graph& graph, ir::ValueId id, std::string_view role, bool any_dtype) {
  const ir::Value& value = graph[id];
  if (!value.is_tensor()) return std::nullopt;
  const ir::TensorType& type = value.tensor();
  const bool is_constant = fixed_constant(graph, id) != nullptr;
  if (type.dtype != DType::kFloat32 && type.dtype != DType::kFloat16 && !is_constant && !any_dtype) {
    return Refusal{fmt::format("{} {} is {}, want float32 or float16", role, value.name, name_of(type.dtype)),
                   "convert it to float32 before this operator"};
  }
  if (type.sizes.size() > formats::xnn::kMaxDims) {
    return Refusal{fmt::format("{} {} has {} dims, want at most {}", role, value.name, type.sizes.size(), formats::xnn::kMaxDims),
                   "merge neighbouring dims with reshape"};
  }
  if (numel(type.sizes) == 0 || numel(type.probe) == 0) {
    return Refusal{fmt::format("{} {} may be empty ({})", role, value.name, describe(type)), "keep every size above zero"};
  }
  return std::nullopt;
}

Refused check_tensors(const ir::Graph& graph, const ir::Node& node, const std::vector<std::uint32_t>& uses,
                      bool any_dtype) {
  Refused found;
  for (const ir::Arg& arg : node.args) {
    ir::for_each_value(arg, [&](ir::ValueId id) {
      if (!found) found = check_tensor(graph, id, "argument", any_dtype);
    });
  }
  for (const ir::ValueId id : node.outs) {
    const bool is_used = uses[ir::index_of(id)] > 0;
    if (!found && is_used) found = check_tensor(graph, id, "result", any_dtype);
    if (!found && is_used && graph[id].is_tensor() && graph[id].tensor().sizes.empty()) {
      found = Refusal{fmt::format("result {} has no dims, which ExecuTorch's XNNPACK backend cannot return", graph[id].name),
                      "keep a dim of one (keepdim=True)"};
    }
  }
  return found;
}

}  // namespace

const ir::Constant* fixed_constant(const ir::Graph& graph, ir::ValueId id) {
  const ir::Constant* constant = id == ir::kNoValue ? nullptr : graph.constant_of(id);
  return constant && !constant->is_state ? constant : nullptr;
}

std::string describe(const ir::TensorType& type) { return ir::to_text(type); }

bool NodeArgs::has(std::size_t i) const {
  if (i >= node_.args.size() || std::holds_alternative<std::monostate>(node_.args[i])) return false;
  const auto* id = std::get_if<ir::ValueId>(&node_.args[i]);
  return id == nullptr || *id != ir::kNoValue;
}

const ir::Constant* NodeArgs::constant(std::size_t i) const {
  const auto* id = std::get_if<ir::ValueId>(&node_.args[i]);
  return id ? fixed_constant(graph_, *id) : nullptr;
}

bool NodeArgs::is_fixed(std::size_t i) const {
  return constant(i) != nullptr || (is_value(i) && weight_node(graph_, value(i)) != nullptr);
}

bool NodeArgs::is_number(std::size_t i) const {
  const ir::Arg& arg = node_.args[i];
  return std::holds_alternative<double>(arg) || std::holds_alternative<std::int64_t>(arg) || std::holds_alternative<bool>(arg);
}

double NodeArgs::number(std::size_t i) const {
  const ir::Arg& arg = node_.args[i];
  if (const auto* v = std::get_if<double>(&arg)) return *v;
  if (const auto* v = std::get_if<bool>(&arg)) return *v ? 1 : 0;
  return static_cast<double>(std::get<std::int64_t>(arg));
}

std::int64_t NodeArgs::integer(std::size_t i) const { return static_cast<std::int64_t>(number(i)); }
bool NodeArgs::flag(std::size_t i) const { return has(i) && number(i) != 0; }
std::string_view NodeArgs::text(std::size_t i) const { return std::get<std::string>(node_.args[i]); }

std::vector<std::int64_t> NodeArgs::ints(std::size_t i) const {
  std::vector<std::int64_t> out;
  if (!has(i)) return out;
  if (is_number(i)) return {integer(i)};
  for (const ir::IntItem& item : std::get<ir::IntItems>(node_.args[i])) out.push_back(item.symbol == ir::kNoValue ? item.value : -1);
  return out;
}

std::size_t NodeArgs::dim(std::size_t i, std::size_t rank) const { return wrap_dim(integer(i), rank).value_or(0); }

const Lowering* find_lowering(const ir::Node& node) {
  const auto found = table().find(node.op->functional_name);
  return found == table().end() ? nullptr : found->second;
}

Refused refuse(const ir::Graph& graph, const ir::Node& node, const std::vector<std::uint32_t>& uses) {
  const Lowering* lowering = find_lowering(node);
  if (lowering == nullptr) return Refusal{"no XNNPACK node computes this operator", {}};
  if (lowering->any_dtype) {
    if (Refused found = lowering->refuse(NodeArgs(graph, node))) return found;
  }
  for (std::size_t i = 1; i < node.outs.size(); ++i) {
    const bool is_list = node.op->schema.returns[0] == ops::ArgType::kTensorList;
    if (!is_list && uses[ir::index_of(node.outs[i])] > 0) {
      return Refusal{fmt::format("its result {} is used, which XNNPACK does not compute", graph[node.outs[i]].name),
                     "use the first result only"};
    }
  }
  if (Refused found = check_tensors(graph, node, uses, lowering->any_dtype)) return found;
  return lowering->refuse(NodeArgs(graph, node));
}

}  // namespace etalon::xnnpack
