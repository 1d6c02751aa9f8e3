// The small graph that a payload is compiled through: imported, rewritten, then laid out into a plan.
//
// Unlike XNNGraph, nodes say what is computed and not how tensors lie in memory: a convolution has its
// activation, its residual and its squeeze-and-excite scale as parts; whether a transpose costs anything is
// decided by the layout. Nodes are in topological order. Constants are borrowed. Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backends/native/reference/reference.h"
#include "base/bytes.h"
#include "formats/xnn/xnn.h"
#include "kernels/epilogue.h"
#include "kernels/vector/vector.h"
#include "tensor/dims.h"

namespace etalon::native {

namespace xnn = formats::xnn;

using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = xnn::kNoValue;

struct Value {
  xnn::DataType type = xnn::DataType::kFp32;
  xnn::DataType payload_type = xnn::DataType::kFp32;  // fp16 is kept as float32 inside; labels tell what it was
  Dims dims;
  Bytes constant;                             // its elements, if it is one
  std::string data_name;                      // tells a constant's bytes from all others of the program
  std::uint32_t external = xnn::kNoExternal;  // argument of the delegate call
  bool is_input = false, is_output = false;
  reference::Quantisation quantisation;  // resolved; of types that have one

  bool is_constant() const { return constant.data() != nullptr; }
  bool is_float() const { return type == xnn::DataType::kFp32; }
  std::int64_t elements() const { return numel(dims); }
  reference::TensorType tensor_type() const { return {type, dims, quantisation}; }
};

struct ConvGeometry {
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, groups = 1;
  bool is_linear = false;  // rows are all dims but the last; filter [out][in], or [in][out]:
  bool filter_is_io = false;
  bool filter_is_hwo = false;  // [1][kh][kw][out]: a depthwise node's
};
// Convolution and fully connected layer. Inputs: image, filter, bias, residual, input scale (kNoValue: none
// of it).
struct Conv : ConvGeometry {
  kernels::Epilogue epilogue;
};
struct Unary {
  kernels::Unary op = kernels::Unary::kClamp;
  kernels::UnaryParams params;
};
struct Binary {  // numpy broadcasting
  kernels::Binary op = kernels::Binary::kAdd;
  float min = -__builtin_inff(), max = __builtin_inff();
};
struct Softmax {  // over the last dim, of scale * x
  float scale = 1;
};
struct Matmul {  // inputs: [.., M, K], [.., K, N]
  float scale = 1;
};
// softmax(scale * q x k [+ mask]) x v. Inputs: q [.., M, D], k [.., D, N], v [.., N, E], mask or kNoValue.
struct Attention {
  float scale = 1;
};
struct Pool {
  bool is_max = false;
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  float min = -__builtin_inff(), max = __builtin_inff();
};
struct GlobalAverage {  // of [N, H, W, C] over H and W
  float min = -__builtin_inff(), max = __builtin_inff();
};
struct Transpose {
  std::vector<std::uint32_t> perm;  // output dim i is input dim perm[i]
};
struct Reshape {};  // to the output's dims
struct Slice {
  std::vector<std::int64_t> offsets;
};
struct Concatenate {
  std::size_t axis = 0;
};
// Over the last dim. Inputs: x, gamma, beta (kNoValue: none), both of that dim's size.
struct LayerNorm {
  float epsilon = 1e-5f;
};
struct Convert {};  // between float32 and fp16, at the border of a graph

// int8: values are of type qint8, and scales and zero points are those of the values.
struct StoredLimits {
  std::int32_t min = -128, max = 127;
};
using ByteTable = std::array<std::uint8_t, 256>;  // by the byte that is stored
// Inputs: image, filter (qint8 or qcint8), bias (qint32, qcint32 or kNoValue).
struct Qs8Conv : ConvGeometry {
  float scale = 1;  // of what is stored, before a table changes it
  std::int32_t zero_point = 0;
  StoredLimits limits;
  std::optional<ByteTable> table;  // applied last
};
struct Qs8Binary {  // kAdd, kSubtract or kMultiply, numpy broadcasting
  kernels::Binary op = kernels::Binary::kAdd;
  StoredLimits limits;
};
struct Qs8Table {
  ByteTable bytes;
};
struct Qs8MaxPool {
  Pool window;
  StoredLimits limits;
};
struct Qs8GlobalAverage {
  StoredLimits limits;
};
// Attention whose q, k, v and result are int8; its mask is float32.
struct Qs8Attention {
  float scale = 1;
};
struct Quantise {};    // float32 -> qint8
struct Dequantise {};  // qint8 -> float32
struct QuantiseRows {};  // float32 -> qdint8
// Inputs: image (qdint8), filter (qint8 or qcint8), bias (float32 or kNoValue); the output is float32.
struct Qd8Conv : ConvGeometry {
  float min = -__builtin_inff(), max = __builtin_inff();
};
// What has no kernel of its own here: computed by the plain node of reference/.
struct Reference {
  xnn::Node node;
};

using Params = std::variant<Conv, Unary, Binary, Softmax, Matmul, Attention, Pool, GlobalAverage, Transpose,
                            Reshape, Slice, Concatenate, LayerNorm, Convert, Qs8Conv, Qs8Binary, Qs8Table, Qs8MaxPool,
                            Qs8GlobalAverage, Qs8Attention, Quantise, Dequantise, QuantiseRows, Qd8Conv, Reference>;

struct Node {
  Params params;
  std::vector<ValueId> inputs;  // may hold kNoValue where the kind says so
  std::vector<ValueId> outputs;
  std::vector<std::uint32_t> debug_handles;
  std::vector<std::uint32_t> payload_nodes;  // by place in the payload: those that it stands for
  std::string label;  // XNNPACK's name of the operator, without the occurrence number

