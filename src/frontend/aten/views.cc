// Operators that look at the same elements with other sizes or dims. In the graph they copy; passes drop what
// can be.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

Sizes literal_or_dynamic(Lowering& lo, ValueId x) { return lo.sizes_of(x); }

// Dims [start, end] of the tensor made one.
ValueId flatten_dims(Lowering& lo, ValueId x, std::int64_t from, std::int64_t to) {
  if (lo.rank(x) == 0) return lo.view(x, {IntItem{1, ir::kNoValue}});
  const std::size_t start = lo.dim(x, from);
  const std::size_t end = lo.dim(x, to);
  if (start > end) refuse_input(fmt::format("start_dim {} is behind end_dim {}", from, to));
  if (start == end) return x;
  Sizes sizes = literal_or_dynamic(lo, x);
  bool is_static = true;
  std::int64_t product = 1;
  for (std::size_t i = start; i <= end; ++i) {
    is_static = is_static && !lo.type(x).is_dynamic(i);
    product *= lo.type(x).sizes[i];
  }
  sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(start),
              sizes.begin() + static_cast<std::ptrdiff_t>(end) + 1);
  sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(start), SizeOf::literal(is_static ? product : -1));
  return lo.reshape(x, sizes);
}

ValueIds flatten(Lowering& lo, const Args& a) {
  return {flatten_dims(lo, a.tensor(0), a.integer(1), a.integer(2))};
}
ValueIds ravel(Lowering& lo, const Args& a) { return {flatten_dims(lo, a.tensor(0), 0, -1)}; }
ValueIds reshape(Lowering& lo, const Args& a) { return {lo.view(a.tensor(0), a.items(1))}; }

ValueIds unflatten(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t at = lo.dim(x, a.integer(1));
  IntItems sizes;
  for (std::size_t i = 0; i < lo.rank(x); ++i) {
    if (i == at) {
      sizes.insert(sizes.end(), a.items(2).begin(), a.items(2).end());
    } else {
      sizes.push_back(lo.size(x, i));
    }
  }
  return {lo.view(x, sizes)};
}

ValueId squeeze_dims(Lowering& lo, ValueId x, const Ints& dims) {
  Ints ones;
  for (const std::int64_t d : dims) {
    if (lo.rank(x) == 0) break;
    const std::size_t i = lo.dim(x, d);
    if (!lo.type(x).is_dynamic(i) && lo.type(x).sizes[i] == 1) ones.push_back(static_cast<std::int64_t>(i));
  }
  return ones.empty() ? x : lo.op("aten::squeeze_copy.dims", x, ones);
}

Ints all_dims(Lowering& lo, ValueId x) {
  Ints dims;
  for (std::size_t i = 0; i < lo.rank(x); ++i) dims.push_back(static_cast<std::int64_t>(i));
  return dims;
}

ValueIds squeeze_all(Lowering& lo, const Args& a) {
  return {squeeze_dims(lo, a.tensor(0), all_dims(lo, a.tensor(0)))};
}
ValueIds squeeze_dim(Lowering& lo, const Args& a) { return {squeeze_dims(lo, a.tensor(0), {a.integer(1)})}; }
ValueIds squeeze_list(Lowering& lo, const Args& a) { return {squeeze_dims(lo, a.tensor(0), a.ints(1))}; }
ValueIds transpose(Lowering& lo, const Args& a) {
  return {lo.transpose(a.tensor(0), a.integer(1), a.integer(2))};
}
ValueIds transpose_last(Lowering& lo, const Args& a) { return {lo.transpose(a.tensor(0), -2, -1)}; }
ValueIds t(Lowering& lo, const Args& a) {
  return {lo.rank(a.tensor(0)) < 2 ? a.tensor(0) : lo.transpose(a.tensor(0), 0, 1)};
}
ValueIds permute(Lowering& lo, const Args& a) { return {lo.permute(a.tensor(0), a.ints(1))}; }
ValueIds numpy_t(Lowering& lo, const Args& a) {
  Ints dims = all_dims(lo, a.tensor(0));
  std::reverse(dims.begin(), dims.end());
  return {lo.permute(a.tensor(0), dims)};
}

