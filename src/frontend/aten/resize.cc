// Interpolation. Nearest and bilinear have operators; bicubic and exact nearest are products with constant
// matrices.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// One resized dim.
struct Axis {
  std::int64_t from = 0;
  std::int64_t to = 0;
  double step = 1;  // of the source per destination element
};

Axis axis_of(std::int64_t from, std::int64_t to, double scale, bool align_corners) {
  Axis axis{from, to, 1};
  if (align_corners) {
    axis.step = to > 1 ? static_cast<double>(from - 1) / static_cast<double>(to - 1) : 0;
  } else {
    axis.step = scale > 0 ? 1 / scale : static_cast<double>(from) / static_cast<double>(to);
  }
  return axis;
}

void check_axis(const Axis& axis) {
  constexpr std::int64_t kMaxSide = 1 << 13;
  if (axis.from <= 0 || axis.to <= 0 || axis.from > kMaxSide || axis.to > kMaxSide) {
    refuse(fmt::format("resizing {} elements to {} is not supported", axis.from, axis.to));
  }
}

// Sizes either given or from scale factors, which then also decide the step.
struct Wanted {
  Ints sizes;
  std::vector<double> scales;  // zero where the sizes decide
};
Wanted wanted_size(Lowering& lo, ValueId x, const Args& a, std::size_t size_at, std::size_t scales_at,
                   std::size_t dims) {
  if (lo.rank(x) < dims)
    refuse_input(fmt::format("the input has {} dims, want at least {}", lo.rank(x), dims));
  Wanted out{a.ints(size_at), a.doubles(scales_at)};
  if (out.sizes.empty()) {
    if (out.scales.size() != dims) refuse_input("interpolation wants a size or scale factors");
    for (std::size_t i = 0; i < dims; ++i) {
      const auto from = static_cast<double>(lo.static_size(x, lo.rank(x) - dims + i));
      out.sizes.push_back(static_cast<std::int64_t>(from * out.scales[i]));
    }
  } else {
    out.scales.assign(dims, 0);
  }
  if (out.sizes.size() != dims)
    refuse_input(fmt::format("{} sizes are given, want {}", out.sizes.size(), dims));
  return out;
}

// Wide taps' weights; a of Keys' cubic is -0.75 as everywhere in torch.
double cubic(double x) {
  constexpr double kA = -0.75;
  x = std::fabs(x);
  if (x <= 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA;
  return 0;
}

using Matrix = std::vector<float>;  // [from, to], row-major

Matrix cubic_matrix(const Axis& axis, bool align_corners) {
  Matrix m(static_cast<std::size_t>(axis.from * axis.to), 0.0f);
  for (std::int64_t i = 0; i < axis.to; ++i) {
    const double centre =
        align_corners ? axis.step * static_cast<double>(i) : axis.step * (static_cast<double>(i) + 0.5) - 0.5;
    const double base = std::floor(centre);
    for (int tap = -1; tap <= 2; ++tap) {
      const auto source = std::clamp<std::int64_t>(static_cast<std::int64_t>(base) + tap, 0, axis.from - 1);
      m[static_cast<std::size_t>(source * axis.to + i)] += static_cast<float>(cubic(centre - base - tap));
    }
  }
  return m;
}

// Antialiased: the kernel is stretched to the step, cut at the borders and normalised (at::native's aa
// kernels, a = -0.5).
double cubic_aa(double x) {
  constexpr double kA = -0.5;
  x = std::fabs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * x * kA - 4 * kA;
  return 0;
}

Matrix antialiased_matrix(const Axis& axis) {
  Matrix m(static_cast<std::size_t>(axis.from * axis.to), 0.0f);
  const double stretch = std::max(axis.step, 1.0);
  for (std::int64_t i = 0; i < axis.to; ++i) {
    const double centre = axis.step * (static_cast<double>(i) + 0.5);
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - 2 * stretch + 0.5), 0);
    const auto last =
        std::min<std::int64_t>(static_cast<std::int64_t>(centre + 2 * stretch + 0.5), axis.from);
    double total = 0;
    for (std::int64_t s = first; s < last; ++s)
      total += cubic_aa((static_cast<double>(s) - centre + 0.5) / stretch);
    for (std::int64_t s = first; s < last; ++s) {
      const double weight = cubic_aa((static_cast<double>(s) - centre + 0.5) / stretch) / total;
      m[static_cast<std::size_t>(s * axis.to + i)] = static_cast<float>(weight);
    }
  }
  return m;
}

// x [.., H, W] -> rowsT @ (x @ columns)
ValueId resize_by_matrices(Lowering& lo, ValueId x, const Axis& height, const Matrix& rows, const Axis& width,
                           const Matrix& columns) {
  const DType dtype = lo.dtype(x);
  const ValueId across = lo.aten("aten::matmul", x, lo.constant(columns, Dims{width.from, width.to}, dtype));
  const ValueId turned = lo.transpose(across, -2, -1);
  const ValueId down =
      lo.aten("aten::matmul", turned, lo.constant(rows, Dims{height.from, height.to}, dtype));
  return lo.transpose(down, -2, -1);
}

ValueId bicubic_of(Lowering& lo, ValueId x, const Wanted& wanted, bool align_corners, bool antialias) {
  if (lo.rank(x) != 4 || !is_floating(lo.dtype(x)))
    refuse("bicubic interpolation wants a float tensor of 4 dims");
  const Axis height = axis_of(lo.static_size(x, 2), wanted.sizes[0], wanted.scales[0], align_corners);
  const Axis width = axis_of(lo.static_size(x, 3), wanted.sizes[1], wanted.scales[1], align_corners);
  check_axis(height);
  check_axis(width);
  const auto matrix = [&](const Axis& axis) {
    return antialias ? antialiased_matrix(axis) : cubic_matrix(axis, align_corners);
  };
  return resize_by_matrices(lo, x, height, matrix(height), width, matrix(width));
}

