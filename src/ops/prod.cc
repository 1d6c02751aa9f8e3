// prod: the product of elements, in double or in 64-bit integers that wrap.
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

// Each element is converted to As, the kind of the result, before it is multiplied.
template <class Total, class As>
struct Product {
  using Acc = Total;
  Acc initial() const { return Acc{1}; }
  template <class T>
  Acc step(Acc acc, T value) const {
    return acc * static_cast<Acc>(convert_element<As>(value));
  }
  Acc merge(Acc a, Acc b) const { return a * b; }
};

DType default_dtype(DType input) { return is_floating(input) ? input : DType::kInt64; }

DimMask all_dims(const Call& call) { return (DimMask{1} << call.tensor(0).rank()) - 1u; }

Status infer_all(const Call& call, OutShapes& outs) {
  ETALON_TRY(const DType dtype, call.dtype_or(1, default_dtype(call.tensor(0).dtype())));
  return outs.set(0, dtype, Dims{});
}

Status infer_dim(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const DType dtype, call.dtype_or(3, default_dtype(input.dtype())));
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, 1, input.rank()));
  return outs.set(0, dtype, reduced_sizes(input.sizes(), mask, call.flag(2)));
}

Status run(const TensorView& input, DimMask mask, const TensorView& out) {
  const ReducePlan plan(input, mask, out.strides());
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if (is_floating(out.dtype())) {
      reduce(plan, input.data_as<T>(), [](std::int64_t) { return Product<double, double>{}; },
             [&](std::int64_t at, double value) { store_element(out, at, value); });
    } else {
      reduce(plan, input.data_as<T>(), [](std::int64_t) { return Product<std::uint64_t, std::int64_t>{}; },
             [&](std::int64_t at, std::uint64_t value) { store_element(out, at, static_cast<std::int64_t>(value)); });
    }
    return {};
  });
}

Status kernel_all(const Call& call) { return run(call.tensor(0), all_dims(call), call.out()); }

Status kernel_dim(const Call& call) {
  ETALON_TRY(const DimMask mask, dims_to_reduce(call, 1, call.tensor(0).rank()));
  return run(call.tensor(0), mask, call.out());
}

constexpr OpDef kRows[] = {
    {.schema = "aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "aten::prod.out",
     .infer = infer_all,
     .kernel = kernel_all,
     .flops = flops_per_input_element},
    {.schema = "aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "aten::prod.int_out",
     .infer = infer_dim,
     .kernel = kernel_dim,
     .flops = flops_per_input_element},
};

}  // namespace

extern constinit const OpFamily kProdOps{kRows};

}  // namespace etalon::ops
