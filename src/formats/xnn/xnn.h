// The payload of ExecuTorch's XNNPACK delegate ("XNNGraph"): bytes <-> plain structs. formats.md, section 2.
//
// decode() is total: whatever the bytes are, it returns a Graph in which every id that a node or a list mentions is a
// value of the graph (or kNoValue where that is allowed), every constant lies inside the payload or has a key, every
// enum is known, every value has one producer that comes before its users, and the parameter lists have the lengths
// that their node type wants; or an error. Old files' `dq_datatype` is read as the Convert node that it stands for.
// Shapes of internal values are what the writer claimed and are not trustworthy: a reader infers them itself.
// Constant bytes are spans into the payload. Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::formats::xnn {

inline constexpr std::uint32_t kNoValue = 0xFFFFFFFFu;  // a missing bias, an unused input of a concatenation
inline constexpr std::uint32_t kNoExternal = 0xFFFFFFFFu;
inline constexpr std::uint32_t kExternalInput = 1;   // Value::flags
inline constexpr std::uint32_t kExternalOutput = 2;
inline constexpr std::uint32_t kTransposeWeights = 1;  // Node::flags
inline constexpr std::uint32_t kAlignCorners = 8;
inline constexpr std::uint32_t kKeepDims = 0x40;
inline constexpr std::size_t kMaxDims = 6;
inline constexpr std::uint32_t kNoDebugHandle = 65535;

enum class DataType : std::int16_t {
  kInvalid = 0, kFp32 = 1, kFp16 = 2, kQint8 = 3, kQuint8 = 4, kQint32 = 5, kQcint8 = 6, kQcint32 = 7, kQcint4 = 8,
  kQdint8 = 9, kQbint4 = 10, kQpint8 = 11, kInt32 = 12, kPfp32 = 13, kBf16 = 14,
};
std::string_view name_of(DataType type);            // "fp32", "qcint8"
// Bits per element; 4 for the packed 4-bit types.
std::size_t bits_of(DataType type);

// The order is that of the file's union tags, counting from 1.
enum class NodeType : std::uint8_t {
  kAdd = 1, kFullyConnected, kSoftmax, kSigmoid, kStaticTranspose, kClamp, kConv2d, kDiv, kStaticResizeBilinear2D,
  kStaticConstantPad, kAvgPooling2d, kMinimum, kDepthwiseConv2d, kMaxPooling2d, kMultiply, kSubtract, kFloor, kConvert,
  kGlobalAvgPooling2d, kStaticReshape, kArgMaxPooling2d, kSquareRoot, kCeiling, kHardswish, kLeakyReLU, kMaximum,
  kNegate, kSquare, kELU, kAbs, kPReLU, kConcatenate2, kConcatenate3, kConcatenate4, kStaticSlice,
  kScaledDotProductAttention, kBatchMatrixMultiply, kConcatenate5, kConvTranspose2d, kReciprocalSquareRoot, kLog, kGelu,
  kTanh, kExp, kSin, kCopy, kCos,
};
inline constexpr std::size_t kNodeTypeCount = 47;
std::string_view name_of(NodeType type);            // "Conv2d", "StaticTranspose": the schema's without XNN

struct PerTensorQuant {
  float scale = 1;
  std::int32_t zero_point = 0;
};
// Scales are inline or a constant (index into Graph::constants; 0: inline).
struct PerChannelQuant {
  std::vector<float> scales;
  std::int32_t channel_dim = 0;
  std::uint32_t scale_constant = 0;
  std::uint32_t num_scales = 0;
};
struct PerTokenDynamicQuant {
  std::int32_t num_nonbatch_dims = 1;
};
struct PerChannelGroupQuant {
  std::vector<float> scales;             // legacy
  std::vector<std::uint16_t> scales_bf16;  // legacy
  std::int32_t channel_dim = 0;
  std::int32_t group_size = 0;
  std::uint32_t scale_constant = 0;
  std::uint32_t num_scales = 0;
};
using Quantization =
    std::variant<std::monostate, PerTensorQuant, PerChannelQuant, PerTokenDynamicQuant, PerChannelGroupQuant>;

