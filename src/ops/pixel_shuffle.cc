// Sub-pixel rearrangement (Shi et al. 2016): [.., C*r*r, H, W] <-> [.., C, H*r, W*r].
#include <fmt/core.h>

#include "base/checked.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

// Two more dims are needed while copying.
Status check_rank(const TensorView& self, std::int64_t factor) {
  if (self.rank() < 3 || self.rank() + 2 > kMaxRank) {
    return invalid_input(fmt::format("pixel shuffle of {}, want 3 to {} dims", to_string(self.sizes()), kMaxRank - 2));
  }
  if (factor <= 0) return invalid_input(fmt::format("pixel shuffle by {}, want a positive factor", factor));
  return {};
}

Status infer_shuffle(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  const std::int64_t factor = call.integer(1);
  ETALON_CHECKED(check_rank(self, factor));
  Dims sizes = self.sizes();
  const std::size_t channel = sizes.size() - 3;
  const auto square = checked_mul(factor, factor);
  if (!square || sizes[channel] % *square != 0) {
    return invalid_input(fmt::format("pixel_shuffle by {}: {} channels are not a multiple of its square", factor, sizes[channel]));
  }
  sizes[channel] /= *square;
  for (const std::size_t d : {channel + 1, channel + 2}) {
    const auto size = checked_mul(sizes[d], factor);
    if (!size) return invalid_input("pixel_shuffle gives too many elements");
    sizes[d] = *size;
  }
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, self.dtype(), valid);
}

Status infer_unshuffle(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  const std::int64_t factor = call.integer(1);
  ETALON_CHECKED(check_rank(self, factor));
  Dims sizes = self.sizes();
  const std::size_t channel = sizes.size() - 3;
  if (sizes[channel + 1] % factor != 0 || sizes[channel + 2] % factor != 0) {
    return invalid_input(fmt::format("pixel_unshuffle by {}: height and width of {} are no multiples", factor, to_string(sizes)));
  }
  const auto square = checked_mul(factor, factor);
  const auto channels = square ? checked_mul(sizes[channel], *square) : std::nullopt;
  if (!channels) return invalid_input("pixel_unshuffle gives too many elements");
  sizes[channel] = *channels;
  sizes[channel + 1] /= factor;
  sizes[channel + 2] /= factor;
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, self.dtype(), valid);
}

// [.., C*r*r, H, W] as [.., C, H, r, W, r]
StridedView deep_as_pixels(const StridedView& deep, std::int64_t factor) {
  const std::size_t channel = deep.rank() - 3;
  const StridedView cut = with_dim_split(with_dim_split(deep, channel, factor * factor), channel + 1, factor);
  Dims order;
  for (std::size_t d = 0; d <= channel; ++d) order.push_back(static_cast<std::int64_t>(d));
  const auto c = static_cast<std::int64_t>(channel);
  for (const std::int64_t d : {c + 3, c + 1, c + 4, c + 2}) order.push_back(d);
  return cut.permuted(order.span());
}

// [.., C, H*r, W*r] as [.., C, H, r, W, r]
StridedView wide_as_pixels(const StridedView& wide, std::int64_t factor) {
  return with_dim_split(with_dim_split(wide, wide.rank() - 1, factor), wide.rank() - 2, factor);
}

Status shuffle_kernel(const Call& call) {
  const std::int64_t factor = call.integer(1);
  copy_cast(deep_as_pixels(StridedView(call.tensor(0)), factor), wide_as_pixels(StridedView(call.out()), factor));
  return {};
}

Status unshuffle_kernel(const Call& call) {
  const std::int64_t factor = call.integer(1);
  copy_cast(wide_as_pixels(StridedView(call.tensor(0)), factor), deep_as_pixels(StridedView(call.out()), factor));
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor",
     .out_name = "aten::pixel_shuffle.out",
     .infer = infer_shuffle,
     .kernel = shuffle_kernel},
    {.schema = "aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor",
     .out_name = "aten::pixel_unshuffle.out",
     .infer = infer_unshuffle,
     .kernel = unshuffle_kernel},
};

}  // namespace

extern constinit const OpFamily kPixelShuffleOps{kRows};

}  // namespace etalon::ops
