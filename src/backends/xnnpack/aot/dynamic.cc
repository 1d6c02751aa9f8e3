#include "backends/xnnpack/aot/dynamic.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "backends/xnnpack/aot/composite.h"
#include "backends/xnnpack/aot/layout.h"
#include "backends/xnnpack/aot/quantised.h"
#include "backends/xnnpack/aot/quantised_product.h"

namespace etalon::xnnpack {
namespace {

using ir::Node;
using ir::ValueId;

ValueId value_of(const ir::Arg& arg) {
  const auto* id = std::get_if<ValueId>(&arg);
  return id == nullptr ? ir::kNoValue : *id;
}

// Where a product's operands stand.
struct Product {
  std::size_t input;
  std::size_t weight;
  std::optional<std::size_t> bias;
  std::size_t channel_dim;  // of the weight
  bool is_convolution = false;
};

std::optional<Product> product_of(const Node& node) {
  const std::string& op = node.op->functional_name;
  if (op == "aten::linear") return Product{0, 1, 2, 0};
  if (op == "aten::mm") return Product{0, 1, std::nullopt, 1};
  if (op == "aten::addmm") return Product{1, 2, 0, 1};
  if (op == "aten::convolution") {
    constexpr std::size_t kTransposed = 6;
    const bool is_transposed = node.args[kTransposed] == ir::Arg(true);
    return Product{0, 1, 2, is_transposed ? std::size_t{1} : std::size_t{0}, true};
  }
  return std::nullopt;
}

class Recogniser {
 public:
  explicit Recogniser(ir::Graph& graph)
      : graph_(graph), uses_(graph.use_counts()), users_(graph.values.size()) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const ir::Arg& arg : graph.nodes[n].args) {
        ir::for_each_value(arg, [&](ValueId id) { users_[ir::index_of(id)].push_back(n); });
      }
    }
    for (const ir::Output& output : graph.outputs) {
      ir::for_each_value(output.value, [&](ValueId id) { users_[ir::index_of(id)].push_back(kReturned); });
    }
  }

  void run() {
    for (Node& node : graph_.nodes) {
      const ValueId source = dynamic_source(node);
      if (source == ir::kNoValue) continue;
      std::vector<std::size_t> products;
      if (!find_products(node.outs[0], products)) continue;
      for (const std::size_t n : products) rewrite(graph_.nodes[n]);
      graph_.replace_uses(node.outs[0], source);
    }
    drop_unused();
  }

 private:
  static constexpr std::size_t kReturned = static_cast<std::size_t>(-1);

  const Node* producer(const ir::Arg& arg, std::string_view op) const {
    const ValueId id = value_of(arg);
    if (id == ir::kNoValue || graph_[id].source != ir::ValueSource::kNode) return nullptr;
    const Node& node = graph_.nodes[graph_[id].source_index];
    return node.op->functional_name == op ? &node : nullptr;
  }

  // The tensor that is quantised with a scale of its own and dequantised again by this node.
  ValueId dynamic_source(const Node& dequantise) const {
    const bool per_tensor =
        dequantise.op->functional_name == "quantized_decomposed::dequantize_per_tensor.tensor";
    if (!per_tensor && dequantise.op->functional_name != "quantized_decomposed::dequantize_per_token")
      return ir::kNoValue;
    const Node* quantise =
        producer(dequantise.args[0], per_tensor ? "quantized_decomposed::quantize_per_tensor.tensor"
                                                : "quantized_decomposed::quantize_per_token");
    const Node* choose = producer(dequantise.args[1],
                                  per_tensor ? "quantized_decomposed::choose_qparams.tensor"
                                             : "quantized_decomposed::choose_qparams_per_token_asymmetric");
    if (quantise == nullptr || choose == nullptr) return ir::kNoValue;
    const bool same_scale = value_of(dequantise.args[1]) == value_of(quantise->args[1]) &&
                            value_of(dequantise.args[2]) == value_of(quantise->args[2]) &&
                            value_of(dequantise.args[2]) == choose->outs[1];
    const bool whole_range =
        quantise->args[3] == ir::Arg(std::int64_t{-128}) && quantise->args[4] == ir::Arg(std::int64_t{127});
    const ValueId source = value_of(quantise->args[0]);
    const bool is_int8 = graph_[quantise->outs[0]].tensor().dtype == DType::kInt8;
    const DType dtype = graph_[source].tensor().dtype;
    const bool is_float = (dtype == DType::kFloat32 || dtype == DType::kFloat16) &&
                          graph_[dequantise.outs[0]].tensor().dtype == dtype;
    if (!same_scale || !whole_range || !is_int8 || !is_float || source != value_of(choose->args[0]))
      return ir::kNoValue;
    return source;
  }

  // Everything that reads the tensor, perhaps through views of its rows; false if anything else does.
  bool find_products(ValueId id, std::vector<std::size_t>& out) const {
    for (const std::size_t n : users_[ir::index_of(id)]) {
      if (n == kReturned) return false;
      const Node& node = graph_.nodes[n];
      if (keeps_rows(node, id)) {
        if (!find_products(node.outs[0], out)) return false;
      } else if (is_product_of(node, id)) {
        out.push_back(n);
      } else {
        return false;
      }
    }
    return true;
  }

  bool keeps_rows(const Node& node, ValueId id) const {
    if (!node.op->has(ops::kSameElements) || value_of(node.args[0]) != id || node.outs.size() != 1)
      return false;
    const Dims& from = graph_[id].tensor().sizes;
    const Dims& to = graph_[node.outs[0]].tensor().sizes;
    return !from.empty() && !to.empty() && from.back() == to.back() &&
           shape_of(graph_[node.outs[0]].tensor()).dynamic_count() <= 1;
  }

  bool is_product_of(const Node& node, ValueId id) const {
    const auto product = product_of(node);
    if (!product || value_of(node.args[product->input]) != id || value_of(node.args[product->weight]) == id)
      return false;
    const Lowering* lowering = find_lowering(node);
    const NodeArgs args(graph_, node);
    const Node* weight = weight_node(graph_, value_of(node.args[product->weight]));
    if (weight == nullptr || lowering == nullptr || refuse(graph_, node, uses_)) return false;
    if (shape_of(args.type(product->input)).dynamic_count() > 1) return false;
    const auto numbers = quantised_weight(graph_, *weight);
    if (!numbers.ok() || !scales_of_outputs(*numbers, product->channel_dim, 1).ok()) return false;
    return !product->is_convolution || has_dynamic_kernel(args);
  }

  // XNNPACK has none for depthwise ones.
  static bool has_dynamic_kernel(const NodeArgs& args) {
    constexpr std::size_t kWeight = 1, kTransposed = 6, kGroups = 8;
    return args.flag(kTransposed) || args.integer(kGroups) == 1 || args.type(kWeight).sizes[1] > 1;
  }

  static void rewrite(Node& node) {
    const Product product = *product_of(node);
    if (product.is_convolution) {
      node.op = &dynamic_convolution_op();
      return;
    }
    const ir::Arg bias = product.bias ? node.args[*product.bias] : ir::kNone;
    node.args = {node.args[product.input], node.args[product.weight], bias, product.channel_dim == 1};
    node.op = &dynamic_linear_op();
  }

  // Scales that nobody wants any more.
  void drop_unused() {
    std::vector<std::uint32_t> uses = graph_.use_counts();
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      Node& node = graph_.nodes[n];
      if (!node.op->functional_name.starts_with("quantized_decomposed::")) continue;
      if (std::ranges::any_of(node.outs, [&](ValueId id) { return uses[ir::index_of(id)] > 0; })) continue;
      node.dead = true;
      for (const ir::Arg& arg : node.args)
        ir::for_each_value(arg, [&](ValueId id) { --uses[ir::index_of(id)]; });
    }
  }

  ir::Graph& graph_;
  std::vector<std::uint32_t> uses_;
  std::vector<std::vector<std::size_t>> users_;
};

}  // namespace

