// The plan carried out: quantize / dequantize pairs around what computes on int8, as torch's convert_pt2e
// puts them.
//
//   static    y = quantize(conv(dequantize(quantize(x)), dequantize(w), bias)), and dequantize(y) for whoever
//   reads it;
//             an operator between two such pairs, its fused clamp or composite included, is what runtimes
//             compute on int8
//   dynamic   conv(dequantize(quantize(x, choose_qparams(x))), dequantize(w), bias), with parameters per row
//   of the
//             activations of linear layers and per tensor for convolutions; results are float
//
// Weights become int8 constants behind dequantize_per_channel (dequantize_per_tensor with one scale). Those
// of linear layers are stored as [out, in] and transposed behind it. Biases stay float, corrected for what
// rounding weights takes.
#pragma once

#include <map>
#include <vector>

#include "ir/graph.h"
#include "quantize/bias_correction.h"
#include "quantize/params.h"
#include "quantize/plan.h"

namespace etalon::quantize {

enum class WeightForm : std::uint8_t {
  kInt8,     // as above
  kRounded,  // floats that are what the int8 weights stand for: the same numbers, for measuring accuracy at
             // full speed
};

// Values that are computed on int8 -> what everyone reads instead.
using Readings = std::map<ir::ValueId, ir::ValueId>;

// What calibration found out.
struct Calibration {
  std::vector<Params> params;  // one per group of the plan; empty for dynamic plans
  InputMeans means;            // biases of the layers that read these values are corrected; may be empty
};

// The plan was made from this very graph. Values keep their names, and their ids until the caller compacts
// the graph. Errors: kInvalidInput (NaN or infinity in weights, with their name).
Result<Readings> quantise(ir::Graph& graph, const Plan& plan, const Calibration& calibration,
                          WeightForm form = WeightForm::kInt8);

}  // namespace etalon::quantize
