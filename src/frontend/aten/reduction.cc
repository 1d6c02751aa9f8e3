// Sums, means, norms, variances and the other reductions that have no operator of their own.
#include <cmath>
#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

Ints dims_or_all(Lowering& lo, const Args& a, std::size_t at, ValueId x) {
  Ints dims = a.ints(at);
  if (!dims.empty()) return dims;
  for (std::size_t i = 0; i < lo.rank(x); ++i) dims.push_back(static_cast<std::int64_t>(i));
  return dims;
}

ValueIds sum(Lowering& lo, const Args& a) {
  return {lo.op("aten::sum.dim_IntList", a[0], IntItems{}, false, a[1])};
}

struct Spread {
  Ints dims;
  double correction = 1;
  bool keepdim = false;
};
ValueId variance(Lowering& lo, ValueId x, const Spread& s) {
  return lo.op("aten::var.correction", x, s.dims, s.correction, s.keepdim);
}
ValueId deviation(Lowering& lo, ValueId x, const Spread& s) {
  return lo.op("aten::sqrt", variance(lo, x, s));
}
ValueId mean(Lowering& lo, ValueId x, const Spread& s) {
  return lo.op("aten::mean.dim", x, s.dims, s.keepdim);
}

// The three forms of arguments: (unbiased), (dim, unbiased, keepdim), (dim, correction, keepdim).
Spread spread_all(Lowering& lo, const Args& a) {
  return {dims_or_all(lo, Args({}), 0, a.tensor(0)), a.flag(1) ? 1.0 : 0.0, false};
}
Spread spread_dim(Lowering& lo, const Args& a) {
  return {dims_or_all(lo, a, 1, a.tensor(0)), a.flag(2) ? 1.0 : 0.0, a.flag(3)};
}
Spread spread_correction(Lowering& lo, const Args& a) {
  return {dims_or_all(lo, a, 1, a.tensor(0)), a.number_or(2, 1), a.flag(3)};
}

template <Spread (*kForm)(Lowering&, const Args&)>
ValueIds var(Lowering& lo, const Args& a) {
  return {variance(lo, a.tensor(0), kForm(lo, a))};
}
template <Spread (*kForm)(Lowering&, const Args&)>
ValueIds std_dev(Lowering& lo, const Args& a) {
  return {deviation(lo, a.tensor(0), kForm(lo, a))};
}
template <Spread (*kForm)(Lowering&, const Args&)>
ValueIds var_mean(Lowering& lo, const Args& a) {
  return {variance(lo, a.tensor(0), kForm(lo, a)), mean(lo, a.tensor(0), kForm(lo, a))};
}
template <Spread (*kForm)(Lowering&, const Args&)>
ValueIds std_mean(Lowering& lo, const Args& a) {
  return {deviation(lo, a.tensor(0), kForm(lo, a)), mean(lo, a.tensor(0), kForm(lo, a))};
}

ValueId norm_of(Lowering& lo, ValueId x, double order, const Ints& dims, bool keepdim) {
  const ValueId size = lo.op("aten::abs", x);
  const auto sum_of = [&](ValueId v) { return lo.op("aten::sum.dim_IntList", v, dims, keepdim); };
  if (order == 2) return lo.op("aten::sqrt", sum_of(lo.mul(x, x)));
  if (order == 1) return sum_of(size);
  if (order == 0) return sum_of(lo.cast(lo.op("aten::ne.Scalar", x, 0), lo.dtype(x)));
  if (std::isinf(order)) return lo.op(order > 0 ? "aten::amax" : "aten::amin", size, dims, keepdim);
  return lo.op("aten::pow.Tensor_Scalar", sum_of(lo.op("aten::pow.Tensor_Scalar", size, order)), 1 / order);
}

ValueIds vector_norm(Lowering& lo, const Args& a) {
  const ValueId x = lo.cast(a.tensor(0), a.dtype_or(4, lo.dtype(a.tensor(0))));
  return {norm_of(lo, x, a.number(1), dims_or_all(lo, a, 2, x), a.flag(3))};
}
ValueIds norm_scalar(Lowering& lo, const Args& a) {
  return {norm_of(lo, a.tensor(0), a.number(1), dims_or_all(lo, Args({}), 0, a.tensor(0)), false)};
}
ValueIds norm_dim(Lowering& lo, const Args& a) {
  const ValueId x = lo.cast(a.tensor(0), a.dtype_or(4, lo.dtype(a.tensor(0))));
  return {norm_of(lo, x, a.number_or(1, 2), dims_or_all(lo, a, 2, x), a.flag(3))};
}

