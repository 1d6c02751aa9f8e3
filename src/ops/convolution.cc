// convolution: one to three spatial dims, groups, dilation, transposed.
//
// Float32 and halves are matrix products: weights [out channel x (in channel, tap)] times the input's patches, which
// are packed straight from the input (ImagePatches), never stored as a whole. A transposed convolution is the same with
// another index map. Depthwise convolutions and the remaining dtypes and layouts have direct loops.
#include <fmt/core.h>

#include <cstring>

#include "ops/convolution_direct.h"
#include "ops/convolution_geometry.h"
#include "ops/gemm.h"
#include "ops/image_patches.h"
#include "ops/strided.h"

namespace etalon::ops {

namespace {

constexpr std::size_t kBias = 2;

Result<ConvolutionGeometry> geometry_of(const Call& call) {
  return convolution_geometry(call.tensor(0), call.tensor(1), call, kConvolutionArgs);
}

Status infer(const Call& call, OutShapes& outs) {
  ETALON_TRY(const ConvolutionGeometry geometry, geometry_of(call));
  if (const TensorView* bias = call.optional_tensor(kBias)) {
    const std::int64_t channels = geometry.groups * geometry.out_channels;
    if (bias->sizes() != Dims{channels} || bias->dtype() != call.tensor(0).dtype()) {
      return invalid_input(fmt::format("bias is {} {}, want {} {}", name_of(bias->dtype()), to_string(bias->sizes()),
                                       name_of(call.tensor(0).dtype()), to_string(Dims{channels})));
    }
  }
  return outs.set(0, call.tensor(0).dtype(), convolution_output_sizes(geometry, call.tensor(0).rank()));
}

void start_with_bias(const Call& call) {
  const TensorView& out = call.out();
  const TensorView* bias = call.optional_tensor(kBias);
  if (bias == nullptr) {
    std::memset(out.data(), 0, out.nbytes());
    return;
  }
  Dims sizes(out.rank() - 1, 1);
  Dims strides(out.rank() - 1, 0);
  sizes[0] = bias->size(0);
  strides[0] = 1;
  copy_cast(StridedView(bias->dtype(), sizes, strides, bias->data()), StridedView(out));
}

// The weights of one group as the left operand, and the input of one image and group as the right one.
template <class T>
void add_group(const Call& call, const ConvolutionGeometry& g, std::int64_t image, std::int64_t group) {
  const TensorView& input = call.tensor(0);
  const TensorView& weight = call.tensor(1);
  const TensorView& out = call.out();
  const ChannelStrides in_strides(input);
  const ChannelStrides out_strides(out);
  const T* from = input.data_as<T>() + image * in_strides.outer + group * g.in_channels * in_strides.channel;
  T* to = out.data_as<T>() + image * out_strides.outer + group * g.out_channels * out_strides.channel;
  const GemmSize size{g.out_channels, g.out_positions(), g.in_channels * g.taps()};
  const GemmOutput c{out.dtype(), to, out_strides.channel, out_strides.position_stride(g.out_size)};

  const KernelWeights<T> weights(weight, g, group);
  if (is_pointwise(g) && in_strides.position_stride(g.in_size) != 0) {
    const StridedMatrix<T> pixels(from, in_strides.channel, in_strides.position_stride(g.in_size));
    gemm_add(size, weights, pixels, 1.0f, c, call.scratch());
  } else {
    gemm_add(size, weights, ImagePatches<T>(from, in_strides, g), 1.0f, c, call.scratch());
  }
}

template <class T>
void add_products(const Call& call, const ConvolutionGeometry& g) {
  for (std::int64_t image = 0; image < g.batch; ++image) {
    for (std::int64_t group = 0; group < g.groups; ++group) add_group<T>(call, g, image, group);
  }
}

Status kernel(const Call& call) {
  ETALON_TRY(const ConvolutionGeometry g, geometry_of(call));
  if (call.out().numel() == 0) return {};
  start_with_bias(call);
  const ConvolutionTensors tensors{call.tensor(0), call.tensor(1), call.out()};
  if (add_depthwise(tensors, g)) return {};
  const bool even_output = ChannelStrides(call.out()).position_stride(g.out_size) != 0;
  switch (even_output ? call.out().dtype() : DType::kFloat64) {
    case DType::kFloat32: add_products<float>(call, g); return {};
    case DType::kFloat16: add_products<Half>(call, g); return {};
    case DType::kBFloat16: add_products<BFloat16>(call, g); return {};
    default: return add_directly(tensors, g);
  }
}

std::int64_t flops(const Call& call) {
  const auto g = geometry_of(call);
  if (!g.ok()) return 0;
  const std::int64_t positions = g->transposed ? g->in_positions() : g->out_positions();
  const std::int64_t multiply_adds =
      g->batch * g->groups * g->out_channels * g->in_channels * g->taps() * positions;
  const std::int64_t bias = call.has(kBias) ? g->batch * g->groups * g->out_channels * g->out_positions() : 0;
  return 2 * multiply_adds + bias;
}

std::size_t scratch(const Call& call) {
  const DType dtype = call.tensor(0).dtype();
  return is_floating(dtype) && dtype != DType::kFloat64 ? kGemmScratchBytes : 0;
}

constexpr OpDef kRows[] = {
    {.schema = "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
               "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
     .out_name = "aten::convolution.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .scratch = scratch,
     .tolerance = {1e-4, 1e-4}},
};

}  // namespace

extern constinit const OpFamily kConvolutionOps{kRows};

}  // namespace etalon::ops