  template <class T>
  T* as() {
    return std::get_if<T>(&params);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&params);
  }
  ValueId output() const { return outputs[0]; }
};

class Graph {
 public:
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<std::unique_ptr<float[]>> owned;  // constants that are not in the payload

  static constexpr std::size_t kNone = ~std::size_t{0};

  // Which nodes make and use a value; valid until nodes or their lists change, then refresh() anew.
  void refresh();
  std::size_t producer(ValueId value) const { return producers_[value]; }
  const std::vector<std::uint32_t>& users(ValueId value) const { return users_[value]; }
  // Nothing but one node reads it (even if that node reads it twice).
  bool has_one_user(ValueId value) const;
  // The node that makes `value`, if its parameters are a T and nobody else reads the value; else null.
  template <class T>
  Node* sole_producer(ValueId value) {
    if (value == kNoValue || producers_[value] == kNone || !has_one_user(value)) return nullptr;
    Node& node = nodes[producers_[value]];
    return node.as<T>() != nullptr ? &node : nullptr;
  }
  template <class T>
  Node* producer_as(ValueId value) {
    if (value == kNoValue || producers_[value] == kNone) return nullptr;
    Node& node = nodes[producers_[value]];
    return node.as<T>() != nullptr ? &node : nullptr;
  }

  ValueId add_value(Value value);
  // A float32 value that is computed inside.
  ValueId add_internal(const Dims& dims);
  // One that stores numbers as `like` does.
  ValueId add_internal(const Dims& dims, const Value& like);
  // Removes nodes that are marked by an empty list of outputs, and those whose outputs nobody reads;
  // refreshes.
  void sweep();
  // Every user of `from` reads `to` instead. `from` must not be an output of the graph.
  void replace_uses(ValueId from, ValueId to);

 private:
  std::vector<std::size_t> producers_;
  std::vector<std::vector<std::uint32_t>> users_;
};

// `node` also does the work that `other` stood for.
void add_origin(Node& node, const Node& other);

// Takes `other` out of the graph (at the next sweep) because `kept` does its work too.
void absorb(Node& kept, Node& other);

// The value of a constant with one element, if it is one.
const float* scalar_of(const Value& value);

}  // namespace etalon::native
