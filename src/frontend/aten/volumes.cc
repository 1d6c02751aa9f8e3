// Resizing in three dims, as two dims and then the third: a product of one-dimensional weights is separable.
#include <fmt/core.h>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// How one two-dimensional resize is called: to sizes, or by scale factors.
using Resize = ValueId (*)(Lowering&, ValueId, const Arg& sizes, bool align_corners, const Arg& scales);

ValueId bilinear(Lowering& lo, ValueId x, const Arg& sizes, bool align_corners, const Arg& scales) {
  return lo.op("aten::upsample_bilinear2d.vec", x, sizes, align_corners, scales);
}
ValueId nearest(Lowering& lo, ValueId x, const Arg& sizes, bool, const Arg& scales) {
  return lo.op("aten::upsample_nearest2d.vec", x, sizes, scales);
}

// [N, C, D, H, W]: planes are resized first, then each column of depths as an image as wide as the planes.
ValueId resize_3d(Lowering& lo, ValueId x, const Ints& sizes, const std::vector<double>& scales,
                  bool align_corners, Resize resize) {
  if (lo.rank(x) != 5) refuse_input(fmt::format("the input has {} dims, want 5", lo.rank(x)));
  const bool scaled = sizes.empty();
  if ((scaled ? scales.size() : sizes.size()) != 3) refuse_input("three sizes or scale factors are wanted");
  const ValueId planes = lo.reshape(x, {{x, 0}, SizeOf::literal(-1), {x, 3}, {x, 4}});
  const ValueId flat =
      scaled ? resize(lo, planes, ir::kNone, align_corners, std::vector<double>{scales[1], scales[2]})
             : resize(lo, planes, ir::literal_ints(Ints{sizes[1], sizes[2]}), align_corners, ir::kNone);
  const ValueId columns = lo.reshape(flat, {{x, 0}, {x, 1}, {x, 2}, SizeOf::literal(-1)});
  const ValueId deep = scaled
                           ? resize(lo, columns, ir::kNone, align_corners, std::vector<double>{scales[0], 1})
                           : resize(lo, columns, ir::literal_ints(Ints{sizes[0], lo.static_size(columns, 3)}),
                                    align_corners, ir::kNone);
  return lo.reshape(deep, {{x, 0}, {x, 1}, {deep, 2}, {flat, 2}, {flat, 3}});
}

ValueIds trilinear_vec(Lowering& lo, const Args& a) {
  return {resize_3d(lo, a.tensor(0), a.ints(1), a.doubles(3), a.flag(2), bilinear)};
}
ValueIds trilinear(Lowering& lo, const Args& a) {
  return {resize_3d(lo, a.tensor(0), a.ints(1), {}, a.flag(2), bilinear)};
}
ValueIds nearest_vec(Lowering& lo, const Args& a) {
  return {resize_3d(lo, a.tensor(0), a.ints(1), a.doubles(2), false, nearest)};
}
ValueIds nearest_sizes(Lowering& lo, const Args& a) {
  return {resize_3d(lo, a.tensor(0), a.ints(1), {}, false, nearest)};
}

constexpr Rule kRows[] = {
    {"aten::upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     trilinear_vec},
    {"aten::upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, float? "
     "scales_d=None, "
     "float? scales_h=None, float? scales_w=None) -> Tensor",
     trilinear},
    {"aten::upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     nearest_vec},
    {"aten::upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? "
     "scales_h=None, "
     "float? scales_w=None) -> Tensor",
     nearest_sizes},
};

}  // namespace

constinit const RuleFamily kVolumeRules{kRows};

}  // namespace etalon::frontend
