// A batch norm that no convolution took up: a depthwise convolution with one tap where there are channels of images, else
// a product and a sum.
#include <fmt/core.h>

#include <cmath>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kWeight = 1, kBias = 2, kMean = 3, kVar = 4, kEps = 6;

Refused refuse_batch_norm(const NodeArgs& a) {
  for (const std::size_t i : {kWeight, kBias, kMean, kVar}) {
    if (a.has(i) && a.constant(i) == nullptr) {
      return Refusal{fmt::format("{} is computed at run time, want a constant", a.node().op->schema.args[i].name),
                     "export the model in eval mode"};
    }
  }
  if (a.type(kInput).sizes.size() < 2) return Refusal{"the input has less than 2 dims", {}};
  return std::nullopt;
}

Status lower_batch_norm(PayloadBuilder& b, const NodeArgs& a) {
  const std::vector<double> mean = elements_of(*a.constant(kMean));
  const std::vector<double> var = elements_of(*a.constant(kVar));
  std::vector<double> scale(mean.size(), 1.0);
  std::vector<double> shift(mean.size(), 0.0);
  if (a.has(kWeight)) scale = elements_of(*a.constant(kWeight));
  if (a.has(kBias)) shift = elements_of(*a.constant(kBias));
  for (std::size_t c = 0; c < mean.size(); ++c) {
    scale[c] /= std::sqrt(var[c] + a.number(kEps));
    shift[c] -= mean[c] * scale[c];
  }
  const auto channels = static_cast<std::int64_t>(mean.size());
  const ir::TensorType& input = a.type(kInput);
  if (input.sizes.size() == 4) {
    const std::uint32_t filter = b.constant(scale, Dims{1, 1, 1, channels}, DType::kFloat32);
    const std::uint32_t bias = b.constant(shift, Dims{channels}, DType::kFloat32);
    xnn::Conv params;
    params.groups = static_cast<std::uint32_t>(channels);
    const std::uint32_t image = b.nhwc(a.value(kInput));
    b.emit(xnn::NodeType::kDepthwiseConv2d, {image, filter, bias}, b.make(a.out(), channels_last()), params);
    return {};
  }
  const Rep rep = b.exact(a.value(kInput));
  Dims dims(rep.order.size() - position_of(rep.order, 1), 1);
  dims[0] = channels;
  const std::uint32_t product = b.temporary(rep.dims, input.dtype);
  b.emit(xnn::NodeType::kMultiply, {rep.id, b.constant(scale, dims, input.dtype)}, product);
  b.emit(xnn::NodeType::kAdd, {product, b.constant(shift, dims, input.dtype)}, b.make(a.out(), rep.order));
  return {};
}

constexpr Lowering kRows[] = {{"aten::_native_batch_norm_legit_no_training", refuse_batch_norm, lower_batch_norm}};

}  // namespace

extern constinit const LoweringFamily kBatchNormLowerings{kRows};

}  // namespace etalon::xnnpack
