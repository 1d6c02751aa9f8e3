// Running products, extrema and log-sums along a dim, which have no operator of their own.
//
// After round r every element holds what the 2^r elements up to it combine to, so log2(n) rounds of
// whole-tensor operators do what a loop over n elements would (Hillis and Steele, "Data parallel algorithms",
// 1986).
#include <cmath>
#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Elements moved back by `by` along the dim, `fill` before the first.
ValueId delayed(Lowering& lo, ValueId x, std::size_t dim, std::int64_t by, double fill) {
  const std::int64_t size = lo.static_size(x, dim);
  Ints padding(2 * (lo.rank(x) - dim), 0);
  padding[padding.size() - 2] = by;
  const ValueId kept = lo.slice(x, static_cast<std::int64_t>(dim), 0, size - by);
  if (is_floating(lo.dtype(x))) return lo.op("aten::constant_pad_nd", kept, padding, fill);
  return lo.op("aten::constant_pad_nd", kept, padding, static_cast<std::int64_t>(fill));
}

template <class Combine>
ValueId scan(Lowering& lo, ValueId x, std::int64_t along, double neutral, Combine&& combine) {
  if (lo.rank(x) == 0) return x;
  const std::size_t dim = lo.dim(x, along);
  const std::int64_t size = lo.static_size(x, dim);
  for (std::int64_t by = 1; by < size; by *= 2) x = combine(delayed(lo, x, dim, by, neutral), x);
  return x;
}

ValueIds cumprod(Lowering& lo, const Args& a) {
  const DType own = lo.dtype(a.tensor(0));
  const ValueId x = lo.cast(a.tensor(0), a.dtype_or(2, is_floating(own) ? own : DType::kInt64));
  return {scan(lo, x, a.integer(1), 1, [&](ValueId before, ValueId v) { return lo.mul(before, v); })};
}

ValueIds logcumsumexp(Lowering& lo, const Args& a) {
  return {scan(lo, a.tensor(0), a.integer(1), -kInfinity,
               [&](ValueId before, ValueId v) { return lo.aten("aten::logaddexp", before, v); })};
}

// The value and where it was. Of equals the later counts; a NaN stays.
template <bool kMax>
ValueIds running_extremum(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  if (!is_floating(lo.dtype(x))) refuse("running extrema of integers are not supported");
  if (lo.rank(x) == 0) return {x, lo.op("aten::full", IntItems{}, 0, DType::kInt64)};
  const std::size_t dim = lo.dim(x, a.integer(1));
  const std::int64_t size = lo.static_size(x, dim);
  IntItems row(lo.rank(x), IntItem{1, ir::kNoValue});
  row[dim].value = size;
  ValueId place =
      lo.expand(lo.view(lo.op("aten::arange.start_step", 0, size, 1, DType::kInt64), row), lo.sizes(x));
  for (std::int64_t by = 1; by < size; by *= 2) {
    const ValueId before = delayed(lo, x, dim, by, kMax ? -kInfinity : kInfinity);
    const ValueId wins = lo.op(kMax ? "aten::ge.Tensor" : "aten::le.Tensor", x, before);
    const ValueId keep = lo.op("aten::logical_or", wins, lo.op("aten::isnan", x));
    place = lo.where(keep, place, delayed(lo, place, dim, by, 0));
    x = lo.where(keep, x, before);
  }
  return {x, place};
}

constexpr Rule kRows[] = {
    {"aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumprod},
    {"aten::logcumsumexp(Tensor self, int dim) -> Tensor", logcumsumexp},
    {"aten::cummax(Tensor self, int dim) -> (Tensor, Tensor)", running_extremum<true>},
    {"aten::cummin(Tensor self, int dim) -> (Tensor, Tensor)", running_extremum<false>},
};

}  // namespace

constinit const RuleFamily kScanRules{kRows};

}  // namespace etalon::frontend
