// Products with constant weights in int8: what convolutions and fully connected layers have in common.
#pragma once

#include <optional>
#include <vector>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {

// Places of a product's operands in the graph.
struct ProductOperands {
  ValueId input;
  ValueId weight;
  ValueId bias = ir::kNoValue;
  ValueId out;
  std::size_t channel_dim;  // of the weight: what has scales of its own
  std::size_t outputs;      // channels of the result; scales repeat if the weight has fewer
};

// A product of int8 that gives int8.
struct QuantisedProduct {
  ValueId input;               // int8 name
  const ir::Constant* weight;  // int8
  Scales
      scales;  // of the outputs; `dim` is set if there is one for each, its value is the caller's to choose
  std::vector<std::int32_t> bias;  // empty: none
  Scales bias_scales;
  PayloadBuilder::Result result;
};

// Nothing if the operands are not quantised, or not so that XNNPACK can compute in int8; the latter is noted.
std::optional<QuantisedProduct> quantised_product(PayloadBuilder& b, const ProductOperands& operands);

// The scales of a weight, one per output.
Result<std::vector<float>> scales_of_outputs(const QuantisedWeight& weight, std::size_t channel_dim,
                                             std::size_t outputs);

// The bytes of an int8 constant, in the order of its own dims.
std::vector<std::int8_t> int8_elements_of(const ir::Constant& constant);

}  // namespace etalon::xnnpack