ValueId move_dims(Lowering& lo, ValueId x, const Ints& from, const Ints& to) {
  constexpr std::int64_t kOpen = -1;
  Ints order(lo.rank(x), kOpen);
  std::vector<bool> used(lo.rank(x), false);
  for (std::size_t i = 0; i < from.size() && i < to.size(); ++i) {
    const std::size_t source = lo.dim(x, from[i]);
    order[lo.dim(x, to[i])] = static_cast<std::int64_t>(source);
    used[source] = true;
  }
  std::size_t next = 0;
  for (std::int64_t& place : order) {
    if (place != kOpen) continue;
    while (next < used.size() && used[next]) ++next;
    place = static_cast<std::int64_t>(next++);
  }
  return lo.permute(x, order);
}
ValueIds movedim_int(Lowering& lo, const Args& a) {
  return {move_dims(lo, a.tensor(0), {a.integer(1)}, {a.integer(2)})};
}
ValueIds movedim_list(Lowering& lo, const Args& a) {
  return {move_dims(lo, a.tensor(0), a.ints(1), a.ints(2))};
}

ValueIds expand(Lowering& lo, const Args& a) { return {lo.expand(a.tensor(0), a.items(1))}; }
ValueIds expand_as(Lowering& lo, const Args& a) { return {lo.expand(a.tensor(0), lo.sizes(a.tensor(1)))}; }
ValueIds view_as(Lowering& lo, const Args& a) { return {lo.reshape(a.tensor(0), lo.sizes_of(a.tensor(1)))}; }

ValueIds broadcast_tensors(Lowering& lo, const Args& a) {
  const ValueIds& parts = a.tensors(0);
  std::size_t rank = 0;
  for (const ValueId part : parts) rank = std::max(rank, lo.rank(part));
  IntItems sizes(rank, IntItem{1, ir::kNoValue});
  for (const ValueId part : parts) {
    for (std::size_t i = 0; i < lo.rank(part); ++i) {
      const TensorType type = lo.type(part);
      if (type.is_dynamic(i) || type.sizes[i] != 1) sizes[i + rank - lo.rank(part)] = lo.size(part, i);
    }
  }
  ValueIds out;
  for (const ValueId part : parts) out.push_back(lo.expand(part, sizes));
  return out;
}

// Where a slice of [0, size) starts and ends; the whole dim gives the tensor itself back.
ValueIds slice(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t d = lo.dim(x, a.integer(1));
  const bool from_start = !a.has(2) || (a.is_number(2) && a.integer(2) == 0);
  const bool unit_step = a.is_number(4) && a.integer(4) == 1;
  const bool to_end = !a.has(3) ||
                      (a.is_number(3) && !lo.type(x).is_dynamic(d) && a.integer(3) >= lo.type(x).sizes[d]) ||
                      (a.is_number(3) && a.integer(3) >= INT64_MAX);
  if (from_start && to_end && unit_step) return {x};
  const Arg start = a.has(2) ? a[2] : Arg{std::int64_t{0}};
  const Arg end = a.has(3) ? a[3] : Arg{std::int64_t{INT64_MAX}};
  return {lo.op("aten::slice_copy.Tensor", x, d, start, end, a[4])};
}

ValueIds narrow(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t d = lo.dim(x, a.integer(1));
  const IntItem start = a.item(2);
  const IntItem end = lo.combine("executorch_prim::add.Scalar", start, a.item(3));
  if (start.symbol == ir::kNoValue && end.symbol == ir::kNoValue)
    return {lo.slice(x, a.integer(1), start.value, end.value)};
  return {lo.op("aten::slice_copy.Tensor", x, d, start, end, 1)};
}

ValueIds atleast_1d(Lowering& lo, const Args& a) {
  return {lo.rank(a.tensor(0)) == 0 ? lo.unsqueeze(a.tensor(0), 0) : a.tensor(0)};
}

