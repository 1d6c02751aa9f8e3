// One tensor cut into several along a dim.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

constexpr std::int64_t kMaxParts = 1 << 16;

void limit_parts(std::int64_t parts) {
  if (parts > kMaxParts) refuse(fmt::format("{} parts are more than the limit of {}", parts, kMaxParts));
}

ValueIds cut(Lowering& lo, ValueId x, std::size_t dim, const Ints& lengths) {
  if (lengths.size() == 1) return {x};
  return lo.op_all("aten::split_with_sizes_copy", x, lengths, dim);
}

ValueIds cut_every(Lowering& lo, ValueId x, std::size_t dim, std::int64_t length) {
  const std::int64_t size = lo.static_size(x, dim);
  if (length <= 0) {
    if (size != 0 || length < 0) refuse_input(fmt::format("a part of {} elements is not possible", length));
    return {x};
  }
  limit_parts(size / length);
  Ints lengths;
  for (std::int64_t at = 0; at < size; at += length) lengths.push_back(std::min(length, size - at));
  if (lengths.empty()) return {x};
  return cut(lo, x, dim, lengths);
}

ValueIds split(Lowering& lo, const Args& a) {
  return cut_every(lo, a.tensor(0), lo.dim(a.tensor(0), a.integer(2)), a.integer(1));
}

ValueIds split_sizes(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  return cut(lo, x, lo.dim(x, a.integer(2)), a.ints(1));
}

// As few parts as needed with equal lengths, the last one maybe shorter; there can be fewer than asked for.
ValueIds chunk(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t dim = lo.dim(x, a.integer(2));
  const std::int64_t chunks = a.integer(1);
  if (chunks <= 0) refuse_input(fmt::format("{} chunks are not possible", chunks));
  const std::int64_t size = lo.static_size(x, dim);
  limit_parts(chunks);
  if (size == 0) return ValueIds(static_cast<std::size_t>(chunks), x);
  return cut_every(lo, x, dim, (size + chunks - 1) / chunks);
}

// The first size % sections parts get one element more.
ValueIds tensor_split_sections(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t dim = lo.dim(x, a.integer(2));
  const std::int64_t size = lo.static_size(x, dim);
  const std::int64_t sections = a.integer(1);
  if (sections <= 0) refuse_input(fmt::format("{} sections are not possible", sections));
  limit_parts(sections);
  Ints lengths;
  for (std::int64_t i = 0; i < sections; ++i)
    lengths.push_back(size / sections + (i < size % sections ? 1 : 0));
  return cut(lo, x, dim, lengths);
}

ValueIds tensor_split_indices(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t dim = lo.dim(x, a.integer(2));
  const std::int64_t size = lo.static_size(x, dim);
  Ints lengths;
  std::int64_t at = 0;
  for (std::int64_t index : a.ints(1)) {
    if (index < 0) index += size;
    index = std::clamp<std::int64_t>(index, 0, size);
    lengths.push_back(std::max<std::int64_t>(index - at, 0));
    at = std::max(at, index);
  }
  lengths.push_back(size - at);
  return cut(lo, x, dim, lengths);
}

// Vectors are split along their only dim.
ValueIds hsplit(Lowering& lo, const Args& a) {
  const int dim = lo.rank(a.tensor(0)) == 1 ? 0 : 1;
  return lo.aten_all("aten::tensor_split.sections", a[0], a[1], dim);
}
ValueIds vsplit(Lowering& lo, const Args& a) {
  return lo.aten_all("aten::tensor_split.sections", a[0], a[1], 0);
}
ValueIds dsplit(Lowering& lo, const Args& a) {
  return lo.aten_all("aten::tensor_split.sections", a[0], a[1], 2);
}

ValueIds unbind(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  lo.static_size(x, lo.dim(x, a.integer(1)));
  return lo.op_all("aten::unbind_copy.int", x, a[1]);
}

ValueIds hsplit_at(Lowering& lo, const Args& a) {
  return lo.aten_all("aten::tensor_split.indices", a[0], a[1], lo.rank(a.tensor(0)) == 1 ? 0 : 1);
}
ValueIds vsplit_at(Lowering& lo, const Args& a) {
  return lo.aten_all("aten::tensor_split.indices", a[0], a[1], 0);
}

constexpr Rule kRows[] = {
    {"aten::split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]", split},
    {"aten::unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]", split},
    {"aten::split.sizes(Tensor self, SymInt[] split_size, int dim=0) -> Tensor[]", split_sizes},
    {"aten::split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]", split_sizes},
    {"aten::unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]", split_sizes},
    {"aten::chunk(Tensor self, int chunks, int dim=0) -> Tensor[]", chunk},
    {"aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]", chunk},
    {"aten::tensor_split.sections(Tensor self, SymInt sections, int dim=0) -> Tensor[]",
     tensor_split_sections},
    {"aten::tensor_split.indices(Tensor self, SymInt[] indices, int dim=0) -> Tensor[]",
     tensor_split_indices},
    {"aten::hsplit.array(Tensor self, int[] indices) -> Tensor[]", hsplit_at},
    {"aten::vsplit.array(Tensor self, int[] indices) -> Tensor[]", vsplit_at},
    {"aten::hsplit.int(Tensor self, int sections) -> Tensor[]", hsplit},
    {"aten::vsplit.int(Tensor self, int sections) -> Tensor[]", vsplit},
    {"aten::dsplit.int(Tensor self, int sections) -> Tensor[]", dsplit},
    {"aten::unbind.int(Tensor self, int dim=0) -> Tensor[]", unbind},
};

}  // namespace

constinit const RuleFamily kSplitRules{kRows};

}  // namespace etalon::frontend