struct Value {
  std::uint32_t id = 0;                     // what nodes use; unique
  DataType type = DataType::kFp32;
  std::vector<std::uint32_t> dims;          // physical order; rank 0 is written as [1]
  std::uint32_t constant = 0;               // index into Graph::constants; 0: none
  std::uint32_t external_id = kNoExternal;  // argument of the delegate call
  std::uint32_t flags = 0;                  // kExternalInput | kExternalOutput
  Quantization quantization;

  bool is_input() const { return (flags & kExternalInput) != 0; }
  bool is_output() const { return (flags & kExternalOutput) != 0; }
  bool is_external() const { return flags != 0; }
};

// Bytes of a value that is dense with its own dims (rows of 4-bit numbers begin at a byte); nothing on overflow.
std::optional<std::uint64_t> dense_nbytes(const Value& value);

// Parameters by node type; every other type has none.
struct Conv {  // kConv2d, kDepthwiseConv2d, kConvTranspose2d; inputs: image, filter, bias or kNoValue
  std::uint32_t padding_top = 0, padding_right = 0, padding_bottom = 0, padding_left = 0;
  std::uint32_t kernel_height = 1, kernel_width = 1;
  std::uint32_t subsampling_height = 1, subsampling_width = 1;
  std::uint32_t dilation_height = 1, dilation_width = 1;
  std::uint32_t group_input_channels = 1, group_output_channels = 1, groups = 1;
  std::uint32_t adjustment_height = 0, adjustment_width = 0;  // kConvTranspose2d's output padding
};
struct Pool {  // kAvgPooling2d, kMaxPooling2d, kArgMaxPooling2d (outputs: values, indices; no stride or dilation)
  std::uint32_t padding_top = 0, padding_right = 0, padding_bottom = 0, padding_left = 0;
  std::uint32_t pooling_height = 1, pooling_width = 1;
  std::uint32_t stride_height = 1, stride_width = 1;
  std::uint32_t dilation_height = 1, dilation_width = 1;
};
struct Transpose { std::vector<std::uint32_t> perm; };
struct Reshape { std::vector<std::uint32_t> shape; };  // at most one 0: inferred
struct Slice { std::vector<std::uint32_t> offsets, sizes; };
struct Pad { std::vector<std::uint32_t> before, after; float value = 0; };
struct Resize { std::uint32_t height = 1, width = 1; };
struct Concatenate { std::uint32_t axis = 0; };  // kConcatenate2..5
struct Elu { float alpha = 1; };
struct LeakyRelu { float negative_slope = 0.01f; };
using Params = std::variant<std::monostate, Conv, Pool, Transpose, Reshape, Slice, Pad, Resize, Concatenate, Elu, LeakyRelu>;

// Inputs in the order of the schema's fields: data inputs first, then filter, bias (kNoValue: none).
// kFullyConnected: input, filter, bias. kScaledDotProductAttention: query, key, value, scale, mask.
// Concatenations list exactly their 2, 3, 4 or 5 inputs.
struct Node {
  NodeType type = NodeType::kAdd;
  std::vector<std::uint32_t> inputs;
  std::vector<std::uint32_t> outputs;
  std::uint32_t flags = 0;
  std::uint32_t debug_handle = kNoDebugHandle;
  float output_min = -std::numeric_limits<float>::infinity();
  float output_max = std::numeric_limits<float>::infinity();
  Params params;
};

// Bytes inside the payload, or the key of named data.
struct ConstantData {
  std::optional<std::string> key;  // present: named data, whatever `inline_data` says
  Bytes inline_data;
  std::uint64_t size = 0;          // as the file says; of named data only a claim
};

struct Graph {
  std::vector<Value> values;                        // any order
  std::vector<Node> nodes;                          // topological
  std::vector<ConstantData> constants = {ConstantData{}};  // [0] is reserved: "none"
  std::uint32_t num_externs = 0;                    // external ids are below it
  std::vector<std::uint32_t> input_ids, output_ids;  // value ids; readers go by flags instead

  const Value* find(std::uint32_t id) const;
};

// Errors: kInvalidInput (not an XNNGraph, damaged), kUnsupported (an unknown version, node or data type).
Result<Graph> decode(Bytes payload);

// What ExecuTorch 1.5 writes. Constants without a key are stored behind the flatbuffer.
// Errors: kInvalidInput (an id that is not a value, parameters that do not fit the node type).
Result<std::vector<std::byte>> encode(const Graph& graph);

}  // namespace etalon::formats::xnn
