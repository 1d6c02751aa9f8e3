// var and var_mean: sum((x - mean)^2) / (count - correction), in two passes and in double.
#include <algorithm>

#include "ops/reduction.h"

namespace etalon::ops {

namespace {

constexpr std::size_t kDim = 1;

// var.dim(self, dim, unbiased, keepdim) and var.correction(self, dim, correction, keepdim) differ in argument 2.
double correction_of_flag(const Call& call) { return call.flag(2) ? 1.0 : 0.0; }
double correction_of_number(const Call& call) { return call.has(2) ? call.number(2) : 1.0; }

Status infer_outputs(const Call& call, OutShapes& outs, std::size_t count) {
  const TensorView& input = call.tensor(0);
  if (!is_floating(input.dtype())) {
    return invalid_input("variance of dtype " + std::string(name_of(input.dtype())) + ", want a floating one");
  }
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, kDim, input.rank()));
  const Dims sizes = reduced_sizes(input.sizes(), mask, call.flag(3));
  for (std::size_t i = 0; i < count; ++i) ETALON_CHECKED(outs.set(i, input.dtype(), sizes));
  return {};
}

Status infer_var(const Call& call, OutShapes& outs) { return infer_outputs(call, outs, 1); }
Status infer_var_mean(const Call& call, OutShapes& outs) { return infer_outputs(call, outs, 2); }

template <class T>
double mean_of(const ReducePlan& plan, const T* from) {
  return internal::fold_result(plan.reduced, from, Sum<double>{}) / static_cast<double>(plan.count);
}

// Calls `take(offset in an output with these strides, mean, first element of the result's input)`.
template <class T, class Take>
void for_each_mean(const ReducePlan& plan, const T* input, Take take) {
  for_each_run(plan.kept, [&](const auto& offsets) {
    for (std::int64_t i = 0; i < plan.kept.run(); ++i) {
      const T* from = input + offsets[0] + i * plan.kept.step(0);
      take(offsets[1] + i * plan.kept.step(1), mean_of(plan, from), from);
    }
  });
}

Status run(const Call& call, double correction) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, kDim, input.rank()));
  return visit_floating(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const ReducePlan plan(input, mask, call.out(0).strides());
    const double divisor = std::max(0.0, static_cast<double>(plan.count) - correction);
    for_each_mean(plan, input.data_as<T>(), [&](std::int64_t at, double mean, const T* from) {
      store_element(call.out(0), at, internal::fold_result(plan.reduced, from, SquaredDistance{mean}) / divisor);
    });
    if (call.out_count() > 1) {
      const ReducePlan mean_plan(input, mask, call.out(1).strides());
      for_each_mean(mean_plan, input.data_as<T>(),
                    [&](std::int64_t at, double mean, const T*) { store_element(call.out(1), at, mean); });
    }
    return {};
  });
}

Status kernel_flag(const Call& call) { return run(call, correction_of_flag(call)); }
Status kernel_number(const Call& call) { return run(call, correction_of_number(call)); }

std::int64_t flops(const Call& call) { return 4 * call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
     .out_name = "aten::var.out",
     .infer = infer_var,
     .kernel = kernel_flag,
     .flops = flops},
    {.schema = "aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
     .out_name = "aten::var.correction_out",
     .infer = infer_var,
     .kernel = kernel_number,
     .flops = flops},
    {.schema = "aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False)"
               " -> (Tensor, Tensor)",
     .out_name = "aten::var_mean.correction_out",
     .infer = infer_var_mean,
     .kernel = kernel_number,
     .flops = flops},
};

}  // namespace

extern constinit const OpFamily kVarOps{kRows};

}  // namespace etalon::ops
