// The plan carried out: quantize / dequantize pairs around what computes on int8, as torch's convert_pt2e puts them.
//
//   static    y = quantize(conv(dequantize(quantize(x)), dequantize(w), bias)), and dequantize(y) for whoever reads it;
//             an operator between two such pairs, its fused clamp or composite included, is what runtimes compute on int8
//   dynamic   conv(dequantize(quantize(x, choose_qparams(x))), dequantize(w), bias), with parameters per row of the
//             activations of linear layers and per tensor for convolutions; results are float
//
// Weights become int8 constants behind dequantize_per_channel (dequantize_per_tensor with one scale). Those of linear
// layers are stored as [out, in] and transposed behind it. Biases stay float.
#pragma once

#include <span>

#include "ir/graph.h"
#include "quantize/params.h"
#include "quantize/plan.h"

namespace etalon::quantize {

// `params` has one entry per group of the plan, which was made from this very graph; empty for dynamic plans.
// Values keep their names and ids before compact() is called, which the caller does.
// Errors: kInvalidInput (NaN or infinity in weights, with their name).
Status quantise(ir::Graph& graph, const Plan& plan, std::span<const Params> params);

}  // namespace etalon::quantize
