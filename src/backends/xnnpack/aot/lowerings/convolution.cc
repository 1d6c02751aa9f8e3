// Convolutions over one and two dims, plain, grouped, depthwise and transposed.
//
// Filters: [oc, ic/g, kh, kw] becomes [oc, kh, kw, ic/g]; depthwise [c * m, 1, kh, kw] becomes [1, kh, kw, c
// * m]; transposed [ic, oc/g, kh, kw] becomes [oc, kh, kw, ic/g].
//
// Between float16 activations filters are float16 too (ExecuTorch writes float32, twice as large), but for
// transposed convolutions, where XNNPACK wants float32. Biases are float32. Between int8 activations they are
// int8 and int32.
#include <fmt/core.h>

#include <algorithm>

#include "backends/xnnpack/aot/payload_builder.h"
#include "backends/xnnpack/aot/quantised_product.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kWeight = 1, kBias = 2, kStride = 3, kPadding = 4, kDilation = 5,
                      kTransposed = 6, kOutputPadding = 7, kGroups = 8;

Refused refuse_convolution(const NodeArgs& a) {
  const ir::TensorType& input = a.type(kInput);
  if (input.sizes.size() != 3 && input.sizes.size() != 4) {
    return Refusal{
        fmt::format("the input {} has {} dims, want 3 or 4", describe(input), input.sizes.size()),
        "XNNPACK has no convolution over three dims; fold depth into the batch where the model allows it"};
  }
  if (!a.is_fixed(kWeight))
    return Refusal{"the filter is computed at run time, want a constant", "make the filter a parameter"};
  if (a.has(kBias) && !a.is_fixed(kBias))
    return Refusal{"the bias is computed at run time, want a constant", "add it behind the convolution"};
  if (input.sizes.size() == 3 && shape_of(input).dynamic_count() > 1) {
    return Refusal{fmt::format("a convolution over one dim of {}: XNNPACK infers one size of a reshape",
                               describe(input)),
                   "export with one dynamic dim"};
  }
  return std::nullopt;
}

// A list of one or two items as height and width; one-dim convolutions run along the width.
struct Pair {
  std::uint32_t height;
  std::uint32_t width;
};
Pair pair_of(const std::vector<std::int64_t>& list, bool one_dim, std::int64_t other) {
  const auto u32 = [](std::int64_t v) { return static_cast<std::uint32_t>(v); };
  if (one_dim) return {u32(other), u32(list[0])};
  return {u32(list[0]), u32(list.size() > 1 ? list[1] : list[0])};
}

struct Filter {
  std::size_t out_channels;  // of all groups
  std::size_t per_group_in;
  std::size_t per_group_out;
  std::size_t height;
  std::size_t width;
};

Filter filter_of(const Dims& s, bool transposed, std::size_t groups) {
  const auto size = [&](std::size_t i) { return static_cast<std::size_t>(s[i]); };
  const std::size_t height = s.size() == 4 ? size(2) : 1;
  const std::size_t width = size(s.size() - 1);
  if (transposed) return {size(1) * groups, size(0) / groups, size(1), height, width};
  return {size(0), size(1), size(0) / groups, height, width};
}

// Both kinds of filter as [oc, kh, kw, ic/g].
template <class T>
std::vector<T> channels_last_filter(const std::vector<T>& from, const Filter& f, bool transposed) {
  const std::size_t taps = f.height * f.width;
  std::vector<T> to(from.size());
  std::size_t at = 0;
  for (std::size_t o = 0; o < f.out_channels; ++o) {
    for (std::size_t t = 0; t < taps; ++t) {
      for (std::size_t i = 0; i < f.per_group_in; ++i) {
        const std::size_t group = o / f.per_group_out;
        const std::size_t place = transposed
                                      ? (group * f.per_group_in + i) * f.per_group_out + o % f.per_group_out
                                      : o * f.per_group_in + i;
        to[at++] = from[place * taps + t];
      }
    }
  }
  return to;
}

// [oc, 1, kh, kw] as [1, kh, kw, oc]
template <class T>
std::vector<T> depthwise_filter(const std::vector<T>& from, const Filter& f) {
  const std::size_t taps = f.height * f.width;
  std::vector<T> to(from.size());
  for (std::size_t t = 0; t < taps; ++t) {
    for (std::size_t o = 0; o < f.out_channels; ++o) to[t * f.out_channels + o] = from[o * taps + t];
  }
  return to;
}

