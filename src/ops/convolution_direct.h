// Convolutions without a matrix product.
#pragma once

#include "ops/convolution_geometry.h"

namespace etalon::ops {

struct ConvolutionTensors {
  const TensorView& input;
  const TensorView& weight;
  const TensorView& out;  // holds the bias or zeros; the convolution is added
};

// One input channel per group, float32, rows or channels contiguous. False if the call is of another kind.
bool add_depthwise(const ConvolutionTensors& tensors, const ConvolutionGeometry& geometry);

// Any dtype but bool, any strides: one sum per output element.
Status add_directly(const ConvolutionTensors& tensors, const ConvolutionGeometry& geometry);

}  // namespace etalon::ops