// log(sum(exp(x - max))) + max, with max taken as zero where it is infinite.
ValueIds logsumexp(Lowering& lo, const Args& a) {
  const ValueId x = is_floating(lo.dtype(a.tensor(0))) ? a.tensor(0) : lo.cast(a.tensor(0), DType::kFloat32);
  const Ints dims = dims_or_all(lo, a, 1, x);
  const ValueId top = lo.op("aten::amax", x, dims, true);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const ValueId infinite = lo.op("aten::eq.Scalar", lo.op("aten::abs", top), kInfinity);
  const ValueId shift = lo.where(infinite, lo.scalar(0, lo.dtype(x)), top);
  const ValueId sum_of =
      lo.op("aten::sum.dim_IntList", lo.op("aten::exp", lo.sub(x, shift)), dims, a.flag(2));
  const ValueId offset = a.flag(2) || lo.rank(x) == 0 ? shift : lo.op("aten::squeeze_copy.dims", shift, dims);
  return {lo.add(lo.op("aten::log", sum_of), offset)};
}

// not any(not x)
ValueId all_of(Lowering& lo, ValueId x, const Ints& dims, bool keepdim) {
  return lo.op("aten::logical_not", lo.op("aten::any.dims", lo.op("aten::logical_not", x), dims, keepdim));
}
ValueIds all(Lowering& lo, const Args& a) {
  return {all_of(lo, a.tensor(0), dims_or_all(lo, Args({}), 0, a.tensor(0)), false)};
}
ValueIds all_dim(Lowering& lo, const Args& a) { return {all_of(lo, a.tensor(0), {a.integer(1)}, a.flag(2))}; }
ValueIds all_dims(Lowering& lo, const Args& a) {
  return {all_of(lo, a.tensor(0), dims_or_all(lo, a, 1, a.tensor(0)), a.flag(2))};
}

ValueIds aminmax(Lowering& lo, const Args& a) {
  const Ints dims = a.has(1) ? Ints{a.integer(1)} : dims_or_all(lo, Args({}), 0, a.tensor(0));
  return {lo.op("aten::amin", a[0], dims, a.flag(2)), lo.op("aten::amax", a[0], dims, a.flag(2))};
}

ValueId count_of(Lowering& lo, ValueId x, const Ints& dims) {
  return lo.op("aten::sum.dim_IntList", lo.op("aten::ne.Scalar", x, 0), dims, false, DType::kInt64);
}
ValueIds count_nonzero(Lowering& lo, const Args& a) {
  return {
      count_of(lo, a.tensor(0), a.has(1) ? Ints{a.integer(1)} : dims_or_all(lo, Args({}), 0, a.tensor(0)))};
}
ValueIds count_nonzero_dims(Lowering& lo, const Args& a) {
  return {count_of(lo, a.tensor(0), dims_or_all(lo, a, 1, a.tensor(0)))};
}

ValueIds trace(Lowering& lo, const Args& a) {
  return {lo.op("aten::sum.dim_IntList", lo.op("aten::diagonal_copy", a[0]), Ints{0})};
}

ValueId without_nan(Lowering& lo, ValueId x) {
  return lo.where(lo.op("aten::isnan", x), lo.scalar(0, lo.dtype(x)), x);
}

ValueIds nansum(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  return {lo.op("aten::sum.dim_IntList", is_floating(lo.dtype(x)) ? without_nan(lo, x) : x,
                dims_or_all(lo, a, 1, x), a.flag(2), a[3])};
}
ValueIds nanmean(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const Ints dims = dims_or_all(lo, a, 1, x);
  const ValueId known = lo.cast(lo.op("aten::logical_not", lo.op("aten::isnan", x)), lo.dtype(x));
  return {lo.div(lo.op("aten::sum.dim_IntList", without_nan(lo, x), dims, a.flag(2)),
                 lo.op("aten::sum.dim_IntList", known, dims, a.flag(2)))};
}

