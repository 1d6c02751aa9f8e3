#include "ops/convolution_geometry.h"

#include <fmt/core.h>

#include "base/checked.h"

namespace etalon::ops {

namespace {

// Keeps products of these far from overflow; no real kernel comes near.
constexpr std::int64_t kLargestParameter = std::int64_t{1} << 31;

// A list argument brought to three dims; a single number stands for all.
Status read_spatial(const Call& call, std::size_t arg, std::size_t dims, std::string_view name, std::int64_t smallest,
                    std::int64_t neutral, Spatial& into) {
  const auto values = call.ints(arg);
  if (values.size() != dims && values.size() != 1) {
    return invalid_input(fmt::format("{} has {} numbers, want {}", name, values.size(), dims));
  }
  into.fill(neutral);
  for (std::size_t i = 0; i < dims; ++i) {
    const std::int64_t value = values[values.size() == 1 ? 0 : i];
    if (value < smallest || value > kLargestParameter) {
      return invalid_input(fmt::format("{} is {}, want at least {}", name, value, smallest));
    }
    into[kSpatial - dims + i] = value;
  }
  return {};
}

Status check_tensors(const TensorView& input, const TensorView& weight) {
  if (weight.rank() < 3 || weight.rank() > 5 || input.rank() != weight.rank()) {
    return invalid_input(fmt::format("input {} and weight {}, want both with 3, 4 or 5 dims",
                                     to_string(input.sizes()), to_string(weight.sizes())));
  }
  if (input.dtype() != weight.dtype()) {
    return invalid_input(fmt::format("input is {} and weight {}, want the same dtype", name_of(input.dtype()),
                                     name_of(weight.dtype())));
  }
  return {};
}

Status set_channels(const TensorView& input, const TensorView& weight, ConvolutionGeometry& g) {
  const std::int64_t inputs = g.transposed ? weight.size(0) : weight.size(1) * g.groups;
  if (g.groups < 1 || weight.size(0) % g.groups != 0 || weight.size(0) == 0) {
    return invalid_input(fmt::format("weight {} cannot be split into {} groups", to_string(weight.sizes()), g.groups));
  }
  if (input.size(1) != inputs) {
    return invalid_input(fmt::format("input {} has {} channels, weight {} with {} groups wants {}",
                                     to_string(input.sizes()), input.size(1), to_string(weight.sizes()), g.groups,
                                     inputs));
  }
  g.in_channels = inputs / g.groups;
  g.out_channels = g.transposed ? weight.size(1) : weight.size(0) / g.groups;
  return {};
}

std::int64_t output_size(const ConvolutionGeometry& g, std::size_t d, std::int64_t output_padding) {
  const std::int64_t reach = g.dilation[d] * (g.kernel[d] - 1);
  if (g.transposed) return (g.in_size[d] - 1) * g.stride[d] - 2 * g.padding[d] + reach + output_padding + 1;
  const std::int64_t room = g.in_size[d] + 2 * g.padding[d] - reach - 1;
  return room < 0 ? 0 : room / g.stride[d] + 1;
}

Status set_output_size(const Spatial& output_padding, std::size_t dims, ConvolutionGeometry& g) {
  for (std::size_t d = 0; d < kSpatial; ++d) {
    if (!checked_mul(g.dilation[d], g.kernel[d]) || !checked_mul(g.in_size[d], g.stride[d])) {
      return invalid_input("kernel or stride is too large");
    }
    g.out_size[d] = output_size(g, d, output_padding[d]);
    if (g.transposed && output_padding[d] >= std::max(g.stride[d], g.dilation[d])) {
      return invalid_input(fmt::format("output padding {} must be smaller than stride {} or dilation {}",
                                       output_padding[d], g.stride[d], g.dilation[d]));
    }
    if (g.out_size[d] <= 0) {
      return invalid_input(fmt::format("kernel {} with dilation {} and padding {} does not fit input size {} (dim {})",
                                       g.kernel[d], g.dilation[d], g.padding[d], g.in_size[d], d + 2 - (kSpatial - dims)));
    }
  }
  return {};
}

}  // namespace

Result<ConvolutionGeometry> convolution_geometry(const TensorView& input, const TensorView& weight, const Call& call,
                                                 const ConvolutionArgs& args) {
  ETALON_CHECKED(check_tensors(input, weight));
  const std::size_t dims = input.rank() - 2;
  ConvolutionGeometry g{};
  g.batch = input.size(0);
  g.groups = call.integer(args.groups);
  g.transposed = call.flag(args.transposed);
  Spatial output_padding;
  ETALON_CHECKED(read_spatial(call, args.stride, dims, "stride", 1, 1, g.stride));
  ETALON_CHECKED(read_spatial(call, args.padding, dims, "padding", 0, 0, g.padding));
  ETALON_CHECKED(read_spatial(call, args.dilation, dims, "dilation", 1, 1, g.dilation));
  output_padding.fill(0);
  if (g.transposed) {
    ETALON_CHECKED(read_spatial(call, args.output_padding, dims, "output padding", 0, 0, output_padding));
  }
  ETALON_CHECKED(set_channels(input, weight, g));
  g.in_size.fill(1);
  g.kernel.fill(1);
  for (std::size_t i = 0; i < dims; ++i) {
    g.in_size[kSpatial - dims + i] = input.size(2 + i);
    g.kernel[kSpatial - dims + i] = weight.size(2 + i);
  }
  ETALON_CHECKED(set_output_size(output_padding, dims, g));
  return g;
}

Dims convolution_output_sizes(const ConvolutionGeometry& geometry, std::size_t rank) {
  Dims sizes{geometry.batch, geometry.groups * geometry.out_channels};
  for (std::size_t i = 2; i < rank; ++i) sizes.push_back(geometry.out_size[kSpatial - rank + i]);
  return sizes;
}

ChannelStrides::ChannelStrides(const TensorView& view) : outer(view.stride(0)), channel(view.stride(1)), spatial{} {
  for (std::size_t i = 2; i < view.rank(); ++i) spatial[kSpatial - view.rank() + i] = view.stride(i);
}

std::int64_t ChannelStrides::position_stride(const Spatial& sizes) const {
  std::int64_t step = 0;
  std::int64_t covered = 1;
  for (std::size_t d = kSpatial; d-- > 0;) {
    if (sizes[d] == 1) continue;
    if (step == 0) step = spatial[d];
    if (spatial[d] != step * covered) return 0;
    covered *= sizes[d];
  }
  return step == 0 ? 1 : step;
}

}  // namespace etalon::ops