ValueIds atleast_2d(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  while (lo.rank(x) < 2) x = lo.unsqueeze(x, 0);
  return {x};
}

// A vector becomes the middle dim, a matrix gets a last one.
ValueIds atleast_3d(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  while (lo.rank(x) < 2) x = lo.unsqueeze(x, 0);
  return {lo.rank(x) == 2 ? lo.unsqueeze(x, 2) : x};
}

ValueIds view_dtype(Lowering& lo, const Args& a) {
  if (a.dtype_or(1, lo.dtype(a.tensor(0))) != lo.dtype(a.tensor(0)))
    refuse("looking at bytes as another dtype is not supported");
  return {a.tensor(0)};
}

constexpr Rule kRows[] = {
    {"aten::flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor", flatten},
    {"aten::ravel(Tensor self) -> Tensor", ravel},
    {"aten::reshape(Tensor self, SymInt[] shape) -> Tensor", reshape},
    {"aten::view(Tensor self, SymInt[] size) -> Tensor", reshape},
    {"aten::view_copy(Tensor self, SymInt[] size) -> Tensor", reshape},
    {"aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", reshape},
    {"aten::_reshape_alias(Tensor self, SymInt[] size, SymInt[] stride) -> Tensor", reshape},
    {"aten::view.dtype(Tensor self, ScalarType dtype) -> Tensor", view_dtype},
    {"aten::view_as(Tensor self, Tensor other) -> Tensor", view_as},
    {"aten::reshape_as(Tensor self, Tensor other) -> Tensor", view_as},
    {"aten::unflatten.int(Tensor self, int dim, SymInt[] sizes) -> Tensor", unflatten},
    {"aten::squeeze(Tensor self) -> Tensor", squeeze_all},
    {"aten::squeeze.dim(Tensor self, int dim) -> Tensor", squeeze_dim},
    {"aten::squeeze.dims(Tensor self, int[] dim) -> Tensor", squeeze_list},
    {"aten::transpose.int(Tensor self, int dim0, int dim1) -> Tensor", transpose},
    {"aten::swapaxes(Tensor self, int axis0, int axis1) -> Tensor", transpose},
    {"aten::swapdims(Tensor self, int dim0, int dim1) -> Tensor", transpose},
    {"aten::t(Tensor self) -> Tensor", t},
    {"aten::mT(Tensor self) -> Tensor", transpose_last},
    {"aten::matrix_H(Tensor self) -> Tensor", transpose_last},
    {"aten::mH(Tensor self) -> Tensor", transpose_last},
    {"aten::adjoint(Tensor self) -> Tensor", transpose_last},
    {"aten::numpy_T(Tensor self) -> Tensor", numpy_t},
    {"aten::permute(Tensor self, int[] dims) -> Tensor", permute},
    {"aten::movedim.int(Tensor self, int source, int destination) -> Tensor", movedim_int},
    {"aten::movedim.intlist(Tensor self, int[] source, int[] destination) -> Tensor", movedim_list},
    {"aten::moveaxis.int(Tensor self, int source, int destination) -> Tensor", movedim_int},
    {"aten::moveaxis.intlist(Tensor self, int[] source, int[] destination) -> Tensor", movedim_list},
    {"aten::expand(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor", expand},
    {"aten::broadcast_to(Tensor self, SymInt[] size) -> Tensor", expand},
    {"aten::expand_as(Tensor self, Tensor other) -> Tensor", expand_as},
    {"aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]", broadcast_tensors},
    {"aten::slice.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> "
     "Tensor",
     slice},
    {"aten::narrow(Tensor self, int dim, SymInt start, SymInt length) -> Tensor", narrow},
    {"aten::atleast_1d(Tensor self) -> Tensor", atleast_1d},
    {"aten::atleast_2d(Tensor self) -> Tensor", atleast_2d},
    {"aten::atleast_3d(Tensor self) -> Tensor", atleast_3d},
};

}  // namespace

constinit const RuleFamily kViewRules{kRows};

}  // namespace etalon::frontend
