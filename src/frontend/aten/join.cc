// Several tensors, or several copies of one, made one.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// torch skips empty tensors of rank 1 and promotes the rest to one dtype.
ValueIds cat(Lowering& lo, const Args& a) {
  ValueIds parts;
  DType dtype = lo.dtype(a.tensors(0).at(0));
  for (const ValueId part : a.tensors(0)) dtype = promote_types(dtype, lo.dtype(part));
  for (const ValueId part : a.tensors(0)) {
    if (lo.rank(part) == 1 && lo.is_static(part) && lo.type(part).sizes[0] == 0) continue;
    parts.push_back(lo.cast(part, dtype));
  }
  if (parts.empty()) return {a.tensors(0)[0]};
  return {lo.cat(parts, a.integer(1))};
}

ValueIds stack(Lowering& lo, const Args& a) {
  const ValueIds& parts = a.tensors(0);
  if (parts.size() == 1) return {lo.unsqueeze(parts[0], a.integer(1))};
  return {lo.op("aten::stack", parts, a[1])};
}

ValueId at_least(Lowering& lo, ValueId x, std::size_t rank) {
  if (lo.rank(x) == 0 && rank > 0) x = lo.unsqueeze(x, 0);
  if (lo.rank(x) == 1 && rank > 1) x = lo.unsqueeze(x, 0);
  if (lo.rank(x) == 2 && rank > 2) x = lo.unsqueeze(x, 2);
  return x;
}

ValueIds join(Lowering& lo, const Args& a, std::size_t rank, std::int64_t dim) {
  ValueIds parts;
  for (const ValueId part : a.tensors(0)) parts.push_back(at_least(lo, part, rank));
  return {lo.cat(parts, lo.rank(parts.at(0)) == 1 ? 0 : dim)};
}
ValueIds hstack(Lowering& lo, const Args& a) { return join(lo, a, 1, 1); }
ValueIds vstack(Lowering& lo, const Args& a) { return join(lo, a, 2, 0); }
ValueIds dstack(Lowering& lo, const Args& a) { return join(lo, a, 3, 2); }

ValueIds column_stack(Lowering& lo, const Args& a) {
  ValueIds parts;
  for (const ValueId part : a.tensors(0)) {
    parts.push_back(lo.rank(part) <= 1 ? lo.unsqueeze(at_least(lo, part, 1), 1) : part);
  }
  return {lo.cat(parts, 1)};
}

ValueIds tile(Lowering& lo, const Args& a) {
  IntItems repeats = a.items(1);
  while (repeats.size() < lo.rank(a.tensor(0))) repeats.insert(repeats.begin(), IntItem{1, ir::kNoValue});
  return {lo.op("aten::repeat", a[0], repeats)};
}

// Each element `repeats` times in a row: a new dim behind, expanded and folded.
ValueIds repeat_interleave(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  if (!a.has(2)) x = lo.aten("aten::flatten.using_ints", x);
  const std::size_t at = lo.dim(x, a.integer_or(2, 0));
  const std::int64_t repeats = a.integer(1);
  IntItems wide(lo.rank(x) + 1, IntItem{-1, ir::kNoValue});
  wide[at + 1].value = repeats;
  const ValueId expanded = lo.expand(lo.unsqueeze(x, static_cast<std::int64_t>(at) + 1), wide);
  Sizes sizes = lo.sizes_of(x);
  sizes[at] = SizeOf::literal(lo.type(x).is_dynamic(at) ? -1 : lo.type(x).sizes[at] * repeats);
  return {lo.reshape(expanded, sizes)};
}

// Row i of the result is row indices[i] of the input.
ValueIds repeat_interleave_tensor(Lowering& lo, const Args& a) {
  const ValueId x = a.has(2) ? a.tensor(0) : lo.aten("aten::flatten.using_ints", a.tensor(0));
  const ValueId rows = lo.op("aten::repeat_interleave.Tensor", a[1], a[3]);
  return {lo.op("aten::index_select", x, a.integer_or(2, 0), rows)};
}

ValueIds meshgrid_of(Lowering& lo, const ValueIds& parts, bool swap) {
  ValueIds ordered = parts;
  if (swap && ordered.size() >= 2) std::swap(ordered[0], ordered[1]);
  IntItems sizes;
  for (const ValueId part : ordered) sizes.push_back(lo.size(at_least(lo, part, 1), 0));
  ValueIds out;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    IntItems own(ordered.size(), IntItem{1, ir::kNoValue});
    own[i] = sizes[i];
    out.push_back(lo.expand(lo.view(ordered[i], own), sizes));
  }
  if (swap && out.size() >= 2) std::swap(out[0], out[1]);
  return out;
}
ValueIds meshgrid(Lowering& lo, const Args& a) { return meshgrid_of(lo, a.tensors(0), false); }
ValueIds meshgrid_indexing(Lowering& lo, const Args& a) {
  return meshgrid_of(lo, a.tensors(0), a.text(1) == "xy");
}

constexpr Rule kRows[] = {
    {"aten::cat(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::concat(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::stack(Tensor[] tensors, int dim=0) -> Tensor", stack},
    {"aten::hstack(Tensor[] tensors) -> Tensor", hstack},
    {"aten::vstack(Tensor[] tensors) -> Tensor", vstack},
    {"aten::row_stack(Tensor[] tensors) -> Tensor", vstack},
    {"aten::dstack(Tensor[] tensors) -> Tensor", dstack},
    {"aten::column_stack(Tensor[] tensors) -> Tensor", column_stack},
    {"aten::tile(Tensor self, SymInt[] dims) -> Tensor", tile},
    {"aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? "
     "output_size=None) -> Tensor",
     repeat_interleave},
    {"aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? "
     "output_size=None) -> Tensor",
     repeat_interleave_tensor},
    {"aten::meshgrid(Tensor[] tensors) -> Tensor[]", meshgrid},
    {"aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]", meshgrid_indexing},
};

}  // namespace

constinit const RuleFamily kJoinRules{kRows};

}  // namespace etalon::frontend
