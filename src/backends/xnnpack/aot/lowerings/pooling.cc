// Average and maximum pooling of images.
#include <fmt/core.h>

#include <algorithm>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kKernel = 1, kStride = 2, kPadding = 3;
constexpr std::size_t kMaxDilation = 4, kMaxCeil = 5;
constexpr std::size_t kAverageCeil = 4, kAverageCountPadding = 5, kAverageDivisor = 6;

// One dim of a window.
struct Axis {
  std::int64_t input;
  std::int64_t output;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t padding;
  std::int64_t dilation;

  // Padding behind the image with which as many windows fit as torch counts.
  std::int64_t padding_behind() const {
    return std::max(padding, (output - 1) * stride + (kernel - 1) * dilation + 1 - input - padding);
  }
};

Axis axis_of(const NodeArgs& a, std::size_t i, std::size_t dilation_at) {
  const auto item = [&](std::size_t at, std::int64_t otherwise) {
    const std::vector<std::int64_t> list = a.ints(at);
    return list.empty() ? otherwise : list[std::min(i, list.size() - 1)];
  };
  const std::int64_t kernel = item(kKernel, 1);
  return {a.type(kInput).sizes[i + 2], a.out_type().sizes[i + 2], kernel, item(kStride, kernel), item(kPadding, 0),
          dilation_at == 0 ? 1 : item(dilation_at, 1)};
}

Refused refuse_window(const NodeArgs& a, bool ceil_mode) {
  const ir::TensorType& input = a.type(kInput);
  if (input.sizes.size() != 4) {
    return Refusal{fmt::format("the input {} has {} dims, want 4", describe(input), input.sizes.size()), "add a batch dim of one"};
  }
  const std::vector<std::int64_t> kernel = a.ints(kKernel);
  if (std::ranges::all_of(kernel, [](std::int64_t k) { return k == 1; })) {
    return Refusal{"a window of one element pools nothing, which XNNPACK refuses", "use a strided slice, or remove the pooling"};
  }
  if (ceil_mode && (input.is_dynamic(2) || input.is_dynamic(3))) {
    return Refusal{"ceil_mode over a dynamic size: XNNPACK fixes the padding when the program loads", "use ceil_mode=False"};
  }
  return std::nullopt;
}

xnn::Pool params_of(const Axis& height, const Axis& width) {
  const auto u32 = [](std::int64_t v) { return static_cast<std::uint32_t>(v); };
  xnn::Pool p;
  p.padding_top = u32(height.padding);
  p.padding_bottom = u32(height.padding_behind());
  p.padding_left = u32(width.padding);
  p.padding_right = u32(width.padding_behind());
  p.pooling_height = u32(height.kernel);
  p.pooling_width = u32(width.kernel);
  p.stride_height = u32(height.stride);
  p.stride_width = u32(width.stride);
  p.dilation_height = u32(height.dilation);
  p.dilation_width = u32(width.dilation);
  return p;
}

Refused refuse_max_pool(const NodeArgs& a) { return refuse_window(a, a.flag(kMaxCeil)); }

Status lower_max_pool(PayloadBuilder& b, const NodeArgs& a) {
  Axis height = axis_of(a, 0, kMaxDilation);
  Axis width = axis_of(a, 1, kMaxDilation);
  xnn::Pool params = params_of(height, width);
  // Dynamic sizes: the padding is as given (no ceil_mode).
  if (!a.flag(kMaxCeil)) {
    params.padding_bottom = params.padding_top;
    params.padding_right = params.padding_left;
  }
  const auto [in, out] = b.moved(a.value(kInput), a.out());  // a maximum is one of the numbers
  const std::uint32_t image = b.nhwc(in);
  b.emit(xnn::NodeType::kMaxPooling2d, {image}, b.make(out, channels_last()), params, xnn::kKeepDims);
  return {};
}

bool counts_padding(const NodeArgs& a) {
  const std::vector<std::int64_t> padding = a.ints(kPadding);
  const bool pads = std::ranges::any_of(padding, [](std::int64_t p) { return p != 0; });
  return pads && a.flag(kAverageCountPadding);
}

Refused refuse_avg_pool(const NodeArgs& a) {
  if (Refused found = refuse_window(a, a.flag(kAverageCeil))) return found;
  if (a.has(kAverageDivisor)) {
    const Axis height = axis_of(a, 0, 0);
    const Axis width = axis_of(a, 1, 0);
    if (a.integer(kAverageDivisor) != height.kernel * width.kernel) {
      return Refusal{fmt::format("divisor_override is {}, want {} x {}", a.integer(kAverageDivisor), height.kernel, width.kernel),
                     "multiply the result by the ratio instead"};
    }
    if (a.flag(kAverageCeil) || !a.ints(kPadding).empty()) return Refusal{"divisor_override with padding or ceil_mode", "drop divisor_override"};
  }
  if (a.flag(kAverageCeil) && counts_padding(a)) {
    return Refusal{"ceil_mode with counted padding", "use count_include_pad=False"};
  }
  return std::nullopt;
}

