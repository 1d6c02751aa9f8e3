// Sorting, as the top k of everything.
#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

ValueIds sorted(Lowering& lo, ValueId x, std::int64_t dim, bool descending) {
  if (lo.rank(x) == 0) {
    return {x, lo.op("aten::full", IntItems{}, 0, DType::kInt64)};
  }
  return lo.op_all("aten::topk", x, lo.static_size(x, lo.dim(x, dim)), dim, descending, true);
}

ValueIds sort(Lowering& lo, const Args& a) { return sorted(lo, a.tensor(0), a.integer(1), a.flag(2)); }
ValueIds sort_stable(Lowering& lo, const Args& a) { return sorted(lo, a.tensor(0), a.integer(2), a.flag(3)); }
ValueIds argsort(Lowering& lo, const Args& a) {
  return {sorted(lo, a.tensor(0), a.integer(1), a.flag(2))[1]};
}
ValueIds argsort_stable(Lowering& lo, const Args& a) {
  return {sorted(lo, a.tensor(0), a.integer(2), a.flag(3))[1]};
}
ValueIds msort(Lowering& lo, const Args& a) { return {sorted(lo, a.tensor(0), 0, false)[0]}; }

// The smallest k, then the last of them.
ValueIds kthvalue(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueIds smallest = lo.op_all("aten::topk", x, a[1], a[2], false, true);
  const std::int64_t last = a.integer(1) - 1;
  ValueIds out;
  for (const ValueId part : smallest) {
    const ValueId kept = lo.slice(part, a.integer(2), last, last + 1);
    out.push_back(a.flag(3) ? kept : lo.squeeze(kept, a.integer(2)));
  }
  return out;
}

ValueIds median(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::int64_t middle = (lo.static_size(x, lo.dim(x, a.integer(1))) - 1) / 2 + 1;
  return lo.aten_all("aten::kthvalue", x, middle, a[1], a[2]);
}
ValueIds median_all(Lowering& lo, const Args& a) {
  return {lo.aten("aten::median.dim", lo.aten("aten::flatten.using_ints", a[0]), 0, false)};
}

constexpr Rule kRows[] = {
    {"aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor, Tensor)", sort},
    {"aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor, Tensor)",
     sort_stable},
    {"aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor", argsort},
    {"aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor",
     argsort_stable},
    {"aten::msort(Tensor self) -> Tensor", msort},
    {"aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor, Tensor)", kthvalue},
    {"aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor, Tensor)", median},
    {"aten::median(Tensor self) -> Tensor", median_all},
};

}  // namespace

constinit const RuleFamily kSortingRules{kRows};

}  // namespace etalon::frontend