ValueIds bicubic_vec(Lowering& lo, const Args& a) {
  return {bicubic_of(lo, a.tensor(0), wanted_size(lo, a.tensor(0), a, 1, 3, 2), a.flag(2), false)};
}
ValueIds bicubic_aa_vec(Lowering& lo, const Args& a) {
  return {bicubic_of(lo, a.tensor(0), wanted_size(lo, a.tensor(0), a, 1, 3, 2), a.flag(2), true)};
}
ValueIds bicubic(Lowering& lo, const Args& a) {
  return {bicubic_of(lo, a.tensor(0), {a.ints(1), {a.number_or(3, 0), a.number_or(4, 0)}}, a.flag(2), false)};
}
ValueIds bicubic_aa(Lowering& lo, const Args& a) {
  return {bicubic_of(lo, a.tensor(0), {a.ints(1), {a.number_or(3, 0), a.number_or(4, 0)}}, a.flag(2), true)};
}

// Rows of the source by their numbers, one dim after the other.
ValueId nearest_exact_of(Lowering& lo, ValueId x, const Wanted& wanted) {
  const std::size_t dims = wanted.sizes.size();
  if (lo.rank(x) < dims)
    refuse_input(fmt::format("the input has {} dims, want at least {}", lo.rank(x), dims));
  for (std::size_t i = 0; i < dims; ++i) {
    const std::size_t dim = lo.rank(x) - dims + i;
    const Axis axis = axis_of(lo.static_size(x, dim), wanted.sizes[i], wanted.scales[i], false);
    check_axis(axis);
    Ints rows;
    for (std::int64_t k = 0; k < axis.to; ++k) {
      rows.push_back(
          std::min(static_cast<std::int64_t>((static_cast<double>(k) + 0.5) * axis.step), axis.from - 1));
    }
    x = lo.op("aten::index_select", x, dim, lo.constant(rows, Dims{axis.to}, DType::kInt64));
  }
  return x;
}
template <std::size_t kDims>
ValueIds nearest_exact_vec(Lowering& lo, const Args& a) {
  return {nearest_exact_of(lo, a.tensor(0), wanted_size(lo, a.tensor(0), a, 1, 2, kDims))};
}

ValueIds nearest2d(Lowering& lo, const Args& a) {
  return {lo.op("aten::upsample_nearest2d.vec", a[0], a[1], ir::kNone)};
}
ValueIds bilinear2d(Lowering& lo, const Args& a) {
  return {lo.op("aten::upsample_bilinear2d.vec", a[0], a[1], a[2], ir::kNone)};
}

ValueIds bilinear_aa_vec(Lowering& lo, const Args& a) {
  const Wanted wanted = wanted_size(lo, a.tensor(0), a, 1, 3, 2);
  const auto scale = [&](std::size_t i) { return wanted.scales[i] > 0 ? Arg{wanted.scales[i]} : ir::kNone; };
  return {lo.op("aten::_upsample_bilinear2d_aa", a[0], wanted.sizes, a[2], scale(0), scale(1))};
}

// One dim is two with a height of one.
ValueIds nearest1d_vec(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const Wanted wanted = wanted_size(lo, x, a, 1, 2, 1);
  return {lo.squeeze(
      lo.op("aten::upsample_nearest2d.vec", lo.unsqueeze(x, -2), Ints{1, wanted.sizes[0]}, ir::kNone), -2)};
}
ValueIds nearest1d(Lowering& lo, const Args& a) {
  return {lo.squeeze(lo.op("aten::upsample_nearest2d.vec", lo.unsqueeze(a.tensor(0), -2),
                           Ints{1, a.ints(1).at(0)}, ir::kNone),
                     -2)};
}
ValueIds linear1d_vec(Lowering& lo, const Args& a) {
  const ValueId x = lo.unsqueeze(a.tensor(0), -2);
  if (a.has(3)) {
    return {lo.squeeze(lo.op("aten::upsample_bilinear2d.vec", x, ir::kNone, a[2],
                             std::vector<double>{1, a.doubles(3).at(0)}),
                       -2)};
  }
  return {
      lo.squeeze(lo.op("aten::upsample_bilinear2d.vec", x, Ints{1, a.ints(1).at(0)}, a[2], ir::kNone), -2)};
}

constexpr Rule kRows[] = {
    {"aten::upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor", nearest1d},
    {"aten::upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     nearest1d_vec},
    {"aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? "
     "scales_w=None) -> Tensor",
     nearest2d},
    {"aten::upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, float? scales=None) -> "
     "Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds {
       return {lo.aten("aten::upsample_linear1d.vec", a[0], a[1], a[2], ir::kNone)};
     }},
    {"aten::upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     linear1d_vec},
    {"aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? "
     "scales_h=None, "
     "float? scales_w=None) -> Tensor",
     bilinear2d},
    {"aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None) -> Tensor",
     bicubic},
    {"aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     bicubic_vec},
    {"aten::_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     bilinear_aa_vec},
    {"aten::_upsample_bicubic2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? "
     "scales_h=None, "
     "float? scales_w=None) -> Tensor",
     bicubic_aa},
    {"aten::_upsample_bicubic2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     bicubic_aa_vec},
    {"aten::_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> "
     "Tensor",
     nearest_exact_vec<1>},
    {"aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> "
     "Tensor",
     nearest_exact_vec<2>},
    {"aten::_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> "
     "Tensor",
     nearest_exact_vec<3>},
};

}  // namespace

constinit const RuleFamily kResizeRules{kRows};

}  // namespace etalon::frontend