void recognise_dynamic(ir::Graph& graph) { Recogniser(graph).run(); }

void separate_dequantisations(ir::Graph& graph) {
  const std::vector<std::uint32_t> uses = graph.use_counts();
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  std::vector<bool> is_taken(graph.values.size(), false);
  const std::size_t known = graph.values.size();
  for (Node& node : graph.nodes) {
    for (ir::Arg& arg : node.args) {
      ir::for_each_value(arg, [&](ValueId& id) {
        const std::size_t at = ir::index_of(id);
        if (at >= known || uses[at] < 2 || graph[id].source != ir::ValueSource::kNode) return;
        const Node& producer = graph.nodes[graph[id].source_index];
        if (!is_dequantise(producer) || is_weight(graph, producer) || refuse(graph, producer, uses)) return;
        if (!is_taken[at]) {
          is_taken[at] = true;  // the first reader keeps it
          return;
        }
        Node copy = producer;
        copy.outs = {graph.add_value(fmt::format("{}.{}", graph[id].name, graph.values.size()),
                                     graph[id].type, ir::NodeId{})};
        id = copy.outs[0];
        nodes.push_back(std::move(copy));
      });
    }
    nodes.push_back(node);
  }
  graph.nodes = std::move(nodes);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId id : graph.nodes[n].outs) graph[id].source_index = static_cast<std::uint32_t>(n);
  }
}

}  // namespace etalon::xnnpack
