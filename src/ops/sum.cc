// sum and mean over dims. Floating elements are summed in double, integers in 64 bits that wrap.
#include <limits>

#include "ops/infer.h"
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

// Positions of the arguments that differ between the overloads.
struct Arguments {
  int dim;      // -1: all dims
  int keepdim;  // -1: false
  std::size_t dtype;
};
constexpr Arguments kOverDims{1, 2, 3};
constexpr Arguments kOverAll{-1, -1, 1};

Result<DimMask> mask_of(const Call& call, const Arguments& at) {
  const std::size_t rank = call.tensor(0).rank();
  if (at.dim < 0) return static_cast<DimMask>((DimMask{1} << rank) - 1u);
  return dims_to_reduce(call, static_cast<std::size_t>(at.dim), rank);
}

Status set_reduced(const Call& call, OutShapes& outs, const Arguments& at, DType dtype) {
  ETALON_TRY(const DimMask mask, mask_of(call, at));
  const bool keepdim = at.keepdim >= 0 && call.flag(static_cast<std::size_t>(at.keepdim));
  return outs.set(0, dtype, reduced_sizes(call.tensor(0).sizes(), mask, keepdim));
}

template <const Arguments& kAt>
Status infer_sum(const Call& call, OutShapes& outs) {
  const DType input = call.tensor(0).dtype();
  ETALON_TRY(const DType dtype, call.dtype_or(kAt.dtype, is_floating(input) ? input : DType::kInt64));
  return set_reduced(call, outs, kAt, dtype);
}

template <const Arguments& kAt>
Status infer_mean(const Call& call, OutShapes& outs) {
  ETALON_TRY(const DType dtype, call.dtype_or(kAt.dtype, call.tensor(0).dtype()));
  if (!is_floating(dtype)) {
    return invalid_input("mean of dtype " + std::string(name_of(dtype)) + ", want a floating one");
  }
  return set_reduced(call, outs, kAt, dtype);
}

// Each element is converted to As, the kind of the output, before it is added, as torch does.
template <class As, class T>
void sum_to_integers(const ReducePlan& plan, const TensorView& input, const TensorView& out) {
  reduce(plan, input.data_as<T>(), [](std::int64_t) { return Sum<std::uint64_t, As>{}; },
         [&](std::int64_t at, std::uint64_t total) { store_element(out, at, static_cast<std::int64_t>(total)); });
}

template <class T>
void sum_to_floats(const ReducePlan& plan, const TensorView& input, const TensorView& out, double divisor) {
  const auto add = [](std::int64_t) { return Sum<double>{}; };
  if (out.dtype() == DType::kFloat32) {
    float* to = out.data_as<float>();
    reduce(plan, input.data_as<T>(), add,
           [&](std::int64_t at, double total) { to[at] = static_cast<float>(total / divisor); });
  } else {
    reduce(plan, input.data_as<T>(), add,
           [&](std::int64_t at, double total) { store_element(out, at, total / divisor); });
  }
}

template <const Arguments& kAt, bool kMean>
Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const TensorView& out = call.out();
  ETALON_TRY(const DimMask mask, mask_of(call, kAt));
  const ReducePlan plan(input, mask, out.strides());
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if (is_floating(out.dtype())) {
      sum_to_floats<T>(plan, input, out, kMean ? static_cast<double>(plan.count) : 1.0);
    } else if (out.dtype() == DType::kBool) {
      sum_to_integers<bool, T>(plan, input, out);
    } else {
      sum_to_integers<std::int64_t, T>(plan, input, out);
    }
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "aten::sum.IntList_out",
     .infer = infer_sum<kOverDims>,
     .kernel = kernel<kOverDims, false>,
     .flops = flops_per_input_element},
    {.schema = "aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "",
     .infer = infer_sum<kOverAll>,
     .kernel = kernel<kOverAll, false>,
     .flops = flops_per_input_element},
    {.schema = "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "aten::mean.out",
     .infer = infer_mean<kOverDims>,
     .kernel = kernel<kOverDims, true>,
     .flops = flops_per_input_element},
    {.schema = "aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "aten::mean.dtype_out",
     .infer = infer_mean<kOverAll>,
     .kernel = kernel<kOverAll, true>,
     .flops = flops_per_input_element},
};

}  // namespace

extern constinit const OpFamily kSumOps{kRows};

}  // namespace etalon::ops