ValueIds dist(Lowering& lo, const Args& a) {
  const ValueId gap = lo.sub(a.tensor(0), a.tensor(1));
  return {norm_of(lo, gap, a.number(2), dims_or_all(lo, Args({}), 0, gap), false)};
}

// sum(x * y) / (max(|x|, eps) * max(|y|, eps))
ValueIds cosine_similarity(Lowering& lo, const Args& a) {
  const ValueIds pair = lo.aten_all("aten::broadcast_tensors", ValueIds{a.tensor(0), a.tensor(1)});
  const ValueId x = pair[0];
  const ValueId y = pair[1];
  const Ints dims = {a.integer(2)};
  const auto length = [&](ValueId v) {
    return lo.op("aten::clamp", norm_of(lo, v, 2, dims, true), a.number(3), ir::kNone);
  };
  return {lo.op("aten::sum.dim_IntList", lo.mul(lo.div(x, length(x)), lo.div(y, length(y))), dims)};
}

ValueIds pairwise_distance(Lowering& lo, const Args& a) {
  const ValueId gap = lo.add(lo.sub(a.tensor(0), a.tensor(1)), a.number(3));
  return {norm_of(lo, gap, a.number(2), {-1}, a.flag(4))};
}

ValueIds diff(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  const std::size_t dim = lo.dim(x, a.integer(2));
  const auto along = static_cast<std::int64_t>(dim);
  if (a.has(3)) x = lo.cat({a.tensor(3), x}, along);
  if (a.has(4)) x = lo.cat({x, a.tensor(4)}, along);
  constexpr std::int64_t kMaxOrder = 64;
  if (a.integer(1) > kMaxOrder) refuse("a difference of so high an order is not supported");
  for (std::int64_t i = 0; i < a.integer(1); ++i) {
    const std::int64_t size = lo.static_size(x, dim);
    const ValueId later = lo.slice(x, along, 1, size);
    const ValueId earlier = lo.slice(x, along, 0, size - 1);
    x = lo.dtype(x) == DType::kBool ? lo.op("aten::logical_xor", later, earlier) : lo.sub(later, earlier);
  }
  return {x};
}

constexpr Rule kRows[] = {
    {"aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", sum},
    {"aten::var(Tensor self, bool unbiased=True) -> Tensor", var<spread_all>},
    {"aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
     var<spread_dim>},
    {"aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
     "Tensor",
     var<spread_correction>},
    {"aten::std(Tensor self, bool unbiased=True) -> Tensor", std_dev<spread_all>},
    {"aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
     std_dev<spread_dim>},
    {"aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
     "Tensor",
     std_dev<spread_correction>},
    {"aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", var_mean<spread_all>},
    {"aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, "
     "Tensor)",
     var_mean<spread_dim>},
    {"aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
     "keepdim=False) -> (Tensor, Tensor)",
     var_mean<spread_correction>},
    {"aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", std_mean<spread_all>},
    {"aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, "
     "Tensor)",
     std_mean<spread_dim>},
    {"aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
     "keepdim=False) -> (Tensor, Tensor)",
     std_mean<spread_correction>},
    {"aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor", norm_scalar},
    {"aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor", norm_dim},
    {"aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) "
     "-> Tensor",
     norm_dim},
    {"aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
     "ScalarType? dtype=None) "
     "-> Tensor",
     vector_norm},
    {"aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", logsumexp},
    {"aten::all(Tensor self) -> Tensor", all},
    {"aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", all_dim},
    {"aten::all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", all_dims},
    {"aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor, Tensor)", aminmax},
    {"aten::count_nonzero(Tensor self, int? dim=None) -> Tensor", count_nonzero},
    {"aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor", count_nonzero_dims},
    {"aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     nansum},
    {"aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     nanmean},
    {"aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", dist},
    {"aten::trace(Tensor self) -> Tensor", trace},
    {"aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor",
     cosine_similarity},
    {"aten::pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> "
     "Tensor",
     pairwise_distance},
    {"aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
     diff},
};

}  // namespace

constinit const RuleFamily kReductionRules{kRows};

}  // namespace etalon::frontend
