// Shapes of a convolution, with one, two or three spatial dims brought to three by leading dims of size one.
#pragma once

#include <array>
#include <cstdint>

#include "base/result.h"
#include "ops/op.h"

namespace etalon::ops {

inline constexpr std::size_t kSpatial = 3;  // depth, height, width
using Spatial = std::array<std::int64_t, kSpatial>;

// Positions of the arguments after input, weight and bias, shared by convolution and its backward.
struct ConvolutionArgs {
  std::size_t stride;
  std::size_t padding;
  std::size_t dilation;
  std::size_t transposed;
  std::size_t output_padding;
  std::size_t groups;
};
inline constexpr ConvolutionArgs kConvolutionArgs{3, 4, 5, 6, 7, 8};
inline constexpr ConvolutionArgs kConvolutionBackwardArgs{4, 5, 6, 7, 8, 9};

struct ConvolutionGeometry {
  std::int64_t batch;
  std::int64_t groups;
  std::int64_t in_channels;   // per group
  std::int64_t out_channels;  // per group
  bool transposed;
  Spatial in_size, out_size, kernel, stride, padding, dilation;

  std::int64_t in_positions() const { return in_size[0] * in_size[1] * in_size[2]; }
  std::int64_t out_positions() const { return out_size[0] * out_size[1] * out_size[2]; }
  std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }

  // The input index that `tap` of the kernel meets at output index `out` of a spatial dim, or -1 outside the input.
  std::int64_t source(std::size_t dim, std::int64_t out, std::int64_t tap) const {
    if (!transposed) {
      const std::int64_t at = out * stride[dim] - padding[dim] + tap * dilation[dim];
      return at >= 0 && at < in_size[dim] ? at : -1;
    }
    const std::int64_t spread = out + padding[dim] - tap * dilation[dim];
    if (spread < 0 || spread % stride[dim] != 0) return -1;
    return spread / stride[dim] < in_size[dim] ? spread / stride[dim] : -1;
  }
};

// Strides, in elements, of a tensor whose dims are two of channel kind and up to three spatial ones.
struct ChannelStrides {
  std::int64_t outer;    // batch, or output channel of a weight
  std::int64_t channel;  // channel, or input channel of a weight
  Spatial spatial;

  explicit ChannelStrides(const TensorView& view);
  // The distance of neighbouring positions when all positions follow each other evenly, else 0.
  std::int64_t position_stride(const Spatial& sizes) const;
};

// Validates the arguments. kInvalidInput names what does not fit.
Result<ConvolutionGeometry> convolution_geometry(const TensorView& input, const TensorView& weight, const Call& call,
                                                 const ConvolutionArgs& args);

// Sizes of the output: [batch, channels, spatial...] with as many dims as the input.
Dims convolution_output_sizes(const ConvolutionGeometry& geometry, std::size_t rank);

}  // namespace etalon::ops
