// Batch, layer, group, instance and RMS normalisation outside of training, and weight normalisation.
#include <fmt/core.h>

#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// input, weight, bias, mean, var, training, momentum, eps
ValueIds batch_norm_parts(Lowering& lo, const Args& a) {
  const bool has_statistics = a.has(3) && a.has(4);
  if (a.flag(5) && has_statistics)
    refuse("the model is in training mode; call model.eval() before torch.export.export");
  if (has_statistics) {
    return lo.op_all("aten::_native_batch_norm_legit_no_training", a[0], a[1], a[2], a[3], a[4], a[6], a[7]);
  }
  return lo.op_all("aten::_native_batch_norm_legit.no_stats", a[0], a[1], a[2], true, a[6], a[7]);
}
ValueIds batch_norm(Lowering& lo, const Args& a) { return {batch_norm_parts(lo, a)[0]}; }

ValueIds layer_norm(Lowering& lo, const Args& a) {
  return {lo.op("aten::native_layer_norm", a[0], a[1], a[2], a[3], a[4])};
}

ValueId group_norm_of(Lowering& lo, ValueId x, ValueId weight, ValueId bias, std::int64_t groups,
                      double eps) {
  if (lo.rank(x) < 2) refuse_input(fmt::format("the input has {} dims, want at least 2", lo.rank(x)));
  const IntItems sizes = lo.sizes(x);
  const IntItem inner = lo.product(std::span(sizes).subspan(2));
  return lo.op("aten::native_group_norm", x, weight, bias, sizes[0], sizes[1], inner, groups, eps);
}

ValueIds group_norm(Lowering& lo, const Args& a) {
  return {
      group_norm_of(lo, a.tensor(0), a.tensor_or_none(2), a.tensor_or_none(3), a.integer(1), a.number(4))};
}

ValueIds instance_norm(Lowering& lo, const Args& a) {
  if (!a.flag(5) && a.has(3)) {
    return {lo.op("aten::_native_batch_norm_legit_no_training", a[0], a[1], a[2], a[3], a[4], a[6], a[7])};
  }
  const ValueId x = a.tensor(0);
  if (lo.rank(x) < 2) refuse_input(fmt::format("the input has {} dims, want at least 2", lo.rank(x)));
  return {group_norm_of(lo, x, a.tensor_or_none(1), a.tensor_or_none(2), lo.static_size(x, 1), a.number(7))};
}

double epsilon_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return 0x1p-10;
    case DType::kBFloat16:
      return 0x1p-7;
    case DType::kFloat64:
      return std::numeric_limits<double>::epsilon();
    default:
      return static_cast<double>(std::numeric_limits<float>::epsilon());
  }
}

// x * rsqrt(mean(x^2) + eps) * weight; half precision is widened as torch does.
ValueIds rms_norm_parts(Lowering& lo, const Args& a) {
  const ValueId input = a.tensor(0);
  const DType dtype = lo.dtype(input);
  const bool is_half = dtype == DType::kFloat16 || dtype == DType::kBFloat16;
  const ValueId x = is_half ? lo.cast(input, DType::kFloat32) : input;
  Ints dims;
  for (std::size_t i = 0; i < a.items(1).size(); ++i) dims.push_back(-1 - static_cast<std::int64_t>(i));
  const double eps = a.number_or(3, epsilon_of(is_half ? DType::kFloat32 : dtype));
  const ValueId mean = lo.op("aten::mean.dim", lo.mul(x, x), dims, true);
  const ValueId scale = lo.op("aten::rsqrt", lo.add(mean, eps));
  ValueId out = lo.mul(x, scale);
  if (a.has(2)) out = lo.mul(out, a.tensor(2));
  return {lo.cast(out, dtype), scale};
}
ValueIds rms_norm(Lowering& lo, const Args& a) { return {rms_norm_parts(lo, a)[0]}; }

// v * (g / |v|), the norm over all dims but one
ValueIds weight_norm(Lowering& lo, const Args& a) {
  const ValueId v = a.tensor(0);
  const std::int64_t kept = a.integer(2);
  Ints dims;
  for (std::size_t i = 0; i < lo.rank(v); ++i) {
    if (kept == -1 || i != lo.dim(v, kept)) dims.push_back(static_cast<std::int64_t>(i));
  }
  const ValueId norm = lo.op("aten::sqrt", lo.op("aten::sum.dim_IntList", lo.mul(v, v), dims, true));
  return {lo.mul(v, lo.div(a.tensor(1), norm)), norm};
}
ValueIds weight_norm_first(Lowering& lo, const Args& a) { return {weight_norm(lo, a)[0]}; }

constexpr Rule kRows[] = {
    {"aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool training, "
     "float momentum, float eps, bool cudnn_enabled) -> Tensor",
     batch_norm},
    {"aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, "
     "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     batch_norm_parts},
    {"aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
     "float eps=1e-05, "
     "bool cudnn_enable=True) -> Tensor",
     layer_norm},
    {"aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
     "eps=1e-05, "
     "bool cudnn_enabled=True) -> Tensor",
     group_norm},
    {"aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, "
     "bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
     instance_norm},
    {"aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
     "Tensor",
     rms_norm},
    {"aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, "
     "Tensor)",
     rms_norm_parts},
    {"aten::_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)", weight_norm},
    {"aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor", weight_norm_first},
};

}  // namespace

constinit const RuleFamily kNormalisationRules{kRows};

}  // namespace etalon::frontend