xnn::Conv params_of(const NodeArgs& a, const Filter& f, bool one_dim) {
  const Pair stride = pair_of(a.ints(kStride), one_dim, 1);
  const Pair padding = pair_of(a.ints(kPadding), one_dim, 0);
  const Pair dilation = pair_of(a.ints(kDilation), one_dim, 1);
  xnn::Conv p;
  p.padding_top = p.padding_bottom = padding.height;
  p.padding_left = p.padding_right = padding.width;
  p.kernel_height = static_cast<std::uint32_t>(f.height);
  p.kernel_width = static_cast<std::uint32_t>(f.width);
  p.subsampling_height = stride.height;
  p.subsampling_width = stride.width;
  p.dilation_height = dilation.height;
  p.dilation_width = dilation.width;
  p.groups = static_cast<std::uint32_t>(a.integer(kGroups));
  p.group_input_channels = static_cast<std::uint32_t>(f.per_group_in);
  p.group_output_channels = static_cast<std::uint32_t>(f.per_group_out);
  if (a.flag(kTransposed)) {
    const Pair adjustment = pair_of(a.ints(kOutputPadding), one_dim, 0);
    p.adjustment_height = adjustment.height;
    p.adjustment_width = adjustment.width;
  }
  return p;
}

// The image as NHWC; of one dim as [N, 1, L, C].
DimOrder image_order(bool one_dim) { return one_dim ? DimOrder{0, 2, 1} : channels_last(); }

Shape image_shape(PayloadBuilder& b, ValueId id) {
  const bool one_dim = b.type(id).sizes.size() == 3;
  const Shape dims = permuted(shape_of(b.type(id)), image_order(one_dim));
  if (!one_dim) return dims;
  Shape wide;
  for (std::size_t i = 0; i < 3; ++i) {
    wide.push_back(dims.sizes[i], dims.probe[i]);
    if (i == 0) wide.push_back(1, 1);
  }
  return wide;
}

std::uint32_t image(PayloadBuilder& b, ValueId input, bool one_dim) {
  if (!one_dim) return b.nhwc(input);
  const DimOrder order = image_order(true);
  return b.reshape(b.get(input, order), permuted(shape_of(b.type(input)), order), image_shape(b, input),
                   b.storage(input));
}

std::uint32_t result(PayloadBuilder& b, ValueId out, bool one_dim) {
  if (!one_dim) return b.make(out, channels_last());
  const Shape wide = image_shape(b, out);
  const std::uint32_t made = b.temporary(wide, b.storage(out));
  b.define(out, {made, image_order(true), wide});
  return made;
}

enum class Kind : std::uint8_t { kPlain, kDepthwise, kSpreading };  // the last is transposed

xnn::NodeType type_of(Kind kind) {
  if (kind == Kind::kSpreading) return xnn::NodeType::kConvTranspose2d;
  return kind == Kind::kDepthwise ? xnn::NodeType::kDepthwiseConv2d : xnn::NodeType::kConv2d;
}

Kind kind_of(const NodeArgs& a, const Filter& f) {
  if (a.flag(kTransposed)) return Kind::kSpreading;
  return a.integer(kGroups) > 1 && f.per_group_in == 1 ? Kind::kDepthwise : Kind::kPlain;
}

Dims filter_dims(const Filter& f, Kind kind) {
  const auto i64 = [](std::size_t v) { return static_cast<std::int64_t>(v); };
  if (kind == Kind::kDepthwise) return {1, i64(f.height), i64(f.width), i64(f.out_channels)};
  return {i64(f.out_channels), i64(f.height), i64(f.width), i64(f.per_group_in)};
}

template <class T>
std::vector<T> rearranged(const std::vector<T>& from, const Filter& f, Kind kind) {
  return kind == Kind::kDepthwise ? depthwise_filter(from, f)
                                  : channels_last_filter(from, f, kind == Kind::kSpreading);
}

std::uint32_t float_bias(PayloadBuilder& b, const NodeArgs& a) {
  if (!a.has(kBias)) return xnn::kNoValue;
  const std::vector<double> values = elements_of(*b.constant_of(a.value(kBias)));
  return b.constant(values, Dims{static_cast<std::int64_t>(values.size())}, DType::kFloat32);
}

ValueId bias_of(const NodeArgs& a) { return a.has(kBias) ? a.value(kBias) : ir::kNoValue; }
std::uint32_t channel_dim_of(Kind kind) { return kind == Kind::kDepthwise ? 3 : 0; }

