// Folds products with and sums of constants into the convolution or matrix product that they follow:
//   s * (w x + b) + t  becomes  (s w) x + (s b + t)
// The product is followed upwards through what only rearranges (views, permutations, slices that nobody else reads), and
// where it is one positive number through limits, sums with numbers and the first operand of a batched product, so that
// the scale of attention scores ends in the query's weights and clamp(x + 3, 0, 6) / 6 in the convolution before it.
// Factors are applied in double and rounded once; a power of two is exact, another factor moves the rounding of a product
// from the result to the weight.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>

#include "ir/builder.h"
#include "ops/dispatch.h"
#include "passes/pass.h"

namespace etalon::passes {
namespace {

using ir::Node;
using ir::ValueId;

// A dense tensor's elements as places in another's memory.
struct Strided {
  Dims sizes;
  Dims strides;
  std::int64_t offset = 0;
};

// What a value is multiplied by, or what is added to it: one number, or a constant that broadcasts against it.
struct Amount {
  bool is_shift = false;
  double number = 0;
  bool negated = false;   // minus the constant
  bool inverted = false;  // divided by the constant
  const ir::Constant* tensor = nullptr;

  double at(std::size_t element) const {
    double value = tensor ? ir::element_as_double(*tensor, element) : number;
    if (inverted) value = 1.0 / value;
    return negated ? -value : value;
  }
};

std::optional<double> literal(const ir::Arg& arg) {
  if (const auto* v = std::get_if<double>(&arg)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&arg)) return static_cast<double>(*v);
  return std::nullopt;
}

const ir::Constant* constant_arg(const ir::Graph& graph, const ir::Arg& arg) {
  const auto* id = std::get_if<ValueId>(&arg);
  const ir::Constant* constant = id && *id != ir::kNoValue ? graph.constant_of(*id) : nullptr;
  return constant && !constant->is_state ? constant : nullptr;
}

// The operators that end a walk, with the places of their operands.
struct Product {
  std::string_view op;
  std::size_t weight;
  std::size_t bias;
};
constexpr std::size_t kNoBias = 99;
constexpr Product kConvolution{"aten::convolution", 1, 2};
constexpr Product kAddmm{"aten::addmm", 2, 0};
constexpr Product kMm{"aten::mm", 1, kNoBias};

const Product* product_of(const ir::Graph& graph, const Node& node) {
  for (const Product* product : {&kConvolution, &kAddmm, &kMm}) {
    if (node.op->functional_name != product->op || constant_arg(graph, node.args[product->weight]) == nullptr) continue;
    if (product == &kAddmm && (literal(node.args[3]) != 1.0 || literal(node.args[4]) != 1.0)) return nullptr;
    if (product->bias == kNoBias || std::holds_alternative<std::monostate>(node.args[product->bias])) return product;
    const ir::Constant* bias = constant_arg(graph, node.args[product->bias]);
    return bias != nullptr && bias->type.sizes.size() == 1 ? product : nullptr;
  }
  return nullptr;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// Where an operator that cuts a tensor into parts keeps the dim; 0 for all others.
std::size_t branch_dim_place(std::string_view name) {
  if (name == "aten::unbind_copy.int") return 1;
  return is_one_of(name, {"aten::split_copy.Tensor", "aten::split_with_sizes_copy"}) ? 2 : 0;
}

// One attempt to move an amount from the result of `user` to the product it comes from.
class Folding {
 public:
  Folding(ir::Graph& graph, const std::vector<std::uint32_t>& uses) : graph_(graph), uses_(uses) {}

  bool run(Node& user, ValueId scaled, const Amount& amount) {
    if (!walk(scaled, amount)) return false;
    const auto channels = channel_amounts(amount);
    if (!channels) return false;
    apply(*channels, amount.is_shift);
    adjust_passed(amount);
    graph_.replace_uses(user.outs[0], scaled);
    user.dead = true;
    return true;
  }

 private:
  Node* producer(ValueId id) {
    const ir::Value& value = graph_[id];
    return value.source == ir::ValueSource::kNode ? &graph_.nodes[value.source_index] : nullptr;
  }

  // Finds the product, remembering the way down.
  bool walk(ValueId id, const Amount& amount) {
    const bool is_factor = !amount.is_shift && amount.tensor == nullptr;
    for (;;) {
      if (uses_[ir::index_of(id)] != 1 || !graph_[id].is_tensor()) return false;
      Node* node = producer(id);
      if (node == nullptr || node->dead) return false;
      const std::string& name = node->op->functional_name;
      if ((product_ = product_of(graph_, *node)) != nullptr) {
        root_ = node;
        return is_floating(graph_[id].tensor().dtype);
      }
      if (node->op->has(ops::kSameElements) || name == "aten::permute_copy") {
        path_.push_back(node);
      } else if (branch_dim_place(name) != 0 && branch_ == nullptr) {
        branch_ = node;
        branch_out_ = id;
        // Above the branch the way is needed again, below it is not.
        path_.clear();
        above_branch_ = true;
      } else if (is_factor && amount.number > 0 && !above_branch_ && is_one_of(name, {"aten::clamp", "aten::relu", "aten::add.Scalar"})) {
        passed_.push_back(node);
      } else if (is_factor && !above_branch_ && name == "aten::bmm") {
        path_.clear();
      } else {
        return false;
      }
      const auto* next = std::get_if<ValueId>(&node->args[0]);
      if (next == nullptr || *next == ir::kNoValue) return false;
      id = *next;
    }
  }

  static Strided whole(const Dims& sizes) { return {sizes, contiguous_strides(sizes), 0}; }

  std::optional<Strided> through(const Strided& from, const Node& node) const {
    const ir::TensorType& out = graph_[node.outs[0]].tensor();
    if (out.is_dynamic()) return std::nullopt;
    if (node.op->functional_name == "aten::permute_copy") {
      Strided to{out.sizes, {}, from.offset};
      for (const ir::IntItem& item : std::get<ir::IntItems>(node.args[1])) {
        const auto dim = wrap_dim(item.value, from.sizes.size());
        if (!dim) return std::nullopt;
        to.strides.push_back(from.strides[*dim]);
      }
      return to;
    }
    if (from.offset == 0 && from.strides == contiguous_strides(from.sizes)) return whole(out.sizes);
    // Otherwise only dims of size one may come and go.
    Dims strides;
    std::size_t i = 0;
    for (std::size_t j = 0; j < out.sizes.size(); ++j) {
      while (i < from.sizes.size() && from.sizes[i] == 1) ++i;
      if (out.sizes[j] == 1) {
        strides.push_back(0);
        continue;
      }
      if (i == from.sizes.size() || from.sizes[i] != out.sizes[j]) return std::nullopt;
      strides.push_back(from.strides[i++]);
    }
    return Strided{out.sizes, strides, from.offset};
  }

  // Calls visit(element, place) for each element in order.
  template <class Visit>
  static void for_each(const Strided& view, Visit&& visit) {
    Dims index(view.sizes.size(), 0);
    std::int64_t place = view.offset;
    const std::int64_t count = numel(view.sizes);
    for (std::int64_t e = 0; e < count; ++e) {
      visit(index, place);
      for (std::size_t d = view.sizes.size(); d-- > 0;) {
        place += view.strides[d];
        if (++index[d] < view.sizes[d]) break;
        place -= view.strides[d] * view.sizes[d];
        index[d] = 0;
      }
    }
  }

  std::int64_t channel_count() const { return graph_[root_->outs[0]].tensor().sizes[1]; }
  std::size_t channel_at(std::int64_t place) const {
    const Dims& sizes = graph_[root_->outs[0]].tensor().sizes;
    std::int64_t inner = 1;
    for (std::size_t d = 2; d < sizes.size(); ++d) inner *= sizes[d];
    return static_cast<std::size_t>(place / inner % sizes[1]);
  }

  std::set<std::size_t> channels_in(const Strided& view) const {
    std::set<std::size_t> out;
    for_each(view, [&](const Dims&, std::int64_t place) { out.insert(channel_at(place)); });
    return out;
  }

  // The amount of each channel of the product; nothing where elements of one channel would get different ones.
  std::optional<std::vector<double>> channel_amounts(const Amount& amount) const {
    const double neutral = amount.is_shift ? 0.0 : 1.0;
    const auto channels = static_cast<std::size_t>(channel_count());
    if (amount.tensor == nullptr && branch_ == nullptr) return std::vector<double>(channels, amount.number);
    const ir::TensorType& product = graph_[root_->outs[0]].tensor();
    constexpr std::int64_t kMostElements = 1 << 22;
    if (product.is_dynamic() || numel(product.sizes) > kMostElements) return std::nullopt;
    std::optional<Strided> view = whole(product.sizes);
    for (std::size_t i = path_.size(); i-- > 0 && view;) view = through(*view, *path_[i]);
    if (!view) return std::nullopt;
    if (branch_ != nullptr) return amount.tensor == nullptr ? branch_amounts(*view, amount.number, neutral) : std::nullopt;
    return tensor_amounts(*view, amount);
  }

  std::optional<std::vector<double>> branch_amounts(const Strided& view, double number, double neutral) const {
    const auto place = literal(branch_->args[branch_dim_place(branch_->op->functional_name)]);
    const auto dim = place ? wrap_dim(static_cast<std::int64_t>(*place), view.sizes.size()) : std::nullopt;
    if (!dim) return std::nullopt;
    std::set<std::size_t> mine;
    std::set<std::size_t> others;
    const bool drops_dim = branch_->op->functional_name == "aten::unbind_copy.int";
    std::int64_t start = 0;
    for (const ValueId out : branch_->outs) {
      Strided part = view;
      part.offset += start * view.strides[*dim];
      part.sizes[*dim] = drops_dim ? 1 : graph_[out].tensor().sizes[*dim];
      start += part.sizes[*dim];
      (out == branch_out_ ? mine : others).merge(channels_in(part));
    }
    std::vector<double> out(static_cast<std::size_t>(channel_count()), neutral);
    for (const std::size_t channel : mine) {
      if (others.contains(channel)) return std::nullopt;
      out[channel] = number;
    }
    return out;
  }

  std::optional<std::vector<double>> tensor_amounts(const Strided& view, const Amount& amount) const {
    const Dims& sizes = amount.tensor->type.sizes;
    if (sizes.size() > view.sizes.size() || !is_contiguous_order(amount.tensor->type.order)) return std::nullopt;
    const std::size_t missing = view.sizes.size() - sizes.size();
    for (std::size_t d = 0; d < sizes.size(); ++d) {
      if (sizes[d] != 1 && sizes[d] != view.sizes[d + missing]) return std::nullopt;
    }
    const Dims steps = contiguous_strides(sizes);
    std::vector<double> out(static_cast<std::size_t>(channel_count()), 0.0);
    std::vector<bool> known(out.size(), false);
    bool consistent = true;
    for_each(view, [&](const Dims& index, std::int64_t place) {
      std::int64_t at = 0;
      for (std::size_t d = 0; d < sizes.size(); ++d) at += sizes[d] == 1 ? 0 : steps[d] * index[d + missing];
      const double value = amount.at(static_cast<std::size_t>(at));
      const std::size_t channel = channel_at(place);
      if (known[channel] && out[channel] != value) consistent = false;
      known[channel] = true;
      out[channel] = value;
    });
    return consistent ? std::optional(out) : std::nullopt;
  }

  // Which output channel an element of the weight belongs to.
  std::size_t weight_channel(const ir::TensorType& weight, std::size_t element) const {
    const auto size = [&](std::size_t d) { return static_cast<std::size_t>(weight.sizes[d]); };
    if (product_ != &kConvolution) return element % size(1);
    const std::size_t per_row = static_cast<std::size_t>(numel(weight.sizes)) / size(0);
    if (!std::get<bool>(root_->args[6])) return element / per_row;
    const auto groups = static_cast<std::size_t>(std::get<std::int64_t>(root_->args[8]));
    const std::size_t window = per_row / size(1);
    return element / per_row / (size(0) / groups) * size(1) + element / window % size(1);
  }

  template <class ValueOf>
  ir::Data stored(DType dtype, std::size_t count, ValueOf&& value_of) const {
    std::vector<std::byte> out(count * size_of(dtype));
    (void)ops::visit_floating(dtype, [&](auto tag) -> Status {
      using T = typename decltype(tag)::type;
      for (std::size_t i = 0; i < count; ++i) {
        const T element = T(static_cast<ops::MathTypeOf<T>>(value_of(i)));
        std::memcpy(out.data() + i * sizeof(T), &element, sizeof(T));
      }
      return {};
    });
    return ir::Data::owned(std::move(out));
  }

  ValueId add_constant(const std::string& name, ir::TensorType type, ir::Data data) {
    return graph_.add_constant({name + "_scaled_" + std::to_string(graph_.values.size()), std::move(type), std::move(data), true, false});
  }

  void apply(const std::vector<double>& amounts, bool is_shift) {
    const ir::Constant weight = *constant_arg(graph_, root_->args[product_->weight]);
    const bool has_bias = product_->bias != kNoBias && !std::holds_alternative<std::monostate>(root_->args[product_->bias]);
    if (!is_shift) {
      const auto count = static_cast<std::size_t>(numel(weight.type.sizes));
      ir::TensorType type = weight.type;
      ir::Data data = stored(type.dtype, count, [&](std::size_t i) {
        return ir::element_as_double(weight, i) * amounts[weight_channel(type, i)];
      });
      root_->args[product_->weight] = add_constant(weight.name, type, std::move(data));
      if (!has_bias) return;
    }
    const std::optional<ir::Constant> bias =
        has_bias ? std::optional(*constant_arg(graph_, root_->args[product_->bias])) : std::nullopt;
    ir::Data data = stored(weight.type.dtype, amounts.size(), [&](std::size_t c) {
      const double own = bias ? ir::element_as_double(*bias, bias->type.sizes[0] == 1 ? 0 : c) : 0.0;
      return is_shift ? own + amounts[c] : own * amounts[c];
    });
    const ValueId made = add_constant(bias ? bias->name : weight.name + "_bias",
                                      ir::TensorType::of(weight.type.dtype, {static_cast<std::int64_t>(amounts.size())}), std::move(data));
    if (product_ == &kMm) {
      root_->args = {made, root_->args[0], root_->args[1], std::int64_t{1}, std::int64_t{1}};
      root_->op = ops::find_op("aten::addmm");
    } else {
      root_->args[product_->bias] = made;
    }
  }

  // Limits and sums that the factor went through.
  void adjust_passed(const Amount& amount) {
    for (Node* node : passed_) {
      if (node->op->functional_name == "aten::add.Scalar") {
        node->args[1] = *literal(node->args[1]) * amount.number;
        continue;
      }
      for (std::size_t i = 1; i < node->args.size(); ++i) {
        if (const auto limit = literal(node->args[i])) node->args[i] = *limit * amount.number;
      }
    }
  }

  ir::Graph& graph_;
  const std::vector<std::uint32_t>& uses_;
  Node* root_ = nullptr;
  const Product* product_ = nullptr;
  std::vector<Node*> path_;    // what rearranges between the product and the branch or the user, nearest to the user first
  std::vector<Node*> passed_;  // what the factor changes on its way
  Node* branch_ = nullptr;
  ValueId branch_out_ = ir::kNoValue;
  bool above_branch_ = false;
};

struct Candidate {
  ValueId scaled;
  Amount amount;
};

std::optional<Candidate> candidate_of(const ir::Graph& graph, const Node& node) {
  const std::string& name = node.op->functional_name;
  const bool is_shift = is_one_of(name, {"aten::add.Scalar", "aten::add.Tensor", "aten::sub.Scalar", "aten::sub.Tensor"});
  const bool is_factor = is_one_of(name, {"aten::mul.Scalar", "aten::mul.Tensor", "aten::div.Scalar", "aten::div.Tensor"});
  if (!is_shift && !is_factor) return std::nullopt;
  if (is_shift && literal(node.args[2]) != 1.0) return std::nullopt;
  Amount amount;
  amount.is_shift = is_shift;
  amount.negated = name.starts_with("aten::sub");
  amount.inverted = name.starts_with("aten::div");
  const bool commutes = name == "aten::add.Tensor" || name == "aten::mul.Tensor";
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
    if (side == 1 && !commutes) break;
    const auto* scaled = std::get_if<ValueId>(&node.args[side]);
    if (scaled == nullptr || graph.constant_of(*scaled) != nullptr || !graph[*scaled].is_tensor()) continue;
    // The result must be the scaled value's own type: nothing broadcasts or converts it.
    if (!(graph[*scaled].type == graph[node.outs[0]].type)) continue;
    if (const auto number = literal(node.args[1 - side])) {
      amount.number = amount.inverted ? 1.0 / *number : amount.negated ? -*number : *number;
      amount.negated = amount.inverted = false;
      if (!std::isfinite(amount.number)) return std::nullopt;
      return Candidate{*scaled, amount};
    }
    const ir::Constant* constant = constant_arg(graph, node.args[1 - side]);
    if (constant == nullptr || !is_floating(constant->type.dtype)) continue;
    amount.tensor = constant;
    return Candidate{*scaled, amount};
  }
  return std::nullopt;
}

Result<std::uint32_t> run(ir::Graph& graph) {
  std::uint32_t folded = 0;
  std::vector<std::uint32_t> uses = graph.use_counts();
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    if (node.dead) continue;
    const auto candidate = candidate_of(graph, node);
    if (!candidate || !Folding(graph, uses).run(node, candidate->scaled, candidate->amount)) continue;
    uses = graph.use_counts();
    ++folded;
  }
  return folded;
}

}  // namespace

extern const Pass kFoldScale;
constinit const Pass kFoldScale{"fold-scale", "fold constant factors and sums into the weights before them", run};

}  // namespace etalon::passes
