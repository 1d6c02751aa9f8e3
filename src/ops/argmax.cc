// argmax, argmin, max.dim, min.dim: where the extremum is. The first of equals is taken, and the first NaN if any.
#include "ops/extremum.h"
#include "ops/infer.h"
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

constexpr std::size_t kDim = 1;
constexpr std::size_t kKeepdim = 2;

struct Place {
  std::int64_t index;
  std::int64_t offset;
};

// The extremum of `count` elements, element i at offset `offset_of(i)`.
template <class T, bool kLargest, class OffsetOf>
Place find(const T* from, std::int64_t count, OffsetOf offset_of) {
  Place place{0, offset_of(0)};
  auto best = static_cast<ComparedAs<T>>(from[place.offset]);
  for (std::int64_t i = 1; i < count && !is_nan(best); ++i) {
    const std::int64_t offset = offset_of(i);
    const auto value = static_cast<ComparedAs<T>>(from[offset]);
    if (beats<kLargest>(value, best)) {
      best = value;
      place = {i, offset};
    }
  }
  return place;
}

std::int64_t row_major_offset(const TensorView& view, std::int64_t index) {
  std::int64_t offset = 0;
  for (std::size_t d = view.rank(); d-- > 0;) {
    offset += index % view.size(d) * view.stride(d);
    index /= view.size(d);
  }
  return offset;
}

template <class T, bool kLargest>
Place find_in_all(const TensorView& input) {
  const T* from = input.data_as<T>();
  if (input.is_contiguous()) return find<T, kLargest>(from, input.numel(), [](std::int64_t i) { return i; });
  return find<T, kLargest>(from, input.numel(), [&](std::int64_t i) { return row_major_offset(input, i); });
}

// Writes the extremum of each run along `dim`, or its place, to where `out_strides` put the result; either may be null.
template <class T, bool kLargest>
void find_along(const TensorView& input, std::size_t dim, const Dims& out_strides, T* values,
                std::int64_t* indices) {
  const ReducePlan plan(input, input.rank() == 0 ? 0u : DimMask{1} << dim, out_strides);
  const std::int64_t step = input.rank() == 0 ? 1 : input.stride(dim);
  for_each_run(plan.kept, [&](const auto& offsets) {
    for (std::int64_t i = 0; i < plan.kept.run(); ++i) {
      const T* from = input.data_as<T>() + offsets[0] + i * plan.kept.step(0);
      const Place place = find<T, kLargest>(from, plan.count, [step](std::int64_t k) { return k * step; });
      const std::int64_t at = offsets[1] + i * plan.kept.step(1);
      if (values != nullptr) values[at] = from[place.offset];
      if (indices != nullptr) indices[at] = place.index;
    }
  });
}

Status infer_arg(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  if (input.dtype() == DType::kBool) return unsupported("dtype bool, want a number");
  if (!call.has(kDim) && input.numel() == 0) return invalid_input("no elements to choose from");
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, kDim, input.rank()));
  ETALON_CHECKED(require_elements(input.sizes(), mask));
  return outs.set(0, DType::kInt64, reduced_sizes(input.sizes(), mask, call.flag(kKeepdim)));
}

template <bool kLargest>
Status kernel_arg(const Call& call) {
  const TensorView& input = call.tensor(0);
  auto* out = call.out().data_as<std::int64_t>();
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if (!call.has(kDim)) {
      *out = find_in_all<T, kLargest>(input).index;
      return {};
    }
    ETALON_TRY(const std::size_t dim, dim_of(call.integer(kDim), input.rank()));
    find_along<T, kLargest>(input, dim, call.out().strides(), nullptr, out);
    return {};
  });
}

Status infer_with_values(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, kDim, input.rank()));
  ETALON_CHECKED(require_elements(input.sizes(), mask));
  const Dims sizes = reduced_sizes(input.sizes(), mask, call.flag(kKeepdim));
  ETALON_CHECKED(outs.set(0, input.dtype(), sizes));
  return outs.set(1, DType::kInt64, sizes);
}

template <bool kLargest>
Status kernel_with_values(const Call& call) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(kDim), input.rank()));
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    // The two outputs may differ in dim order, so each is walked on its own.
    find_along<T, kLargest>(input, dim, call.out(0).strides(), call.out(0).template data_as<T>(), nullptr);
    find_along<T, kLargest>(input, dim, call.out(1).strides(), nullptr, call.out(1).template data_as<std::int64_t>());
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
     .out_name = "aten::argmax.out",
     .infer = infer_arg,
     .kernel = kernel_arg<true>,
     .flops = flops_per_input_element},
    {.schema = "aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
     .out_name = "aten::argmin.out",
     .infer = infer_arg,
     .kernel = kernel_arg<false>,
     .flops = flops_per_input_element},
    {.schema = "aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     .out_name = "aten::max.dim_max",
     .infer = infer_with_values,
     .kernel = kernel_with_values<true>,
     .flops = flops_per_input_element},
    {.schema = "aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     .out_name = "aten::min.dim_min",
     .infer = infer_with_values,
     .kernel = kernel_with_values<false>,
     .flops = flops_per_input_element},
};

}  // namespace

extern constinit const OpFamily kArgmaxOps{kRows};

}  // namespace etalon::ops
