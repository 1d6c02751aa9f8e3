#include "ops/convolution_direct.h"

#include <algorithm>
#include <type_traits>

#include "ops/convolution_loops.h"
#include "ops/element.h"

namespace etalon::ops {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// The outputs of a row that `tap` maps into the input: [first, end).
struct RowRange {
  std::int64_t first;
  std::int64_t end;
  std::int64_t source;  // input index of output 0; may be negative
};

RowRange row_range(const ConvolutionGeometry& g, std::int64_t tap) {
  const std::int64_t source = tap * g.dilation[2] - g.padding[2];
  const std::int64_t first = std::max<std::int64_t>(0, -floor_div(source, g.stride[2]));
  const std::int64_t end = std::min(g.out_size[2], floor_div(g.in_size[2] - 1 - source, g.stride[2]) + 1);
  return {first, end, source};
}

void add_row(const float* from, std::int64_t step, float weight, std::int64_t count, float* to) {
  if (step == 1) {
    for (std::int64_t i = 0; i < count; ++i) to[i] += weight * from[i];
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] += weight * from[i * step];
  }
}

// One plane of input against one kernel, row by row: each tap adds a multiple of an input row to an output row.
void add_plane(const float* image, const Spatial& image_strides, const float* kernel, const Spatial& kernel_strides,
               const ConvolutionGeometry& g, float* out, const Spatial& out_strides) {
  const Spatial rows{g.out_size[0], g.out_size[1], 1};
  for_each_position(rows, [&](const Spatial& row) {
    float* to = out + offset_of(row, out_strides);
    for (std::int64_t tap_z = 0; tap_z < g.kernel[0]; ++tap_z) {
      const std::int64_t z = g.source(0, row[0], tap_z);
      for (std::int64_t tap_y = 0; tap_y < g.kernel[1] && z >= 0; ++tap_y) {
        const std::int64_t y = g.source(1, row[1], tap_y);
        if (y < 0) continue;
        const float* from = image + z * image_strides[0] + y * image_strides[1];
        const float* weights = kernel + tap_z * kernel_strides[0] + tap_y * kernel_strides[1];
        for (std::int64_t tap_x = 0; tap_x < g.kernel[2]; ++tap_x) {
          const RowRange range = row_range(g, tap_x);
          add_row(from + range.source + range.first * g.stride[2], g.stride[2], weights[tap_x * kernel_strides[2]],
                  range.end - range.first, to + range.first);
        }
      }
    }
  });
}

void add_planes(const ConvolutionTensors& t, const ConvolutionGeometry& g) {
  const ChannelStrides in(t.input), weight(t.weight), out(t.out);
  const std::int64_t channels = g.groups * g.out_channels;
  for (std::int64_t image = 0; image < g.batch; ++image) {
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      add_plane(t.input.data_as<float>() + image * in.outer + channel / g.out_channels * in.channel, in.spatial,
                t.weight.data_as<float>() + channel * weight.outer, weight.spatial, g,
                t.out.data_as<float>() + image * out.outer + channel * out.channel, out.spatial);
    }
  }
}

constexpr std::int64_t kChannelBlock = 64;
constexpr std::int64_t kMostTaps = 64;

// Channels contiguous: the weights of a block of channels are transposed once, then every position adds whole blocks.
void add_channel_block(const ConvolutionTensors& t, const ConvolutionGeometry& g, std::int64_t first,
                       std::int64_t count) {
  const ChannelStrides in(t.input), weight(t.weight), out(t.out);
  float weights[kMostTaps * kChannelBlock];
  for_each_position(g.kernel, [&](const Spatial& tap) {
    const float* from = t.weight.data_as<float>() + first * weight.outer + offset_of(tap, weight.spatial);
    float* to = weights + ((tap[0] * g.kernel[1] + tap[1]) * g.kernel[2] + tap[2]) * kChannelBlock;
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * weight.outer];
  });
  for (std::int64_t image = 0; image < g.batch; ++image) {
    const float* from = t.input.data_as<float>() + image * in.outer + first;
    float* to = t.out.data_as<float>() + image * out.outer + first;
    for_each_position(g.out_size, [&](const Spatial& position) {
      float* sums = to + offset_of(position, out.spatial);
      for_each_tap(g, position, [&](const Spatial& tap, const Spatial& at) {
        const float* values = from + offset_of(at, in.spatial);
        const float* factors = weights + ((tap[0] * g.kernel[1] + tap[1]) * g.kernel[2] + tap[2]) * kChannelBlock;
        for (std::int64_t i = 0; i < count; ++i) sums[i] += values[i] * factors[i];
      });
    });
  }
}

template <class T>
using DirectSum = std::conditional_t<std::is_same_v<T, double>, double,
                                     std::conditional_t<kIsFloating<T>, float, std::uint64_t>>;

template <class T>
void add_plainly(const ConvolutionTensors& t, const ConvolutionGeometry& g) {
  using Sum = DirectSum<T>;
  const ChannelStrides in(t.input), weight(t.weight), out(t.out);
  const std::int64_t out_step = g.transposed ? weight.channel : weight.outer;
  const std::int64_t in_step = g.transposed ? weight.outer : weight.channel;
  const std::int64_t group_step = g.transposed ? g.in_channels * in_step : g.out_channels * out_step;
  for (std::int64_t image = 0; image < g.batch; ++image) {
    for (std::int64_t channel = 0; channel < g.groups * g.out_channels; ++channel) {
      const std::int64_t group = channel / g.out_channels;
      const T* from = t.input.data_as<T>() + image * in.outer + group * g.in_channels * in.channel;
      const T* weights = t.weight.data_as<T>() + group * group_step + channel % g.out_channels * out_step;
      T* to = t.out.data_as<T>() + image * out.outer + channel * out.channel;
      for_each_position(g.out_size, [&](const Spatial& position) {
        T& result = to[offset_of(position, out.spatial)];
        Sum sum = static_cast<Sum>(result);
        for_each_tap(g, position, [&](const Spatial& tap, const Spatial& at) {
          const T* values = from + offset_of(at, in.spatial);
          const T* factors = weights + offset_of(tap, weight.spatial);
          for (std::int64_t c = 0; c < g.in_channels; ++c) {
            sum += static_cast<Sum>(values[c * in.channel]) * static_cast<Sum>(factors[c * in_step]);
          }
        });
        result = static_cast<T>(sum);
      });
    }
  }
}

}  // namespace

bool add_depthwise(const ConvolutionTensors& t, const ConvolutionGeometry& g) {
  if (t.input.dtype() != DType::kFloat32 || g.transposed || g.in_channels != 1) return false;
  // A single group with many outputs is better off as a matrix product.
  if (g.groups == 1 && g.out_channels > 4) return false;
  const ChannelStrides in(t.input), out(t.out);
  const bool rows_contiguous = (in.spatial[2] == 1 || g.in_size[2] == 1) && (out.spatial[2] == 1 || g.out_size[2] == 1);
  if (rows_contiguous) {
    add_planes(t, g);
    return true;
  }
  if (in.channel != 1 || out.channel != 1 || g.out_channels != 1 || g.taps() > kMostTaps) return false;
  for (std::int64_t first = 0; first < g.groups; first += kChannelBlock) {
    add_channel_block(t, g, first, std::min(kChannelBlock, g.groups - first));
  }
  return true;
}

Status add_directly(const ConvolutionTensors& tensors, const ConvolutionGeometry& geometry) {
  return visit_dtype(tensors.input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      return unsupported("dtype bool, want a number");
    } else {
      add_plainly<T>(tensors, geometry);
      return {};
    }
  });
}

}  // namespace etalon::ops
