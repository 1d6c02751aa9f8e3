// Parts of a tensor along one dim: slices, selections, splits.
#include <fmt/core.h>

#include <algorithm>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0;

Refused refuse_dynamic(const NodeArgs& a) {
  if (a.type(kInput).is_dynamic()) {
    return Refusal{fmt::format("a part of {}: XNNPACK fixes sizes of slices when the program loads", describe(a.type(kInput))),
                   "export with fixed sizes"};
  }
  return std::nullopt;
}

struct Part {
  std::size_t dim;
  std::int64_t start;
  std::int64_t size;
};

// The part as a payload value, dims in the order of `rep`.
std::uint32_t cut(PayloadBuilder& b, const Rep& rep, const Part& part, Storage storage) {
  const std::size_t at = position_of(rep.order, part.dim);
  Shape dims = rep.dims;
  if (dims.sizes[at] == part.size) return rep.id;
  xnn::Slice slice;
  for (std::size_t i = 0; i < dims.rank(); ++i) {
    if (i == at) dims.sizes[i] = dims.probe[i] = part.size;
    slice.offsets.push_back(i == at ? static_cast<std::uint32_t>(part.start) : 0);
    slice.sizes.push_back(static_cast<std::uint32_t>(dims.sizes[i]));
  }
  const std::uint32_t out = b.temporary(dims, storage);
  b.emit(xnn::NodeType::kStaticSlice, {rep.id}, out, std::move(slice));
  return out;
}

void keep(PayloadBuilder& b, const Rep& rep, const Part& part, ValueId out) {
  const std::uint32_t made = cut(b, rep, part, b.storage(out));
  b.define(out, {made, rep.order, permuted(shape_of(b.type(out)), rep.order)});
}

// The part has size one along the dim, which the result lacks.
void keep_without_dim(PayloadBuilder& b, const Rep& rep, const Part& part, ValueId out) {
  const std::uint32_t made = cut(b, rep, part, b.storage(out));
  Shape dims = rep.dims;
  const std::size_t at = position_of(rep.order, part.dim);
  dims.sizes[at] = dims.probe[at] = 1;
  b.define(out, {made, order_without(rep.order, part.dim), dims});
}

std::size_t rank_of(const NodeArgs& a) { return a.type(kInput).sizes.size(); }
std::int64_t wrapped(std::int64_t at, std::int64_t size) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); }

bool is_literal(const NodeArgs& a, std::size_t i) { return !a.has(i) || a.is_number(i); }

Refused refuse_slice(const NodeArgs& a) {
  if (Refused found = refuse_dynamic(a)) return found;
  if (!is_literal(a, 2) || !is_literal(a, 3)) return Refusal{"where the slice starts is computed at run time", "use fixed places"};
  if (a.integer(4) != 1) return Refusal{fmt::format("the step is {}, want 1", a.integer(4)), "use a strided convolution or pooling"};
  return std::nullopt;
}
Status lower_slice(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t dim = a.dim(1, rank_of(a));
  const std::int64_t start = a.has(2) ? wrapped(a.integer(2), a.type(kInput).sizes[dim]) : 0;
  const auto [in, out] = b.moved(a.value(kInput), a.out());
  keep(b, b.exact(in), {dim, start, a.out_type().sizes[dim]}, out);
  return {};
}

Refused refuse_select(const NodeArgs& a) {
  if (Refused found = refuse_dynamic(a)) return found;
  if (!is_literal(a, 2)) return Refusal{"which element is selected is computed at run time", "use a fixed index"};
  return std::nullopt;
}
Status lower_select(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t dim = a.dim(1, rank_of(a));
  const auto [in, out] = b.moved(a.value(kInput), a.out());
  keep_without_dim(b, b.exact(in), {dim, wrapped(a.integer(2), a.type(kInput).sizes[dim]), 1}, out);
  return {};
}

Refused refuse_narrow(const NodeArgs& a) {
  if (Refused found = refuse_dynamic(a)) return found;
  if (!is_literal(a, 2) || !is_literal(a, 3)) return Refusal{"where the part starts is computed at run time", "use fixed places"};
  return std::nullopt;
}
Status lower_narrow(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t dim = a.dim(1, rank_of(a));
  const auto [in, out] = b.moved(a.value(kInput), a.out());
  keep(b, b.exact(in), {dim, wrapped(a.integer(2), a.type(kInput).sizes[dim]), a.out_type().sizes[dim]}, out);
  return {};
}

// Parts one behind the other; parts that nobody uses are left out.
Status lower_split(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t dim = a.dim(2, rank_of(a));
  const ValueId held = b.held(a.value(kInput));
  const Rep rep = b.exact(held != ir::kNoValue ? held : a.value(kInput));
  std::int64_t start = 0;
  for (const ValueId out : a.node().outs) {
    const std::int64_t size = b.type(out).sizes[dim];
    if (b.is_used(out)) keep(b, rep, {dim, start, size}, b.moved(a.value(kInput), out).out);
    start += size;
  }
  return {};
}

Status lower_unbind(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t dim = a.dim(1, rank_of(a));
  const ValueId held = b.held(a.value(kInput));
  const Rep rep = b.exact(held != ir::kNoValue ? held : a.value(kInput));
  std::int64_t start = 0;
  for (const ValueId out : a.node().outs) {
    if (b.is_used(out)) keep_without_dim(b, rep, {dim, start, 1}, b.moved(a.value(kInput), out).out);
    ++start;
  }
  return {};
}

constexpr Lowering kRows[] = {
    {"aten::slice_copy.Tensor", refuse_slice, lower_slice},
    {"aten::select_copy.int", refuse_select, lower_select},
    {"aten::narrow_copy", refuse_narrow, lower_narrow},
    {"aten::split_copy.Tensor", refuse_dynamic, lower_split},
    {"aten::split_with_sizes_copy", refuse_dynamic, lower_split},
    {"aten::unbind_copy.int", refuse_dynamic, lower_unbind},
};

}  // namespace

extern constinit const LoweringFamily kSliceLowerings{kRows};

}  // namespace etalon::xnnpack
