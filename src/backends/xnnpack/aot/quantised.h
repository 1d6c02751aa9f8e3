// Quantised tensors in graphs: `quantized_decomposed` pairs as PyTorch's PT2E quantisation puts them there,
// read the way XNNPACK wants them.
//
//   q = quantize_per_tensor(x, scale, zero_point, -128, 127, int8)      an activation, static
//   y = dequantize_per_tensor(q, ...)
//   w = dequantize_per_channel(constant int8, scales, zero_points, axis, ...)   a weight
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backends/xnnpack/aot/lowering.h"

namespace etalon::xnnpack {

// real = scale * (stored - zero_point)
struct Affine {
  float scale = 1;
  std::int32_t zero_point = 0;
  friend bool operator==(const Affine&, const Affine&) = default;
};

// A node with a fixed scale and zero point for the whole tensor: quantize_per_tensor, dequantize_per_tensor.
bool is_quantise(const ir::Node& node);
bool is_dequantise(const ir::Node& node);
// Its scale and zero point. Only of a node that refuse_affine() accepts.
Affine affine_of(const ir::Node& node);
// Why XNNPACK cannot hold a tensor that is quantised like this: another type than int8, less than its whole
// range, a scale that is no positive number.
Refused refuse_affine(const ir::Graph& graph, const ir::Node& node);

// Any operator that makes floats of constants that are integers. Such nodes stand for weights: they belong to
// whoever reads them and cross no border.
bool is_weight(const ir::Graph& graph, const ir::Node& node);
// The node behind a value, if is_weight().
const ir::Node* weight_node(const ir::Graph& graph, ir::ValueId id);

// A weight in int8 as XNNPACK's kernels want it: zero points of zero, one positive scale per index of `axis`.
struct QuantisedWeight {
  const ir::Constant* numbers = nullptr;
  std::vector<float> scales;  // a single one if is_per_tensor()
  int axis = -1;              // of the numbers' dims; -1: one scale for all

  bool is_per_tensor() const { return axis < 0; }
};
// Errors (kUnsupported) say what is different.
Result<QuantisedWeight> quantised_weight(const ir::Graph& graph, const ir::Node& node);

}  // namespace etalon::xnnpack
