#include "analysis/xnnpack_operators.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "analysis/xnnpack_names.h"

namespace etalon::analysis {
namespace {

namespace xnn = formats::xnn;
using xnn::DataType;
using xnn::NodeType;

constexpr std::size_t kNone = ~std::size_t{0};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Value {
  DataType type = DataType::kInvalid;
  bool is_input = false;
  bool is_output = false;
  bool is_constant = false;
  double elements = 0;  // of a constant
  std::optional<std::vector<std::uint32_t>> shape;  // where XNNPACK knows it before it has inputs
  std::size_t producer = kNone;
  std::size_t first_consumer = kNone;
  std::size_t consumers = 0;  // an output of the graph counts as one more

  bool is_byte() const { return type == DataType::kQint8 || type == DataType::kQuint8; }
};

struct Op {
  NodeType type = NodeType::kAdd;
  const xnn::Node* source = nullptr;
  std::vector<std::size_t> inputs;  // a missing bias is left out
  std::vector<std::size_t> outputs;
  std::vector<std::size_t> nodes;
  std::vector<std::string_view> names;
  float min = -kInfinity, max = kInfinity;  // of a clamp
  bool is_alive = true;

  void absorb(Op& other) {
    nodes.insert(nodes.end(), other.nodes.begin(), other.nodes.end());
    other.is_alive = false;
  }
};

bool can_clamp(const Op& op) {
  switch (op.type) {
    case NodeType::kClamp:
    case NodeType::kAvgPooling2d:
    case NodeType::kConv2d:
    case NodeType::kConvTranspose2d:
    case NodeType::kDepthwiseConv2d:
    case NodeType::kFullyConnected:
    case NodeType::kMaxPooling2d:
      return true;
    default:
      return false;
  }
}

// A 1x1 convolution is made a fully connected layer when it is defined.
bool is_product(const Op& op) {
  return op.type == NodeType::kFullyConnected || op.type == NodeType::kBatchMatrixMultiply ||
         (op.type == NodeType::kConv2d && op.names.size() == 2);
}

class Subgraph {
 public:
  explicit Subgraph(const xnn::Graph& graph) {
    for (const xnn::Value& value : graph.values) add_value(value);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) add_node(graph.nodes[i], i);
    remove_dead();
  }

  void optimize() {
    for (std::size_t v = 0; v < values_.size(); ++v) fuse_around(v);
    for (std::size_t i = 0; i < ops_.size(); ++i) fuse_table(i);
    remove_dead();
    // One step can make the next one possible; a chain longer than this is no real model's.
    constexpr int kPasses = 64;
    for (int pass = 0; pass < kPasses && simplify(); ++pass) remove_dead();
  }

  std::vector<XnnpackOperator> operators() {
    std::vector<std::size_t> places(ops_.size(), kNone);
    std::size_t count = 0;
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (ops_[i].is_alive) places[i] = count++;
    }
    const std::vector<bool> other_readers = read_by_others();
    std::vector<XnnpackOperator> out;
    out.reserve(count);
    for (Op& op : ops_) {
      if (!op.is_alive) continue;
      XnnpackOperator made{std::move(op.names), std::move(op.nodes), std::nullopt};
      std::sort(made.nodes.begin(), made.nodes.end());
      if (quantises_for_products(op, other_readers)) made.folds_into = places[values_[op.outputs[0]].first_consumer];
      out.push_back(std::move(made));
    }
    return out;
  }

 private:
  // ---- the graph as XNNPACK is told of it ----

  void add_value(const xnn::Value& from) {
    places_[from.id] = values_.size();
    Value value;
    value.type = from.type;
    value.is_input = from.is_input();
    value.is_output = from.is_output();
    value.is_constant = from.constant != 0;
    if (value.is_constant) {
      value.elements = 1;
      for (const std::uint32_t size : from.dims) value.elements *= size;
      value.shape = from.dims;
    }
    values_.push_back(std::move(value));
  }

  void add_node(const xnn::Node& node, std::size_t place) {
    Op op;
    op.type = node.type;
    op.source = &node;
    for (const std::uint32_t id : node.inputs) {
      if (id != xnn::kNoValue) op.inputs.push_back(places_.at(id));
    }
    for (const std::uint32_t id : node.outputs) op.outputs.push_back(places_.at(id));
    op.nodes = {place};
    op.names = xnnpack_names(node);
    if (node.type == NodeType::kConvert && values_[op.outputs[0]].type == DataType::kQdint8) op.names = {kDynamicConvert};
    const bool has_bounds = node.output_min != -kInfinity || node.output_max != kInfinity;
    const float min = node.output_min, max = node.output_max;
    if (node.type == NodeType::kClamp) {
      op.min = min;
      op.max = max;
    }
    const bool needs_clamp = has_bounds && !can_clamp(op) && op.outputs.size() == 1;
    if (!needs_clamp) return ops_.push_back(std::move(op));
    // It has no bounds of its own: XNNPACK puts a clamp behind it.
    Value between;
    between.type = values_[op.outputs[0]].type;
    values_.push_back(std::move(between));
    Op clamp;
    clamp.type = NodeType::kClamp;
    clamp.source = &node;
    clamp.inputs = {values_.size() - 1};
    clamp.outputs = op.outputs;
    clamp.nodes = {place};
    clamp.names = {"Clamp"};
    clamp.min = min;
    clamp.max = max;
    op.outputs = clamp.inputs;
    ops_.push_back(std::move(op));
    ops_.push_back(std::move(clamp));
  }

