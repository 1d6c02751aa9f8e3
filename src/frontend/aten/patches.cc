// Windows put back into an image, and the sampling grid of an affine map.
#include <fmt/core.h>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// The inverse of im2col: [N, C * kh * kw, L] -> [N, C, H, W], overlaps summed. Every element is added at its
// place in the padded image, whose border is then cut off.
ValueIds col2im(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  const bool unbatched = lo.rank(x) == 2;
  if (unbatched) x = lo.unsqueeze(x, 0);
  if (lo.rank(x) != 3) refuse_input(fmt::format("the input has {} dims, want 3", lo.rank(x)));
  const Ints size = a.ints(1), kernel = a.ints(2), dilation = a.ints(3), padding = a.ints(4),
             stride = a.ints(5);
  constexpr std::int64_t kMaxSide = 1 << 12;
  std::int64_t padded[2], steps[2];
  for (std::size_t i = 0; i < 2; ++i) {
    if (stride[i] <= 0 || kernel[i] <= 0 || kernel[i] > kMaxSide || size[i] <= 0 || size[i] > kMaxSide ||
        padding[i] < 0 || padding[i] > kMaxSide || dilation[i] <= 0 || dilation[i] > kMaxSide)
      refuse(fmt::format("windows of {} over {} elements are not supported", kernel[i], size[i]));
    padded[i] = size[i] + 2 * padding[i];
    steps[i] = (padded[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
  }
  const std::int64_t channels = lo.static_size(x, 1) / (kernel[0] * kernel[1]);
  if (steps[0] <= 0 || steps[1] <= 0 || lo.static_size(x, 2) != steps[0] * steps[1] ||
      channels * kernel[0] * kernel[1] != lo.static_size(x, 1))
    refuse_input("the columns do not match the windows");
  Ints places;
  for (std::int64_t i = 0; i < kernel[0]; ++i) {
    for (std::int64_t k = 0; k < kernel[1]; ++k) {
      for (std::int64_t row = 0; row < steps[0]; ++row) {
        const std::int64_t line = (row * stride[0] + i * dilation[0]) * padded[1];
        for (std::int64_t column = 0; column < steps[1]; ++column)
          places.push_back(line + column * stride[1] + k * dilation[1]);
      }
    }
  }
  const auto count = static_cast<std::int64_t>(places.size());
  const IntItem batch = lo.size(x, 0);
  const auto literal = [](std::int64_t value) { return IntItem{value, ir::kNoValue}; };
  const ValueId index = lo.expand(lo.constant(places, Dims{1, 1, count}, DType::kInt64),
                                  {batch, literal(channels), literal(count)});
  const ValueId empty =
      lo.op("aten::full", IntItems{batch, literal(channels), literal(padded[0] * padded[1])}, 0, lo.dtype(x));
  const ValueId columns = lo.reshape(x, {{x, 0}, SizeOf::literal(channels), SizeOf::literal(count)});
  const ValueId sums = lo.op("aten::scatter_add", empty, 2, index, columns);
  ValueId image = lo.reshape(
      sums, {{x, 0}, SizeOf::literal(channels), SizeOf::literal(padded[0]), SizeOf::literal(padded[1])});
  for (std::size_t i = 0; i < 2; ++i) {
    if (padding[i] != 0)
      image = lo.slice(image, static_cast<std::int64_t>(i) + 2, padding[i], padding[i] + size[i]);
  }
  return {unbatched ? lo.squeeze(image, 0) : image};
}

// Coordinates of the centres of `count` elements between -1 and 1, or of both ends when corners are aligned.
float coordinate(std::int64_t i, std::int64_t count, bool align_corners) {
  const auto n = static_cast<double>(count);
  if (align_corners) return count > 1 ? static_cast<float>(2.0 * static_cast<double>(i) / (n - 1) - 1) : 0.0f;
  return static_cast<float>((2.0 * static_cast<double>(i) + 1) / n - 1);
}

// theta [N, d, d + 1] times every (x, y[, z], 1) of the image.
ValueIds affine_grid(Lowering& lo, const Args& a) {
  const ValueId theta = a.tensor(0);
  const Ints size = a.ints(1);
  if (size.size() != 4 && size.size() != 5) refuse_input("an image of 4 or 5 dims is wanted");
  const Ints space(size.begin() + 2, size.end());
  constexpr std::int64_t kMaxPoints = 1 << 22;
  std::int64_t points = 1;
  for (const std::int64_t side : space) {
    if (side <= 0 || side > kMaxPoints / points) refuse("a grid of so many points is not supported");
    points *= side;
  }
  const std::size_t dims = space.size();
  std::vector<float> base;
  for (std::int64_t p = 0; p < points; ++p) {
    std::int64_t rest = p;
    for (std::size_t i = dims; i-- > 0; rest /= space[i])
      base.push_back(coordinate(rest % space[i], space[i], a.flag(2)));
    base.push_back(1.0f);
  }
  const ValueId grid = lo.constant(base, Dims{points, static_cast<std::int64_t>(dims) + 1}, lo.dtype(theta));
  const ValueId moved = lo.aten("aten::matmul", grid, lo.transpose(theta, 1, 2));
  Sizes out = {{theta, 0}};
  for (const std::int64_t side : space) out.push_back(SizeOf::literal(side));
  out.push_back(SizeOf::literal(static_cast<std::int64_t>(dims)));
  return {lo.reshape(moved, out)};
}

constexpr Rule kRows[] = {
    {"aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
     "int[2] "
     "stride) -> Tensor",
     col2im},
    {"aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor", affine_grid},
};

}  // namespace

constinit const RuleFamily kPatchRules{kRows};

}  // namespace etalon::frontend
