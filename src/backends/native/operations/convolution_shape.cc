#include "backends/native/operations/convolution_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/native/layout.h"

namespace etalon::native {

kernels::Conv2dShape shape_of(const ConvGeometry& conv, const Dims& in, const Dims& out) {
  kernels::Conv2dShape shape;
  shape.in_c = in.back();
  shape.out_c = out.back();
  if (conv.is_linear) {
    shape.in_w = shape.out_w = numel(out) / std::max<std::int64_t>(out.back(), 1);
    return shape;
  }
  shape.batch = in[0];
  shape.in_h = in[1];
  shape.in_w = in[2];
  shape.out_h = out[1];
  shape.out_w = out[2];
  shape.kernel_h = conv.kernel_h;
  shape.kernel_w = conv.kernel_w;
  shape.stride_h = conv.stride_h;
  shape.stride_w = conv.stride_w;
  shape.dilation_h = conv.dilation_h;
  shape.dilation_w = conv.dilation_w;
  shape.pad_top = conv.pad_top;
  shape.pad_left = conv.pad_left;
  shape.groups = conv.groups;
  return shape;
}

bool is_planes(const Dims& dims, const Dims& strides) {
  if (dims.size() != 4) return false;
  const Dims permuted = {dims[0], dims[3], dims[1], dims[2]};
  return is_contiguous(permuted, {strides[0], strides[3], strides[1], strides[2]});
}

std::string packing_key(const ConvGeometry& conv, const kernels::Conv2dShape& shape, std::string_view algorithm,
                        std::size_t packed_bytes) {
  return fmt::format("{}{} {} {}x{}x{}x{}/{} {}{}", conv.filter_is_hwo ? "hwo" : "", conv.filter_is_io ? "io" : "",
                     algorithm, shape.out_c, shape.kernel_h, shape.kernel_w, shape.in_c, shape.groups, packed_bytes,
                     shape.input_is_nchw ? " nchw" : "");
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

}  // namespace etalon::native