// XNNPACK leaves padding out of the average; padding that counts is put there first.
std::uint32_t padded_image(PayloadBuilder& b, ValueId input, const Axis& height, const Axis& width) {
  Shape dims = permuted(shape_of(b.type(input)), channels_last());
  const std::uint32_t image = b.nhwc(input);
  xnn::Pad pad;
  const auto by = [](std::int64_t v) { return static_cast<std::uint32_t>(v); };
  pad.before = {0, by(height.padding), by(width.padding), 0};
  pad.after = pad.before;
  for (std::size_t i = 0; i < 4; ++i) {
    dims.sizes[i] += 2 * pad.before[i];
    dims.probe[i] += 2 * pad.before[i];
  }
  const std::uint32_t out = b.temporary(dims, b.type(input).dtype);
  b.emit(xnn::NodeType::kStaticConstantPad, {image}, out, std::move(pad));
  return out;
}

Status lower_avg_pool(PayloadBuilder& b, const NodeArgs& a) {
  Axis height = axis_of(a, 0, 0);
  Axis width = axis_of(a, 1, 0);
  std::uint32_t image = 0;
  xnn::Pool params = params_of(height, width);
  if (!a.flag(kAverageCeil)) {
    params.padding_bottom = params.padding_top;
    params.padding_right = params.padding_left;
  }
  if (counts_padding(a)) {
    image = padded_image(b, a.value(kInput), height, width);
    params.padding_top = params.padding_bottom = params.padding_left = params.padding_right = 0;
  } else {
    image = b.nhwc(a.value(kInput));
  }
  params.dilation_height = params.dilation_width = 0;  // as ExecuTorch writes it
  b.emit(xnn::NodeType::kAvgPooling2d, {image}, b.make(a.out(), channels_last()), params, xnn::kKeepDims);
  return {};
}

Refused refuse_adaptive(const NodeArgs& a) {
  const ir::TensorType& input = a.type(kInput);
  if (input.sizes.size() != 4) return Refusal{fmt::format("the input {} has not 4 dims", describe(input)), "add a batch dim of one"};
  for (const std::size_t dim : {std::size_t{2}, std::size_t{3}}) {
    const std::int64_t outputs = a.out_type().sizes[dim];
    if (input.is_dynamic(dim)) return Refusal{"an adaptive average over a dynamic size", "export with a fixed image size"};
    if (input.sizes[dim] % outputs != 0) {
      return Refusal{fmt::format("{} elements do not divide into {} equal windows", input.sizes[dim], outputs),
                     "choose an output size that divides the input's"};
    }
  }
  if (input.sizes[2] == a.out_type().sizes[2] && input.sizes[3] == a.out_type().sizes[3]) {
    return Refusal{"a window of one element pools nothing, which XNNPACK refuses", "remove the pooling"};
  }
  return std::nullopt;
}

Status lower_adaptive(PayloadBuilder& b, const NodeArgs& a) {
  const ir::TensorType& input = a.type(kInput);
  const ir::TensorType& out = a.out_type();
  const bool is_global = out.sizes[2] == 1 && out.sizes[3] == 1;
  const auto [from, to] =
      is_global ? b.averaged(a.value(kInput), a.out()) : PayloadBuilder::Moved{a.value(kInput), a.out()};
  const std::uint32_t image = b.nhwc(from);
  const std::uint32_t made = b.make(to, channels_last());
  xnn::Pool params;
  params.pooling_height = params.stride_height = static_cast<std::uint32_t>(input.sizes[2] / out.sizes[2]);
  params.pooling_width = params.stride_width = static_cast<std::uint32_t>(input.sizes[3] / out.sizes[3]);
  params.dilation_height = params.dilation_width = 0;
  if (is_global) {
    b.emit(xnn::NodeType::kGlobalAvgPooling2d, {image}, made, {}, xnn::kKeepDims);
  } else {
    b.emit(xnn::NodeType::kAvgPooling2d, {image}, made, params, xnn::kKeepDims);
  }
  return {};
}

constexpr Lowering kRows[] = {{"aten::max_pool2d_with_indices", refuse_max_pool, lower_max_pool},
                              {"aten::avg_pool2d", refuse_avg_pool, lower_avg_pool},
                              {"aten::_adaptive_avg_pool2d", refuse_adaptive, lower_adaptive}};

}  // namespace

extern constinit const LoweringFamily kPoolingLowerings{kRows};

}  // namespace etalon::xnnpack
