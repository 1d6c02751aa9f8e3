// amax, amin, max, min: the largest or smallest element. NaN wins over every number.
#include <limits>

#include "ops/extremum.h"
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

template <class T, bool kLargest>
struct Extremum {
  using Acc = ComparedAs<T>;
  Acc initial() const { return least_wanted<Acc, kLargest>(); }
  Acc step(Acc acc, T value) const { return merge(acc, static_cast<Acc>(value)); }
  Acc merge(Acc a, Acc b) const { return better_of<kLargest>(a, b); }
};

constexpr std::size_t kDim = 1;
constexpr std::size_t kKeepdim = 2;

Status infer_over_dims(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, kDim, input.rank()));
  ETALON_CHECKED(require_elements(input.sizes(), mask));
  return outs.set(0, input.dtype(), reduced_sizes(input.sizes(), mask, call.flag(kKeepdim)));
}

Status infer_over_all(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  if (input.numel() == 0) return invalid_input("tensor " + to_string(input.sizes()) + " has no elements to choose from");
  return outs.set(0, input.dtype(), Dims{});
}

template <bool kLargest>
Status run(const TensorView& input, DimMask mask, const TensorView& out) {
  const ReducePlan plan(input, mask, out.strides());
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    reduce(plan, input.data_as<T>(), [](std::int64_t) { return Extremum<T, kLargest>{}; },
           [&](std::int64_t at, ComparedAs<T> value) { store_element(out, at, value); });
    return {};
  });
}

template <bool kLargest>
Status kernel_over_dims(const Call& call) {
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, kDim, call.tensor(0).rank()));
  return run<kLargest>(call.tensor(0), mask, call.out());
}

template <bool kLargest>
Status kernel_over_all(const Call& call) {
  return run<kLargest>(call.tensor(0), (DimMask{1} << call.tensor(0).rank()) - 1u, call.out());
}

constexpr OpDef kRows[] = {
    {.schema = "aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
     .out_name = "aten::amax.out",
     .infer = infer_over_dims,
     .kernel = kernel_over_dims<true>,
     .flops = flops_per_input_element},
    {.schema = "aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
     .out_name = "aten::amin.out",
     .infer = infer_over_dims,
     .kernel = kernel_over_dims<false>,
     .flops = flops_per_input_element},
    {.schema = "aten::max(Tensor self) -> Tensor",
     .out_name = "aten::max.unary_out",
     .infer = infer_over_all,
     .kernel = kernel_over_all<true>,
     .flops = flops_per_input_element},
    {.schema = "aten::min(Tensor self) -> Tensor",
     .out_name = "aten::min.unary_out",
     .infer = infer_over_all,
     .kernel = kernel_over_all<false>,
     .flops = flops_per_input_element},
};

}  // namespace

extern constinit const OpFamily kExtremumOps{kRows};

}  // namespace etalon::ops
