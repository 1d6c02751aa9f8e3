// convolution_backward: the gradients of a convolution's input, weight and bias.
//
// The gradient of the input is the convolution of the opposite kind (transposed for plain, plain for
// transposed) of the output's gradient with the same weight. The other two are plain sums, one per element,
// kept in double.
#include <fmt/core.h>

#include <cstring>
#include <utility>

#include "ops/convert.h"
#include "ops/convolution_direct.h"
#include "ops/convolution_loops.h"
#include "ops/dispatch.h"
#include "ops/infer.h"

namespace etalon::ops {

namespace {

constexpr std::size_t kGradient = 0;
constexpr std::size_t kInput = 1;
constexpr std::size_t kWeight = 2;
constexpr std::size_t kBiasSizes = 3;
constexpr std::size_t kOutputMask = 10;
constexpr std::size_t kResults = 3;

Result<ConvolutionGeometry> geometry_of(const Call& call) {
  return convolution_geometry(call.tensor(kInput), call.tensor(kWeight), call, kConvolutionBackwardArgs);
}

std::int64_t channels_out(const ConvolutionGeometry& g) { return g.groups * g.out_channels; }

Status check_gradient(const Call& call, const ConvolutionGeometry& g) {
  const TensorView& gradient = call.tensor(kGradient);
  const TensorView& input = call.tensor(kInput);
  ETALON_CHECKED(require_floating(input.dtype(), "input"));
  const Dims wanted = convolution_output_sizes(g, input.rank());
  if (gradient.sizes() == wanted && gradient.dtype() == input.dtype()) return {};
  return invalid_input(fmt::format("grad_output is {} {}, want {} {}", name_of(gradient.dtype()),
                                   to_string(gradient.sizes()), name_of(input.dtype()), to_string(wanted)));
}

Status check_mask_and_bias(const Call& call, const ConvolutionGeometry& g) {
  const std::size_t flags = call.flags(kOutputMask).size();
  if (flags != kResults)
    return invalid_input(fmt::format("output_mask has {} items, want {}", flags, kResults));
  if (!call.has(kBiasSizes)) return {};
  const auto sizes = call.ints(kBiasSizes);
  // Programs without a bias have [0] here.
  const bool fits = sizes.size() == 1 && (sizes[0] == channels_out(g) || sizes[0] == 0);
  if (fits || !call.flags(kOutputMask)[2]) return {};
  return invalid_input(fmt::format("bias_sizes has {} items, want [{}]", sizes.size(), channels_out(g)));
}

Status infer(const Call& call, OutShapes& outs) {
  ETALON_TRY(const ConvolutionGeometry g, geometry_of(call));
  ETALON_CHECKED(check_gradient(call, g));
  ETALON_CHECKED(check_mask_and_bias(call, g));
  const Dims sizes[kResults] = {call.tensor(kInput).sizes(), call.tensor(kWeight).sizes(),
                                Dims{channels_out(g)}};
  const auto mask = call.flags(kOutputMask);
  for (std::size_t i = 0; i < kResults; ++i) {
    // Programs hold an empty uint8 tensor in the place of what is not wanted.
    ETALON_CHECKED(
        outs.set(i, mask[i] ? call.tensor(kInput).dtype() : DType::kUInt8, mask[i] ? sizes[i] : Dims{0}));
  }
  return {};
}

// The geometry that leads from the output back to the input.
ConvolutionGeometry reversed(const ConvolutionGeometry& g) {
  ConvolutionGeometry back = g;
  back.transposed = !g.transposed;
  std::swap(back.in_channels, back.out_channels);
  std::swap(back.in_size, back.out_size);
  return back;
}

Status input_gradient(const Call& call, const ConvolutionGeometry& g) {
  const TensorView& out = call.out(0);
  if (out.numel() == 0) return {};
  std::memset(out.data(), 0, out.nbytes());
  return add_directly({call.tensor(kGradient), call.tensor(kWeight), out}, reversed(g));
}

// Which channels one kernel of the weight connects, counted over all groups.
struct Channels {
  std::int64_t in;
  std::int64_t out;
};

Channels channels_of(const ConvolutionGeometry& g, std::int64_t outer, std::int64_t inner) {
  if (g.transposed) return {outer, outer / g.in_channels * g.out_channels + inner};
  return {outer / g.out_channels * g.in_channels + inner, outer};
}

// The sum over all images and positions of the output's gradient times what `tap` meets in the input.
template <class T>
double correlation(const Call& call, const ConvolutionGeometry& g, const Channels& channels,
                   const Spatial& tap) {
  const ChannelStrides in(call.tensor(kInput)), gradient(call.tensor(kGradient));
  double sum = 0;
  for (std::int64_t image = 0; image < g.batch; ++image) {
    const T* values = call.tensor(kInput).data_as<T>() + image * in.outer + channels.in * in.channel;
    const T* slopes =
        call.tensor(kGradient).data_as<T>() + image * gradient.outer + channels.out * gradient.channel;
    for_each_position(g.out_size, [&](const Spatial& position) {
      Spatial at;
      for (std::size_t d = 0; d < kSpatial; ++d) at[d] = g.source(d, position[d], tap[d]);
      if (at[0] < 0 || at[1] < 0 || at[2] < 0) return;
      sum += convert_element<double>(values[offset_of(at, in.spatial)]) *
             convert_element<double>(slopes[offset_of(position, gradient.spatial)]);
    });
  }
  return sum;
}

template <class T>
void weight_gradient(const Call& call, const ConvolutionGeometry& g) {
  const TensorView& out = call.out(1);
  const ChannelStrides strides(out);
  for (std::int64_t outer = 0; outer < out.size(0); ++outer) {
    for (std::int64_t inner = 0; inner < out.size(1); ++inner) {
      const Channels channels = channels_of(g, outer, inner);
      T* to = out.data_as<T>() + outer * strides.outer + inner * strides.channel;
      for_each_position(g.kernel, [&](const Spatial& tap) {
        to[offset_of(tap, strides.spatial)] = convert_element<T>(correlation<T>(call, g, channels, tap));
      });
    }
  }
}

template <class T>
void bias_gradient(const Call& call, const ConvolutionGeometry& g) {
  const ChannelStrides strides(call.tensor(kGradient));
  const T* gradient = call.tensor(kGradient).data_as<T>();
  for (std::int64_t channel = 0; channel < channels_out(g); ++channel) {
    double sum = 0;
    for (std::int64_t image = 0; image < g.batch; ++image) {
      const T* plane = gradient + image * strides.outer + channel * strides.channel;
      for_each_position(g.out_size, [&](const Spatial& position) {
        sum += convert_element<double>(plane[offset_of(position, strides.spatial)]);
      });
    }
    call.out(2).data_as<T>()[channel] = convert_element<T>(sum);
  }
}

Status kernel(const Call& call) {
  ETALON_TRY(const ConvolutionGeometry g, geometry_of(call));
  const auto mask = call.flags(kOutputMask);
  if (mask[0]) ETALON_CHECKED(input_gradient(call, g));
  return visit_floating(call.tensor(kInput).dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if (mask[1]) weight_gradient<T>(call, g);
    if (mask[2]) bias_gradient<T>(call, g);
    return {};
  });
}

std::int64_t flops(const Call& call) {
  const auto g = geometry_of(call);
  if (!g.ok()) return 0;
  const auto mask = call.flags(kOutputMask);
  if (mask.size() != kResults) return 0;
  const std::int64_t positions = g->transposed ? g->in_positions() : g->out_positions();
  const std::int64_t products = g->batch * channels_out(*g) * g->in_channels * g->taps() * positions;
  return 2 * products * (mask[0] + mask[1]) + (mask[2] ? call.tensor(kGradient).numel() : 0);
}

constexpr OpDef kRows[] = {
    {.schema =
         "aten::convolution_backward(Tensor grad_output, Tensor input, Tensor weight, SymInt[]? bias_sizes, "
         "SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, "
         "SymInt groups, bool[3] output_mask) -> (Tensor, Tensor, Tensor)",
     .out_name = "aten::convolution_backward.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .tolerance = {1e-4, 1e-4}},
};

}  // namespace

extern constinit const OpFamily kConvolutionBackwardOps{kRows};

}  // namespace etalon::ops
