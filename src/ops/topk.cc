// topk: the k largest or smallest elements along a dim, best first; NaN counts as the largest. Equal elements keep
// their order.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "ops/infer.h"
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

constexpr std::size_t kCount = 1;
constexpr std::size_t kDim = 2;

std::int64_t length_of(const TensorView& input, std::size_t dim) { return input.rank() == 0 ? 1 : input.size(dim); }

std::int64_t dim_argument(const Call& call) { return call.has(kDim) ? call.integer(kDim) : -1; }

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const std::size_t dim, dim_of(dim_argument(call), input.rank()));
  const std::int64_t length = length_of(input, dim);
  const std::int64_t k = call.integer(kCount);
  if (k < 0 || k > length) return invalid_input(fmt::format("k is {}, want 0 to {}, the size of dim {}", k, length, dim));
  Dims sizes = input.sizes();
  if (!sizes.empty()) sizes[dim] = k;
  ETALON_CHECKED(outs.set(0, input.dtype(), sizes));
  return outs.set(1, DType::kInt64, sizes);
}

template <class T>
using KeyOf = std::conditional_t<kIsFloating<T>, double, std::conditional_t<std::is_same_v<T, std::uint64_t>, T, std::int64_t>>;

template <class Key>
struct Entry {
  Key key;
  std::int64_t index;
};
static_assert(sizeof(Entry<double>) == 16);

std::size_t scratch(const Call& call) {
  const auto dim = dim_of(dim_argument(call), call.tensor(0).rank());
  return dim.ok() ? static_cast<std::size_t>(length_of(call.tensor(0), *dim)) * sizeof(Entry<double>) : 0;
}

template <bool kLargest, class Key>
bool precedes(const Entry<Key>& a, const Entry<Key>& b) {
  const bool a_nan = is_nan(a.key);
  const bool b_nan = is_nan(b.key);
  if (a_nan != b_nan) return kLargest ? a_nan : b_nan;
  if (!a_nan && a.key != b.key) return kLargest ? a.key > b.key : a.key < b.key;
  return a.index < b.index;
}

template <class Key>
void select(std::span<Entry<Key>> entries, std::int64_t k, bool largest) {
  const auto middle = entries.begin() + k;
  if (largest) std::partial_sort(entries.begin(), middle, entries.end(), precedes<true, Key>);
  else std::partial_sort(entries.begin(), middle, entries.end(), precedes<false, Key>);
}

// Where one line of the dim begins in each tensor, and its steps.
struct Line {
  std::int64_t input, values, indices;
};

template <class T>
void sort_line(const Call& call, const Line& at, const Line& step, std::int64_t length, std::int64_t k, bool largest) {
  using Key = KeyOf<T>;
  const T* from = call.tensor(0).data_as<T>() + at.input;
  auto* entries = reinterpret_cast<Entry<Key>*>(call.scratch().data());
  for (std::int64_t i = 0; i < length; ++i) entries[i] = {convert_element<Key>(from[i * step.input]), i};
  select(std::span(entries, static_cast<std::size_t>(length)), k, largest);
  T* values = call.out(0).data_as<T>() + at.values;
  auto* indices = call.out(1).data_as<std::int64_t>() + at.indices;
  for (std::int64_t i = 0; i < k; ++i) {
    values[i * step.values] = from[entries[i].index * step.input];
    indices[i * step.indices] = entries[i].index;
  }
}

Dims without(const Dims& values, std::size_t dim) {
  Dims rest = values;
  if (!rest.empty()) rest.erase(dim);
  return rest;
}

Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const std::size_t dim, dim_of(dim_argument(call), input.rank()));
  const bool scalar = input.rank() == 0;
  const bool largest = !call.has(3) || call.flag(3);
  const TensorView& values = call.out(0);
  const TensorView& indices = call.out(1);
  const Line step = scalar ? Line{1, 1, 1} : Line{input.stride(dim), values.stride(dim), indices.stride(dim)};
  const LoopNest<3> nest(without(input.sizes(), dim), {without(input.strides(), dim), without(values.strides(), dim),
                                                       without(indices.strides(), dim)});
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for_each_run(nest, [&](const auto& offsets) {
      for (std::int64_t i = 0; i < nest.run(); ++i) {
        const Line at{offsets[0] + i * nest.step(0), offsets[1] + i * nest.step(1), offsets[2] + i * nest.step(2)};
        sort_line<T>(call, at, step, length_of(input, dim), call.integer(kCount), largest);
      }
    });
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)",
     .out_name = "aten::topk.values",
     .infer = infer,
     .kernel = kernel,
     .flops = flops_per_input_element,
     .scratch = scratch},
};

}  // namespace

extern constinit const OpFamily kTopkOps{kRows};

}  // namespace etalon::ops
