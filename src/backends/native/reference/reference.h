// Plain execution of every XNNGraph node type: the engine's way to run what has no fast kernel, and what fast kernels
// are held against. Nothing here is fast; what it computes follows XNNPACK to the rounding of each quantised output.
//
//   resolve_quantisation() per value -> check_node() when compiling -> run_node() any number of times
//
// Tensors are dense and row-major in their physical sizes, at any alignment. Floats accumulate in double; fp16 is
// computed in float and rounded once per output. run_node() neither allocates nor fails. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/xnn/xnn.h"
#include "tensor/dims.h"

namespace etalon::native::reference {

// real = scale * (stored - zero_point). Which members count depends on the data type.
struct Quantisation {
  float scale = 1;              // qint8, quint8, qint32
  std::int32_t zero_point = 0;
  Bytes scales;                 // qcint8, qcint32, qcint4: float32 per channel; qbint4: per group, row by row. Borrowed
  bool scales_are_bf16 = false; // qbint4
  std::size_t channel_dim = 0;
  std::int64_t group_size = 0;  // qbint4
  std::size_t nonbatch_dims = 0;  // qdint8: a row is that many innermost dims
};

struct TensorType {
  formats::xnn::DataType type = formats::xnn::DataType::kFp32;
  Dims dims;
  Quantisation quantisation;
};

// qdint8 is only ever made by a Convert node; its rows' scales and zero points are written behind its numbers.
struct TensorRef {
  const TensorType* type = nullptr;
  std::byte* data = nullptr;  // storage_bytes(*type); inputs are only read
};

// A multiple of 16 for qdint8, otherwise exactly the elements. Dims within check_size() cannot overflow it.
std::size_t storage_bytes(const TensorType& type);

// The bytes of a constant by its index into Graph::constants; nothing if its key is unknown.
using ConstantLookup = std::function<std::optional<Bytes>(std::string_view key)>;

// Errors: kNotFound (a key), kInvalidInput (too few scales, a scale that is not positive).
Result<Quantisation> resolve_quantisation(const formats::xnn::Graph& graph, const formats::xnn::Value& value,
                                          const ConstantLookup& lookup);

// Bytes of Graph::constants[index]. Errors: kNotFound, kInvalidInput (fewer than `needed`).
Result<Bytes> constant_bytes(const formats::xnn::Graph& graph, std::uint32_t index, std::uint64_t needed,
                             const ConstantLookup& lookup);

// Proves that run_node() can run it: sizes agree with each other, and the data types are a combination that is
// implemented. `inputs` has one entry per node.inputs, null for a missing bias. Errors begin with the node type's name:
// kInvalidInput (sizes), kUnsupported (types).
Status check_node(const formats::xnn::Node& node, std::span<const TensorType* const> inputs,
                  std::span<const TensorType* const> outputs);

// Inputs and outputs as proved, in storage that does not overlap. A missing bias has null members.
void run_node(const formats::xnn::Node& node, std::span<const TensorRef> inputs, std::span<const TensorRef> outputs);

// The fixed-point scaling that XNNPACK uses for quantised sums, if the scales allow it.
struct FixedPointSum {
  std::int32_t left = 0, right = 0;  // multipliers
  std::int32_t bias = 0;             // zero points and rounding
  std::uint32_t shift = 0;
};
std::optional<FixedPointSum> fixed_point_sum(const Quantisation& left, const Quantisation& right,
                                             const Quantisation& output, bool subtract);

// The stored numbers that limits of real ones allow.
struct IntegerRange {
  std::int32_t low = 0, high = 0;
};
IntegerRange stored_limits(const TensorType& type, float min, float max);

}  // namespace etalon::native::reference