bool lower_quantised(PayloadBuilder& b, const NodeArgs& a, const Filter& f, Kind kind) {
  const std::size_t channel_dim = kind == Kind::kSpreading ? 1 : 0;
  auto product = quantised_product(
      b, {a.value(kInput), a.value(kWeight), bias_of(a), a.out(), channel_dim, f.out_channels});
  if (!product) return false;
  if (product->scales.dim) product->scales.dim = channel_dim_of(kind);
  const std::uint32_t filter = b.constant(rearranged(int8_elements_of(*product->weight), f, kind),
                                          filter_dims(f, kind), product->scales);
  const std::uint32_t bias =
      product->bias.empty()
          ? xnn::kNoValue
          : b.constant(product->bias, Dims{static_cast<std::int64_t>(f.out_channels)}, product->bias_scales);
  const bool one_dim = a.type(kInput).sizes.size() == 3;
  const std::uint32_t input = image(b, product->input, one_dim);
  const ValueId out = b.hold_result(a.out(), product->result);
  limit(b.emit(type_of(kind), {input, filter, bias}, result(b, out, one_dim), params_of(a, f, one_dim)),
        product->result.limits);
  return true;
}

Status lower_convolution(PayloadBuilder& b, const NodeArgs& a) {
  const bool one_dim = a.type(kInput).sizes.size() == 3;
  const Filter f =
      filter_of(a.type(kWeight).sizes, a.flag(kTransposed), static_cast<std::size_t>(a.integer(kGroups)));
  const Kind kind = kind_of(a, f);
  if (lower_quantised(b, a, f, kind)) return {};
  const DType dtype = kind == Kind::kSpreading ? DType::kFloat32 : a.out_type().dtype;
  const std::uint32_t filter = b.constant(rearranged(elements_of(*b.constant_of(a.value(kWeight))), f, kind),
                                          filter_dims(f, kind), dtype);
  const std::uint32_t input = image(b, a.value(kInput), one_dim);
  b.emit(type_of(kind), {input, filter, float_bias(b, a)}, result(b, a.out(), one_dim),
         params_of(a, f, one_dim));
  return {};
}

// XNNPACK computes a convolution that looks at one pixel at a time, and at all of them, as a product of
// matrices.
PayloadBuilder::DynamicReader reader_of(const NodeArgs& a, const Filter& f, Kind kind) {
  if (kind == Kind::kSpreading) return PayloadBuilder::DynamicReader::kTransposedConvolution;
  const auto all = [&](std::size_t argument, std::int64_t value) {
    const auto& list = a.ints(argument);
    return std::all_of(list.begin(), list.end(), [&](std::int64_t v) { return v == value; });
  };
  const bool is_product =
      f.height == 1 && f.width == 1 && a.integer(kGroups) == 1 && all(kStride, 1) && all(kPadding, 0);
  return is_product ? PayloadBuilder::DynamicReader::kProduct : PayloadBuilder::DynamicReader::kConvolution;
}

// Each image is quantised when running.
Status lower_dynamic(PayloadBuilder& b, const NodeArgs& a) {
  const bool one_dim = a.type(kInput).sizes.size() == 3;
  const Filter f =
      filter_of(a.type(kWeight).sizes, a.flag(kTransposed), static_cast<std::size_t>(a.integer(kGroups)));
  const Kind kind = a.flag(kTransposed) ? Kind::kSpreading : Kind::kPlain;
  ETALON_TRY(const QuantisedWeight weight,
             quantised_weight(b.graph(), *weight_node(b.graph(), a.value(kWeight))));
  Scales scales{{}, 0};
  ETALON_TRY(scales.values, scales_of_outputs(weight, kind == Kind::kSpreading ? 1 : 0, f.out_channels));
  const std::uint32_t filter =
      b.constant(rearranged(int8_elements_of(*weight.numbers), f, kind), filter_dims(f, kind), scales);
  const std::uint32_t input = b.dynamic_rows(image(b, a.value(kInput), one_dim),
                                             image_shape(b, a.value(kInput)), 3, reader_of(a, f, kind));
  const std::uint32_t out = result(b, a.out(), one_dim);
  // Transposed ones give float32 alone.
  const bool converts = kind == Kind::kSpreading && a.out_type().dtype != DType::kFloat32;
  const std::uint32_t computed = converts ? b.temporary(image_shape(b, a.out()), DType::kFloat32) : out;
  b.emit(type_of(kind), {input, filter, float_bias(b, a)}, computed, params_of(a, f, one_dim));
  if (converts) b.emit(xnn::NodeType::kConvert, {computed}, out);
  return {};
}

constexpr Lowering kRows[] = {{"aten::convolution", refuse_convolution, lower_convolution},
                              {"xnnpack::dynamic_convolution", accept, lower_dynamic}};

}  // namespace

extern constinit const LoweringFamily kConvolutionLowerings{kRows};

}  // namespace etalon::xnnpack
