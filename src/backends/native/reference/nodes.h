// One function per family of nodes; run_node() picks. Operands have passed check_node(). Private to
// native/reference.
#pragma once

#include "backends/native/reference/reference.h"

namespace etalon::native::reference {

using Inputs = std::span<const TensorRef>;

void run_unary(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_binary(const formats::xnn::Node& node, const TensorRef& left, const TensorRef& right,
                const TensorRef& output);
void run_convert(const TensorRef& input, const TensorRef& output);
void run_softmax(const TensorRef& input, const TensorRef& output);
void run_batch_matmul(const formats::xnn::Node& node, const TensorRef& left, const TensorRef& right,
                      const TensorRef& output);
// Fully connected, convolution, depthwise, transposed.
void run_convolution(const formats::xnn::Node& node, Inputs inputs, const TensorRef& output);
void run_average_pool(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_max_pool(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_arg_max_pool(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& values,
                      const TensorRef& indices);
void run_global_average(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_resize(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
// Elements keep their values; between different quantisations they are rounded anew.
void run_same_order(const TensorRef& input, const TensorRef& output);  // reshape, copy
void run_transpose(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_slice(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_pad(const formats::xnn::Node& node, const TensorRef& input, const TensorRef& output);
void run_concatenate(const formats::xnn::Node& node, Inputs inputs, const TensorRef& output);

// A convolution that treats every pixel alike: 1x1, stride 1, no padding, one group.
bool is_pointwise(const formats::xnn::Node& node);

}  // namespace etalon::native::reference