  // ---- producers and consumers ----

  void analyze() {
    for (Value& value : values_) {
      value.producer = value.first_consumer = kNone;
      value.consumers = value.is_output ? 1 : 0;
    }
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (!ops_[i].is_alive) continue;
      for (std::size_t k = 0; k < ops_[i].inputs.size(); ++k) {
        if (repeats(ops_[i], k)) continue;
        Value& value = values_[ops_[i].inputs[k]];
        ++value.consumers;
        if (value.first_consumer == kNone) value.first_consumer = i;
      }
      for (const std::size_t output : ops_[i].outputs) values_[output].producer = i;
    }
  }

  static bool repeats(const Op& op, std::size_t k) {
    const auto end = op.inputs.begin() + static_cast<std::ptrdiff_t>(k);
    return std::find(op.inputs.begin(), end, op.inputs[k]) != end;
  }

  // From the back, so that what only fed a dead operator dies with it.
  void remove_dead() {
    analyze();
    for (std::size_t i = ops_.size(); i-- > 0;) {
      Op& op = ops_[i];
      if (!op.is_alive || op.outputs.size() != 1 || values_[op.outputs[0]].consumers > 0) continue;
      op.is_alive = false;
      for (std::size_t k = 0; k < op.inputs.size(); ++k) {
        if (!repeats(op, k)) --values_[op.inputs[k]].consumers;
      }
    }
    analyze();
  }

  bool is_internal(const Value& value) const { return !value.is_input && !value.is_output && !value.is_constant; }

  // ---- paddings and copies beside their neighbours ----

  void fuse_around(std::size_t v) {
    const Value& value = values_[v];
    if (value.consumers != 1 || value.producer == kNone || value.first_consumer == kNone) return;
    Op& producer = ops_[value.producer];
    Op& consumer = ops_[value.first_consumer];
    if (!producer.is_alive || !consumer.is_alive || !is_internal(value)) return;
    if (producer.type == NodeType::kStaticConstantPad && pads_images_with_zero(producer) &&
        (consumer.type == NodeType::kConv2d || consumer.type == NodeType::kDepthwiseConv2d)) {
      consumer.inputs[0] = producer.inputs[0];
      adopt(producer.inputs[0], value.producer, value.first_consumer);
      consumer.absorb(producer);
    } else if (consumer.type == NodeType::kCopy) {
      producer.outputs[0] = consumer.outputs[0];
      values_[producer.outputs[0]].producer = value.producer;
      producer.absorb(consumer);
    } else if (producer.type == NodeType::kCopy) {
      std::replace(consumer.inputs.begin(), consumer.inputs.end(), v, producer.inputs[0]);
      adopt(producer.inputs[0], value.producer, value.first_consumer);
      consumer.absorb(producer);
    }
  }

  void adopt(std::size_t v, std::size_t from, std::size_t to) {
    if (values_[v].first_consumer == from) values_[v].first_consumer = to;
  }

  bool pads_images_with_zero(const Op& op) const {
    const auto& pad = std::get<xnn::Pad>(op.source->params);
    if (pad.before.size() != 4 || pad.after.size() != 4) return false;
    if ((pad.before[0] | pad.after[0] | pad.before[3] | pad.after[3]) != 0) return false;
    // Of 8-bit numbers it would have to be the zero point; that is left to the count of events to tell.
    return values_[op.outputs[0]].type == DataType::kFp32 && pad.value == 0;
  }

  // ---- chains of functions of one 8-bit number: a table ----

  // The value that decides the result, or kNone.
  std::size_t argument_of(const Op& op, const std::vector<std::size_t>& chain) const {
    if (is_unary(op.type)) return op.inputs[0];
    if (!is_binary(op.type) || op.inputs.size() != 2) return kNone;
    const auto is_number = [&](std::size_t v) { return values_[v].is_constant && values_[v].elements == 1; };
    if (is_number(op.inputs[0]) && !values_[op.inputs[1]].is_constant) return op.inputs[1];
    if (is_number(op.inputs[1]) && !values_[op.inputs[0]].is_constant) return op.inputs[0];
    const auto in_chain = [&](std::size_t v) { return std::find(chain.begin(), chain.end(), v) != chain.end(); };
    return in_chain(op.inputs[0]) && in_chain(op.inputs[1]) ? op.inputs[0] : kNone;
  }

  void fuse_table(std::size_t first) {
    constexpr std::size_t kMaxChain = 10;
    if (!ops_[first].is_alive) return;
    const std::size_t input = argument_of(ops_[first], {});
    if (input == kNone || !values_[input].is_byte()) return;
    std::vector<std::size_t> chain;  // operators
    std::vector<std::size_t> known = {input};
    std::size_t at = first;
    while (true) {
      chain.push_back(at);
      const std::size_t made = ops_[at].outputs[0];
      known.push_back(made);
      const Value& value = values_[made];
      if (value.consumers != 1 || value.first_consumer == kNone || chain.size() == kMaxChain) break;
      at = value.first_consumer;
      if (!ops_[at].is_alive || argument_of(ops_[at], known) == kNone) break;
    }
    while (chain.size() > 1 && !values_[ops_[chain.back()].outputs[0]].is_byte()) chain.pop_back();
    if (chain.size() < 2) return;
    Op& table = ops_[chain.back()];
    for (std::size_t k = 0; k + 1 < chain.size(); ++k) table.absorb(ops_[chain[k]]);
    table.inputs = {input};
    table.names = {"Invalid Unary Op", "Unary Elementwise"};
    table.type = NodeType::kSigmoid;  // any function of one number that is no clamp
    table.source = nullptr;
  }

  // ---- what XNNPACK repeats until nothing changes ----

  bool simplify() {
    bool changed = false;
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (!ops_[i].is_alive) continue;
      pass_shape_on(ops_[i]);
      changed = simplify(i) || changed;
    }
    return changed;
  }

  bool simplify(std::size_t i) {
    Op& op = ops_[i];
    switch (op.type) {
      case NodeType::kMultiply:
        if (op.inputs.size() != 2 || op.inputs[0] != op.inputs[1]) return false;
        op.type = NodeType::kSquare;
        op.names = {"Square"};
        op.inputs.pop_back();
        return true;
      case NodeType::kMaximum:
      case NodeType::kMinimum:
        return make_clamp(op);
      case NodeType::kClamp:
        return merge_clamp(op) || drop_clamp(op);
      case NodeType::kStaticReshape:
        return merge_reshape(op) || drop_reshape(op);
      case NodeType::kFullyConnected:
      case NodeType::kBatchMatrixMultiply:
        return drop_transpose(op);
      default:
        return false;
    }
  }

  void pass_shape_on(const Op& op) {
    if (op.outputs.size() != 1) return;
    if (op.type == NodeType::kStaticReshape) {
      const auto& shape = std::get<xnn::Reshape>(op.source->params).shape;
      if (std::find(shape.begin(), shape.end(), 0u) == shape.end()) values_[op.outputs[0]].shape = shape;
    } else if (is_unary(op.type) && values_[op.inputs[0]].shape) {
      values_[op.outputs[0]].shape = values_[op.inputs[0]].shape;
    } else if (is_binary(op.type) && values_[op.inputs[0]].shape && values_[op.inputs.back()].shape) {
      values_[op.outputs[0]].shape = broadcast(*values_[op.inputs[0]].shape, *values_[op.inputs.back()].shape);
    }
  }

  static std::vector<std::uint32_t> broadcast(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
    std::vector<std::uint32_t> out(std::max(a.size(), b.size()), 1);
    for (std::size_t k = 0; k < out.size(); ++k) {
      const std::uint32_t x = k < a.size() ? a[a.size() - 1 - k] : 1;
      const std::uint32_t y = k < b.size() ? b[b.size() - 1 - k] : 1;
      out[out.size() - 1 - k] = x == 1 ? y : x;
    }
    return out;
  }

  bool make_clamp(Op& op) {
    for (const std::size_t k : {std::size_t{1}, std::size_t{0}}) {
      const Value& bound = values_[op.inputs[k]];
      if (!bound.is_constant || bound.elements != 1) continue;
      op.inputs = {op.inputs[1 - k]};
      // Which number it is does not matter here, only that it is one.
      (op.type == NodeType::kMaximum ? op.min : op.max) = 0;
      op.type = NodeType::kClamp;
      op.names = {"Clamp"};
      return true;
    }
    return false;
  }

  // The operator that made the input, if nothing else reads that.
  Op* sole_producer(const Op& op, std::size_t k) {
    const Value& value = values_[op.inputs[k]];
    if (value.consumers != 1 || value.producer == kNone) return nullptr;
    Op& producer = ops_[value.producer];
    return producer.is_alive ? &producer : nullptr;
  }

  bool merge_clamp(Op& op) {
    Op* producer = sole_producer(op, 0);
    if (producer == nullptr || !can_clamp(*producer)) return false;
    producer->min = std::min(std::max(producer->min, op.min), op.max);
    producer->max = std::min(std::max(producer->max, op.min), op.max);
    producer->outputs[0] = op.outputs[0];
    producer->absorb(op);
    return true;
  }

  bool drop_clamp(Op& op) {
    if (op.min != -kInfinity || op.max != kInfinity) return false;
    if (!short_circuit(op.inputs[0], op.outputs[0])) {
      op.type = NodeType::kCopy;
      op.names = {"Copy"};
      return true;
    }
    op.is_alive = false;
    return true;
  }

  bool merge_reshape(Op& op) {
    if (!has_fixed_shape(op)) return false;
    Op* producer = sole_producer(op, 0);
    if (producer == nullptr || producer->type != NodeType::kStaticReshape) return false;
    op.inputs[0] = producer->inputs[0];
    op.absorb(*producer);
    return true;
  }

  static bool has_fixed_shape(const Op& op) {
    const auto& shape = std::get<xnn::Reshape>(op.source->params).shape;
    return std::find(shape.begin(), shape.end(), 0u) == shape.end();
  }

  bool drop_reshape(Op& op) {
    if (!has_fixed_shape(op)) return false;
    const Value& input = values_[op.inputs[0]];
    if (!input.shape || input.consumers > 1 || values_[op.outputs[0]].is_output) return false;
    if (!input.is_constant && *input.shape != std::get<xnn::Reshape>(op.source->params).shape) return false;
    if (!short_circuit(op.inputs[0], op.outputs[0])) return false;
    op.is_alive = false;
    return true;
  }

  // Readers of `output` read `input`; false where both must exist.
  bool short_circuit(std::size_t input, std::size_t output) {
    // Nobody's model; a file may ask for any amount of work.
    constexpr std::size_t kMaxWork = 200'000'000;
    if ((work_ += ops_.size()) > kMaxWork) return false;
    if (values_[output].is_output) {
      if (values_[input].is_output || values_[input].producer == kNone) return false;
      for (std::size_t& made : ops_[values_[input].producer].outputs) {
        if (made == input) made = output;
      }
      std::swap(input, output);
    }
    values_[input].consumers += std::max<std::size_t>(values_[output].consumers, 1) - 1;
    for (Op& op : ops_) std::replace(op.inputs.begin(), op.inputs.end(), output, input);
    return true;
  }

  // A product reads its second operand either way round.
  bool drop_transpose(Op& op) {
    if (op.inputs.size() < 2) return false;
    Op* producer = sole_producer(op, 1);
    if (producer == nullptr || producer->type != NodeType::kStaticTranspose) return false;
    const auto& perm = std::get<xnn::Transpose>(producer->source->params).perm;
    const std::size_t rank = perm.size();
    if (rank < 2 || perm[rank - 2] != rank - 1 || perm[rank - 1] != rank - 2) return false;
    for (std::size_t k = 0; k + 2 < rank; ++k) {
      if (perm[k] != k) return false;
    }
    op.inputs[1] = producer->inputs[0];
    op.absorb(*producer);
    return true;
  }

  // Values that something else than a product reads.
  std::vector<bool> read_by_others() const {
    std::vector<bool> out(values_.size(), false);
    for (const Op& op : ops_) {
      if (!op.is_alive || is_product(op)) continue;
      for (const std::size_t input : op.inputs) out[input] = true;
    }
    return out;
  }

  // Numbers quantised on the fly for products only: each may do it itself.
  bool quantises_for_products(const Op& op, const std::vector<bool>& other_readers) const {
    if (op.type != NodeType::kConvert || op.outputs.size() != 1) return false;
    const Value& made = values_[op.outputs[0]];
    return made.type == DataType::kQdint8 && made.first_consumer != kNone && !other_readers[op.outputs[0]];
  }

  static bool is_unary(NodeType type) { return xnnpack_kind(type) == XnnpackKind::kUnary; }
  static bool is_binary(NodeType type) { return xnnpack_kind(type) == XnnpackKind::kBinary; }

  std::vector<Value> values_;
  std::vector<Op> ops_;
  std::unordered_map<std::uint32_t, std::size_t> places_;
  std::size_t work_ = 0;
};

}  // namespace

std::vector<XnnpackOperator> xnnpack_operators(const xnn::Graph& graph) {
  Subgraph subgraph(graph);
  subgraph.optimize();
  return subgraph.operators();
}

}  // namespace etalon::analysis
