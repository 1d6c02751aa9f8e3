// Searching in sorted sequences and in sets, by comparing everything with everything.
#include <fmt/core.h>

#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// How many of the last dim of `sorted` lie before each element: sorted [.., 1, n] against values [.., m, 1].
ValueId count_before(Lowering& lo, ValueId sorted, ValueId values, bool right, bool as_int32) {
  const ValueId before =
      lo.op(right ? "aten::le.Tensor" : "aten::lt.Tensor", sorted, lo.unsqueeze(values, -1));
  return lo.op("aten::sum.dim_IntList", before, Ints{-1}, false, as_int32 ? DType::kInt32 : DType::kInt64);
}

ValueIds bucketize(Lowering& lo, const Args& a) {
  return {count_before(lo, a.tensor(1), a.tensor(0), a.flag(3), a.flag(2))};
}

ValueIds searchsorted(Lowering& lo, const Args& a) {
  if (a.has(5)) refuse("searching through a sorter is not supported");
  const ValueId sorted = a.tensor(0);
  const bool right = a.flag(3) || (a.has(4) && a.text(4) == "right");
  const ValueId rows = lo.rank(sorted) > 1 ? lo.unsqueeze(sorted, -2) : sorted;
  return {count_before(lo, rows, a.tensor(1), right, a.flag(2))};
}

ValueIds isin(Lowering& lo, const Args& a) {
  const ValueId set = lo.reshape(a.tensor(1), {SizeOf::literal(-1)});
  const ValueId same = lo.op("aten::eq.Tensor", lo.unsqueeze(a.tensor(0), -1), set);
  const ValueId found = lo.op("aten::any.dim", same, -1, false);
  return {a.flag(3) ? lo.op("aten::logical_not", found) : found};
}
ValueIds isin_scalar(Lowering& lo, const Args& a) {
  return {lo.op(a.flag(3) ? "aten::ne.Scalar" : "aten::eq.Scalar", a[0], a[1])};
}

// Which elements belong to which bag: bool [bags, elements] from the place where each bag starts.
struct Bags {
  ValueId of_element, member;
};
Bags bags_of(Lowering& lo, ValueId indices, ValueId offsets) {
  const std::int64_t elements = lo.static_size(indices, 0);
  const std::int64_t bags = lo.static_size(offsets, 0);
  const ValueId places = lo.op("aten::arange.start_step", 0, elements, 1, lo.dtype(offsets));
  const ValueId numbers = lo.op("aten::arange.start_step", 0, bags, 1, DType::kInt64);
  const ValueId of_element = lo.op("aten::add.Scalar", count_before(lo, offsets, places, true, false), -1);
  return {of_element, lo.op("aten::eq.Tensor", lo.unsqueeze(numbers, -1), of_element)};
}

// Rows of a table summed, averaged or maximised per bag; an empty bag gives zeros.
ValueIds embedding_bag_of(Lowering& lo, const Args& a, std::int64_t padding) {
  enum Mode { kSum, kMean, kMax };
  const ValueId weight = a.tensor(0), indices = a.tensor(1);
  ValueId offsets = a.tensor(2);
  if (lo.rank(indices) != 1) refuse("embedding bags want one dim of indices beside their offsets");
  if (a.flag(7)) offsets = lo.slice(offsets, 0, 0, lo.static_size(offsets, 0) - 1);
  Bags bags = bags_of(lo, indices, offsets);
  if (padding >= 0)
    bags.member = lo.op("aten::logical_and", bags.member, lo.op("aten::ne.Scalar", indices, padding));
  const DType dtype = lo.dtype(weight);
  ValueId rows = lo.op("aten::embedding", weight, indices);
  if (a.has(6)) rows = lo.mul(rows, lo.unsqueeze(a.tensor(6), -1));
  const ValueId counts = lo.op("aten::sum.dim_IntList", bags.member, Ints{1}, false, DType::kInt64);
  ValueId out;
  if (a.integer(4) == kMax) {
    constexpr double kLowest = -std::numeric_limits<double>::infinity();
    const ValueId member = lo.unsqueeze(bags.member, -1);
    const ValueId best =
        lo.op("aten::amax", lo.where(member, lo.unsqueeze(rows, 0), lo.scalar(kLowest, dtype)), Ints{1});
    const ValueId empty = lo.op("aten::eq.Scalar", lo.unsqueeze(counts, -1), 0);
    out = lo.where(empty, lo.scalar(0, dtype), best);
  } else {
    out = lo.op("aten::mm", lo.cast(bags.member, dtype), rows);
    if (a.integer(4) == kMean)
      out = lo.div(out, lo.cast(lo.op("aten::clamp", lo.unsqueeze(counts, -1), 1, ir::kNone), dtype));
  }
  // What only the backward pass reads: which bag, how many, and (of a maximum) from where.
  return {out, bags.of_element, counts, lo.op("aten::full", IntItems{{0, ir::kNoValue}}, 0, DType::kInt64)};
}
ValueIds embedding_bag(Lowering& lo, const Args& a) { return embedding_bag_of(lo, a, a.integer_or(8, -1)); }

constexpr Rule kRows[] = {
    {"aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> "
     "Tensor",
     bucketize},
    {"aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool "
     "right=False, "
     "str? side=None, Tensor? sorter=None) -> Tensor",
     searchsorted},
    {"aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool "
     "invert=False) -> Tensor",
     isin},
    {"aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool "
     "invert=False) -> Tensor",
     isin_scalar},
    {"aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int "
     "mode=0, "
     "bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, "
     "Tensor, "
     "Tensor, Tensor)",
     embedding_bag},
    {"aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool "
     "scale_grad_by_freq, int "
     "mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, "
     "Tensor, Tensor, Tensor)",
     embedding_bag},
};

}  // namespace

constinit const RuleFamily kSearchRules{kRows};

}  // namespace etalon::frontend
