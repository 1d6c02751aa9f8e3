// Resizing of images: bilinear has a node; nearest by a whole factor repeats columns and then rows by concatenation; a
// pixel shuffle is a transposition.
#include <fmt/core.h>

#include <cmath>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kAlignCorners = 2, kScales = 3, kNearestScales = 2;
constexpr std::int64_t kMaxFactor = 5;  // inputs of one concatenation

Refused refuse_sizes(const NodeArgs& a) {
  const ir::TensorType& input = a.type(kInput);
  if (input.sizes.size() != 4) return Refusal{fmt::format("the input {} has not 4 dims", describe(input)), "add a batch dim of one"};
  if (input.is_dynamic(2) || input.is_dynamic(3) || a.out_type().is_dynamic(2) || a.out_type().is_dynamic(3)) {
    return Refusal{"a dynamic image size: XNNPACK fixes the new size when the program loads", "export with a fixed image size"};
  }
  return std::nullopt;
}

// Scale factors decide the step; XNNPACK takes it from the sizes.
Refused refuse_scales(const NodeArgs& a, std::size_t at) {
  if (!a.has(at)) return std::nullopt;
  const auto& scales = std::get<std::vector<double>>(a.node().args[at]);
  for (std::size_t i = 0; i < scales.size() && i < 2; ++i) {
    const double from = static_cast<double>(a.type(kInput).sizes[i + 2]);
    const double to = static_cast<double>(a.out_type().sizes[i + 2]);
    if (std::fabs(from * scales[i] - to) > 1e-6 * to) {
      return Refusal{fmt::format("the scale factor {} is not the ratio of the sizes {} and {}", scales[i], from, to), "give the size instead"};
    }
  }
  return std::nullopt;
}

Refused refuse_bilinear(const NodeArgs& a) {
  if (Refused found = refuse_sizes(a)) return found;
  return a.flag(kAlignCorners) ? std::nullopt : refuse_scales(a, kScales);
}

Status lower_bilinear(PayloadBuilder& b, const NodeArgs& a) {
  const Dims& to = a.out_type().sizes;
  // Int8 numbers are mixed to numbers of the same kind.
  const ValueId held = b.held(a.value(kInput));
  const auto result = held == ir::kNoValue ? std::nullopt : b.quantised_result(a.out(), false);
  const bool in_int8 = result && result->affine == b.storage(held).affine;
  const std::uint32_t image = b.nhwc(in_int8 ? held : a.value(kInput));
  const ValueId out = in_int8 ? b.hold_result(a.out(), *result) : a.out();
  b.emit(xnn::NodeType::kStaticResizeBilinear2D, {image}, b.make(out, channels_last()),
         xnn::Resize{static_cast<std::uint32_t>(to[2]), static_cast<std::uint32_t>(to[3])},
         a.flag(kAlignCorners) ? xnn::kAlignCorners : 0);
  return {};
}

Refused refuse_nearest(const NodeArgs& a) {
  if (Refused found = refuse_sizes(a)) return found;
  if (Refused found = refuse_scales(a, kNearestScales)) return found;
  if (a.type(kInput).is_dynamic()) return Refusal{"a dynamic batch: rows are repeated by reshapes of fixed size", "export with a fixed batch"};
  for (const std::size_t dim : {std::size_t{2}, std::size_t{3}}) {
    const std::int64_t from = a.type(kInput).sizes[dim];
    const std::int64_t to = a.out_type().sizes[dim];
    if (to % from != 0 || to / from > kMaxFactor) {
      return Refusal{fmt::format("nearest resizing of {} elements to {}, want a whole factor up to {}", from, to, kMaxFactor),
                     "resize by a whole factor, or bilinearly"};
    }
  }
  return std::nullopt;
}

// [.., 1, ..] repeated `count` times along `axis`.
std::uint32_t repeated(PayloadBuilder& b, std::uint32_t id, Shape dims, std::size_t axis, std::int64_t count,
                       Storage storage) {
  constexpr xnn::NodeType kTypes[] = {xnn::NodeType::kConcatenate2, xnn::NodeType::kConcatenate3, xnn::NodeType::kConcatenate4,
                                      xnn::NodeType::kConcatenate5};
  dims.sizes[axis] = dims.probe[axis] = count;
  const std::uint32_t out = b.temporary(dims, storage);
  b.emit(kTypes[count - 2], std::vector<std::uint32_t>(static_cast<std::size_t>(count), id), out,
         xnn::Concatenate{static_cast<std::uint32_t>(axis)});
  return out;
}

Status lower_nearest(PayloadBuilder& b, const NodeArgs& a) {
  const Dims& from = a.type(kInput).sizes;
  const Dims& to = a.out_type().sizes;
  const auto [in, out] = b.moved(a.value(kInput), a.out());
  const Storage storage = b.storage(out);
  const std::int64_t down = to[2] / from[2];
  const std::int64_t across = to[3] / from[3];
  std::uint32_t image = b.nhwc(in);
  Shape dims = static_shape({from[0], from[2], from[3], from[1]});
  if (across > 1) {
    const Shape apart = static_shape({from[0] * from[2], from[3], 1, from[1]});
    image = repeated(b, b.reshape(image, dims, apart, storage), apart, 2, across, storage);
    dims = static_shape({from[0] * from[2], from[3], across, from[1]});
  }
  if (down > 1) {
    const Shape apart = static_shape({from[0] * from[2], 1, to[3], from[1]});
    image = repeated(b, b.reshape(image, dims, apart, storage), apart, 1, down, storage);
    dims = static_shape({from[0] * from[2], down, to[3], from[1]});
  }
  b.define(out, {image, channels_last(), dims});
  return {};
}

Refused refuse_shuffle(const NodeArgs& a) {
  if (a.type(kInput).sizes.size() != 4) return Refusal{"the input has not 4 dims", "add a batch dim of one"};
  if (a.type(kInput).is_dynamic()) return Refusal{"a shuffle of dynamic size", "export with fixed sizes"};
  return std::nullopt;
}

// NHW(Crs) -> NHrWsC
Status lower_shuffle(PayloadBuilder& b, const NodeArgs& a) {
  const Dims& from = a.type(kInput).sizes;
  const std::int64_t r = a.integer(1);
  const Shape apart = static_shape({from[0], from[2], from[3], from[1] / (r * r), r, r});
  const auto [in, out] = b.moved(a.value(kInput), a.out());
  const std::uint32_t image =
      b.reshape(b.nhwc(in), static_shape({from[0], from[2], from[3], from[1]}), apart, b.storage(out));
  const DimOrder order = {0, 1, 4, 2, 5, 3};
  b.define(out, {b.transpose(image, apart, order, b.storage(out)), channels_last(), permuted(apart, order)});
  return {};
}

constexpr Lowering kRows[] = {{"aten::upsample_bilinear2d.vec", refuse_bilinear, lower_bilinear},
                              {"aten::upsample_nearest2d.vec", refuse_nearest, lower_nearest},
                              {"aten::pixel_shuffle", refuse_shuffle, lower_shuffle}};

}  // namespace

extern constinit const LoweringFamily kResizeLowerings{kRows};

}  // namespace etalon::xnnpack
