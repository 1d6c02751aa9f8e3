#include "quantize/weights.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/strided.h"
#include "quantize/params.h"

namespace etalon::quantize {
namespace {

// Calls visit(channel, span of weights) for every run of elements of one channel.
template <class Visit>
void for_each_run(std::span<const float> weight, const ChannelView& view, Visit&& visit) {
  for (std::size_t b = 0; b < view.before; ++b) {
    for (std::size_t c = 0; c < view.channels; ++c) {
      const std::size_t start = (b * view.channels + c) * view.after;
      visit(c, start, weight.subspan(start, view.after));
    }
  }
}

}  // namespace

ChannelView channels_along(const Dims& sizes, std::size_t axis) {
  ChannelView view;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    const auto size = static_cast<std::size_t>(sizes[d]);
    if (d < axis) view.before *= size;
    if (d == axis) view.channels = size;
    if (d > axis) view.after *= size;
  }
  return view;
}

Result<WeightCodes> quantise_weight(std::span<const float> weight, const ChannelView& view, bool per_channel,
                                    std::span<const double> least) {
  const auto bad = std::ranges::count_if(weight, [](float x) { return !std::isfinite(x); });
  if (bad > 0) return invalid_input(fmt::format("has {} NaN or infinite elements", bad));
  std::vector<double> scales(view.channels, 0);
  for_each_run(weight, view, [&](std::size_t channel, std::size_t, std::span<const float> run) {
    for (const float x : run)
      scales[channel] =
          std::max(scales[channel], static_cast<double>(std::abs(x)) / static_cast<double>(kHigh));
  });
  const double largest = scales.empty() ? 0 : *std::ranges::max_element(scales);
  for (std::size_t c = 0; c < scales.size(); ++c) {
    if (scales[c] == 0 || !per_channel) scales[c] = largest > 0 ? largest : kScaleOfZero;
    if (!least.empty()) scales[c] = std::max(scales[c], least[c]);
  }
  if (!per_channel)
    scales.assign(scales.size(), scales.empty() ? kScaleOfZero : *std::ranges::max_element(scales));
  WeightCodes out;
  for (const double scale : scales) out.scales.push_back(std::max(static_cast<float>(scale), 1e-30f));
  out.codes.resize(weight.size());
  for_each_run(weight, view, [&](std::size_t channel, std::size_t start, std::span<const float> run) {
    const Params params{out.scales[channel], 0};
    for (std::size_t i = 0; i < run.size(); ++i) out.codes[start + i] = quantised(run[i], params, kWeightLow);
  });
  if (!per_channel) out.scales.resize(1, static_cast<float>(kScaleOfZero));
  return out;
}

Status check_weights_are_finite(const ir::Graph& graph) {
  for (const ir::Constant& constant : graph.constants) {
    if (!constant.is_parameter || constant.type.dtype != DType::kFloat32 || constant.data.bytes().empty())
      continue;
    const std::vector<float> values = floats_of(constant);
    const auto bad = std::ranges::count_if(values, [](float x) { return !std::isfinite(x); });
    if (bad > 0) return invalid_input(fmt::format("{}: has {} NaN or infinite elements", constant.name, bad));
  }
  return {};
}

std::vector<float> rounded(const WeightCodes& weight, const ChannelView& view) {
  std::vector<float> out(weight.codes.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t channel = i / view.after % view.channels;
    out[i] = static_cast<float>(weight.codes[i]) * weight.scales[weight.scales.size() == 1 ? 0 : channel];
  }
  return out;
}

std::vector<float> transposed(std::span<const float> matrix, std::size_t rows, std::size_t columns) {
  std::vector<float> out(matrix.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = matrix[r * columns + c];
  }
  return out;
}

std::vector<float> floats_of(const ir::Constant& constant) {
  std::vector<float> out(static_cast<std::size_t>(numel(constant.type.sizes)));
  // The bytes are only read: TensorView has one pointer type for both uses.
  const TensorView source(constant.type.dtype, constant.type.sizes, constant.type.order,
                          const_cast<std::byte*>(constant.data.bytes().data()));
  ops::copy_cast(source, TensorView(DType::kFloat32, constant.type.sizes, out.data()));
  return out;
}

}  // namespace etalon::quantize
