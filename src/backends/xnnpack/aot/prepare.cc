#include "backends/xnnpack/aot/prepare.h"

#include <optional>

#include "backends/xnnpack/aot/composite.h"
#include "backends/xnnpack/aot/dynamic.h"
#include "backends/xnnpack/aot/lowering.h"
#include "ir/builder.h"

namespace etalon::xnnpack {
namespace {

using ir::Node;
using ir::ValueId;

class Recogniser {
 public:
  explicit Recogniser(ir::Graph& graph) : graph_(graph), uses_(graph.use_counts()) {}

  void run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (hardswish(n) || hardsigmoid(n) || prelu(n)) uses_ = graph_.use_counts();
    }
  }

 private:
  // The node that computes a value, if it is this operator.
  Node* producer(const ir::Arg& arg, std::string_view op) {
    const auto* id = std::get_if<ValueId>(&arg);
    if (id == nullptr || *id == ir::kNoValue || graph_[*id].source != ir::ValueSource::kNode) return nullptr;
    Node& node = graph_.nodes[graph_[*id].source_index];
    return !node.dead && node.op->functional_name == op ? &node : nullptr;
  }
  Node* sole_producer(const ir::Arg& arg, std::string_view op) {
    Node* node = producer(arg, op);
    return node && uses_[ir::index_of(node->outs[0])] == 1 ? node : nullptr;
  }
  static bool is_number(const ir::Arg& arg, double wanted) {
    if (const auto* v = std::get_if<double>(&arg)) return *v == wanted;
    if (const auto* v = std::get_if<std::int64_t>(&arg)) return static_cast<double>(*v) == wanted;
    return false;
  }
  static bool is_value(const ir::Arg& arg, ValueId id) {
    const auto* found = std::get_if<ValueId>(&arg);
    return found != nullptr && *found == id;
  }
  bool is_float(ValueId id) const {
    const DType dtype = graph_[id].tensor().dtype;
    return (dtype == DType::kFloat32 || dtype == DType::kFloat16) && !graph_[id].tensor().sizes.empty() && graph_[id].tensor().sizes.size() <= 6 &&
           numel(graph_[id].tensor().sizes) > 0 && numel(graph_[id].tensor().probe) > 0;
  }

  static void take_over(Node& from, Node& to) {
    to.debug_handles.insert(to.debug_handles.end(), from.debug_handles.begin(), from.debug_handles.end());
    from.dead = true;
  }

  // x when arg is clamp(x + 3, 0, 6) that nobody else uses
  struct Gate {
    Node* clamp;
    Node* add;
    ValueId x;
  };
  std::optional<Gate> gate(const ir::Arg& arg) {
    Node* clamp = sole_producer(arg, "aten::clamp");
    if (clamp == nullptr) clamp = sole_producer(arg, "aten::hardtanh");
    if (clamp == nullptr || !is_number(clamp->args[1], 0) || !is_number(clamp->args[2], 6)) return std::nullopt;
    Node* add = sole_producer(clamp->args[0], "aten::add.Scalar");
    if (add == nullptr || !is_number(add->args[1], 3) || !is_number(add->args[2], 1)) return std::nullopt;
    return Gate{clamp, add, std::get<ValueId>(add->args[0])};
  }

  // x * clamp(x + 3, 0, 6) / 6
  bool hardswish(std::size_t n) {
    Node& div = graph_.nodes[n];
    if (div.dead || div.op->functional_name != "aten::div.Scalar" || !is_number(div.args[1], 6)) return false;
    Node* mul = sole_producer(div.args[0], "aten::mul.Tensor");
    if (mul == nullptr) return false;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const auto found = gate(mul->args[side]);
      if (!found || !is_value(mul->args[1 - side], found->x) || !is_float(found->x)) continue;
      div.op = &hardswish_op();
      div.args = {found->x};
      take_over(*mul, div);
      take_over(*found->clamp, div);
      take_over(*found->add, div);
      return true;
    }
    return false;
  }

  // clamp(x + 3, 0, 6) / 6 = clamp(x * (1/6) + 0.5, 0, 1), whose product and sum a convolution before it can take up
  bool hardsigmoid(std::size_t n) {
    Node& div = graph_.nodes[n];
    if (div.dead || div.op->functional_name != "aten::div.Scalar" || !is_number(div.args[1], 6)) return false;
    const auto found = gate(div.args[0]);
    if (!found || !is_float(found->x)) return false;
    // The three nodes keep their places: add -> product, clamp -> sum, division -> limits.
    Node& product = *found->add;
    product.op = ops::find_op("aten::mul.Scalar");
    product.args = {found->x, 1.0 / 6.0};
    Node& sum = *found->clamp;
    sum.op = ops::find_op("aten::add.Scalar");
    sum.args = {product.outs[0], 0.5, std::int64_t{1}};
    div.op = ops::find_op("aten::clamp");
    div.args = {sum.outs[0], 0.0, 1.0};
    return true;
  }

  // where(x > 0, x, weight * x) with one constant weight per channel
  bool prelu(std::size_t n) {
    Node& where = graph_.nodes[n];
    if (where.dead || where.op->functional_name != "aten::where.self") return false;
    Node* above = sole_producer(where.args[0], "aten::gt.Scalar");
    Node* scaled = sole_producer(where.args[2], "aten::mul.Tensor");
    const auto* x = std::get_if<ValueId>(&where.args[1]);
    if (above == nullptr || scaled == nullptr || x == nullptr || !is_number(above->args[1], 0) || !is_value(above->args[0], *x)) return false;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const auto* weight = std::get_if<ValueId>(&scaled->args[side]);
      if (weight == nullptr || !is_value(scaled->args[1 - side], *x) || !is_float(*x)) continue;
      const ir::Constant* constant = fixed_constant(graph_, *weight);
      if (constant == nullptr || !is_per_channel(constant->type.sizes, graph_[*x].tensor().sizes)) continue;
      where.op = &prelu_op();
      where.args = {*x, *weight};
      take_over(*above, where);
      take_over(*scaled, where);
      return true;
    }
    return false;
  }

  // [1, C, 1, 1], or a single number
  static bool is_per_channel(const Dims& weight, const Dims& x) {
    if (numel(weight) == 1) return true;
    if (weight.size() != x.size() || x.size() < 2) return false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (weight[i] != (i == 1 ? x[1] : 1)) return false;
    }
    return true;
  }

  ir::Graph& graph_;
  std::vector<std::uint32_t> uses_;
};

}  // namespace

Status prepare(ir::Graph& graph) {
  Recogniser(graph).run();
  recognise_dynamic(graph);
  separate_dequantisations(graph);
  graph.compact();
  return {};
}

}  // namespace etalon::xnnpack
