// int8 functions of one number: whatever is computed from one int8 tensor, element by element, and stored as int8
// again is a table of 256 bytes, and a table behind a convolution is a part of it.
#include <algorithm>
#include <optional>
#include <set>

#include "backends/native/rewrites/rewrite.h"
#include "kernels/vector/vector.h"

namespace etalon::native {
namespace {

constexpr std::size_t kEntries = 256;
using Curve = std::array<float, kEntries>;  // by the byte that is stored
constexpr int kDeepest = 16;                // nodes from end to end; programs spell out activations in three or four

const kernels::VectorKernels& arithmetic() { return kernels::vector_kernels(kernels::Isa::kScalar); }

float dequantised(std::size_t byte, const reference::Quantisation& q) {
  const std::int32_t stored = static_cast<std::int8_t>(byte);
  return q.scale * static_cast<float>(stored - q.zero_point);
}

// Follows float values back to the int8 tensor that all of them are computed from.
class CurveOf {
 public:
  explicit CurveOf(Graph& graph, const Dims& dims) : graph_(graph), dims_(dims) {}

  std::optional<Curve> run(ValueId id) { return curve(id, kDeepest); }
  ValueId source() const { return source_; }
  // What was computed on the way, by place in the graph.
  const std::set<std::size_t>& nodes() const { return nodes_; }

 private:
  std::optional<Curve> curve(ValueId id, int depth) {
    const Value& value = graph_.values[id];
    if (const float* number = scalar_of(value)) {
      Curve out;
      out.fill(*number);
      return out;
    }
    if (depth == 0 || value.dims != dims_ || graph_.producer(id) == Graph::kNone) return std::nullopt;
    const Node& node = graph_.nodes[graph_.producer(id)];
    nodes_.insert(graph_.producer(id));
    if (node.as<Dequantise>() != nullptr) return start(node.inputs[0]);
    if (const auto* unary = node.as<Unary>()) {
      auto out = curve(node.inputs[0], depth - 1);
      if (!out) return std::nullopt;
      const auto function = arithmetic().unary[static_cast<std::size_t>(unary->op)];
      function(out->data(), out->data(), kEntries, unary->params);
      return out;
    }
    const auto* binary = node.as<Binary>();
    if (binary == nullptr) return std::nullopt;
    auto left = curve(node.inputs[0], depth - 1);
    const auto right = left ? curve(node.inputs[1], depth - 1) : std::nullopt;
    if (!right) return std::nullopt;
    const auto function = arithmetic().binary[static_cast<std::size_t>(binary->op)];
    function(left->data(), right->data(), left->data(), kEntries, binary->min, binary->max);
    return left;
  }

  std::optional<Curve> start(ValueId stored) {
    if (source_ != kNoValue && source_ != stored) return std::nullopt;
    source_ = stored;
    Curve out;
    for (std::size_t i = 0; i < kEntries; ++i) out[i] = dequantised(i, graph_.values[stored].quantisation);
    return out;
  }

  Graph& graph_;
  const Dims& dims_;
  ValueId source_ = kNoValue;
  std::set<std::size_t> nodes_;
};

ByteTable stored(const Curve& curve, const Value& output) {
  // The plain node's own rounding.
  xnn::Node convert;
  convert.type = xnn::NodeType::kConvert;
  Curve numbers = curve;
  ByteTable out;
  reference::TensorType types[2] = {{xnn::DataType::kFp32, Dims{kEntries}, {}}, output.tensor_type()};
  types[1].dims = Dims{kEntries};
  const reference::TensorRef from{&types[0], reinterpret_cast<std::byte*>(numbers.data())};
  const reference::TensorRef to{&types[1], reinterpret_cast<std::byte*>(out.data())};
  reference::run_node(convert, {&from, 1}, {&to, 1});
  return out;
}

ByteTable then(const ByteTable& first, const ByteTable& second) {
  ByteTable out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = second[first[i]];
  return out;
}

// The limits that a table is, if it changes nothing else.
std::optional<StoredLimits> as_limits(const ByteTable& table) {
  const auto at = [&](std::int32_t i) { return std::int32_t{static_cast<std::int8_t>(table[static_cast<std::uint8_t>(i)])}; };
  const StoredLimits limits{at(-128), at(127)};
  if (limits.min > limits.max) return std::nullopt;
  for (std::int32_t i = -128; i < 128; ++i) {
    if (at(i) != std::clamp(i, limits.min, limits.max)) return std::nullopt;
  }
  return limits;
}

// `node` now does the work of those among `nodes` that nobody else needs.
void take_origins(const Graph& graph, Node& node, std::size_t index, const std::set<std::size_t>& nodes) {
  std::set<std::size_t> gone = {index};
  for (auto maker = nodes.rbegin(); maker != nodes.rend(); ++maker) {
    const Node& other = graph.nodes[*maker];
    const auto& users = graph.users(other.output());
    const bool is_needed = graph.values[other.output()].is_output ||
                           std::any_of(users.begin(), users.end(), [&](std::size_t user) { return !gone.contains(user); });
    if (is_needed) continue;
    gone.insert(*maker);
    add_origin(node, other);
  }
}

}  // namespace

// quantise(f(dequantise(x))) is a table of x.
bool fold_table(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  if (node.as<Quantise>() == nullptr) return false;
  const Value& output = graph.values[node.output()];
  CurveOf curve_of(graph, output.dims);
  const auto curve = curve_of.run(node.inputs[0]);
  if (!curve || curve_of.source() == kNoValue) return false;
  const ValueId source = curve_of.source();
  take_origins(graph, node, index, curve_of.nodes());
  node.params = Qs8Table{stored(*curve, output)};
  node.inputs = {source};
  graph.sweep();
  return true;
}

// A table behind a convolution or another table, read by nobody else, is a part of it.
bool fuse_table(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* table = node.as<Qs8Table>();
  if (table == nullptr || !graph.has_one_user(node.inputs[0])) return false;
  const std::size_t maker = graph.producer(node.inputs[0]);
  if (maker == Graph::kNone) return false;
  Node& before = graph.nodes[maker];
  if (auto* conv = before.as<Qs8Conv>()) {
    const auto limits = as_limits(table->bytes);
    const auto& output = graph.values[node.output()].quantisation;
    if (limits && !conv->table && conv->scale == output.scale && conv->zero_point == output.zero_point) {
      conv->limits = {std::clamp(conv->limits.min, limits->min, limits->max),
                      std::clamp(conv->limits.max, limits->min, limits->max)};
    } else {
      // The sums are still stored as the value that goes would have been.
      conv->table = conv->table ? then(*conv->table, table->bytes) : table->bytes;
    }
  } else if (auto* first = before.as<Qs8Table>()) {
    first->bytes = then(first->bytes, table->bytes);
  } else {
    return false;
  }
  before.outputs[0] = node.output();
  absorb(before, node);
  graph.sweep();
  return true;
}

}  // namespace etalon::native
