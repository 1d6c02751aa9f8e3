// Operators that torch's export takes apart and XNNPACK has whole. They stand in a graph only between recognition
// (prepare.h, dynamic.h) and lowering, which never refuses them.
#pragma once

#include "ops/registry.h"

namespace etalon::xnnpack {

const ops::Op& hardswish_op();  // xnnpack::hardswish(Tensor self) -> Tensor
const ops::Op& prelu_op();      // xnnpack::prelu(Tensor self, Tensor weight) -> Tensor; weight: [C], along dim 1, or one number
// Products of a float tensor, quantised when running, with an int8 weight; float bias and result.
const ops::Op& dynamic_linear_op();       // xnnpack::dynamic_linear(Tensor self, Tensor weight, Tensor? bias, bool is_io) -> Tensor
const ops::Op& dynamic_convolution_op();  // the arguments of aten::convolution
bool is_composite(const ops::Op& op);

}  // namespace etalon::xnnpack
