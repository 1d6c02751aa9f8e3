// any: whether some element is true. A uint8 input gives uint8, as in torch.
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

struct Any {
  using Acc = bool;
  Acc initial() const { return false; }
  template <class T>
  Acc step(Acc acc, T value) const {
    return acc | convert_element<bool>(value);
  }
  Acc merge(Acc a, Acc b) const { return a | b; }
};

enum class Form { kAll, kDim, kDims };

template <Form kForm>
Result<DimMask> mask_of(const Call& call) {
  const std::size_t rank = call.tensor(0).rank();
  if constexpr (kForm == Form::kAll) {
    return static_cast<DimMask>((DimMask{1} << rank) - 1u);
  } else {
    // An empty list of `any.dims` reduces nothing; only None means all dims.
    if (kForm == Form::kDims && call.has(1) && call.ints(1).empty()) return DimMask{0};
    return dims_to_reduce(call, 1, rank);
  }
}

template <Form kForm>
Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const DimMask mask, mask_of<kForm>(call));
  const bool keepdim = kForm != Form::kAll && call.flag(2);
  const DType dtype = input.dtype() == DType::kUInt8 ? DType::kUInt8 : DType::kBool;
  return outs.set(0, dtype, reduced_sizes(input.sizes(), mask, keepdim));
}

template <Form kForm>
Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const TensorView& out = call.out();
  ETALON_TRY(const DimMask mask, mask_of<kForm>(call));
  const ReducePlan plan(input, mask, out.strides());
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    reduce(plan, input.data_as<T>(), [](std::int64_t) { return Any{}; },
           [&](std::int64_t at, bool value) { store_element(out, at, value); });
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::any(Tensor self) -> Tensor",
     .out_name = "aten::any.all_out",
     .infer = infer<Form::kAll>,
     .kernel = kernel<Form::kAll>,
     .flops = flops_per_input_element},
    {.schema = "aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor",
     .out_name = "aten::any.out",
     .infer = infer<Form::kDim>,
     .kernel = kernel<Form::kDim>,
     .flops = flops_per_input_element},
    {.schema = "aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor",
     .out_name = "aten::any.dims_out",
     .infer = infer<Form::kDims>,
     .kernel = kernel<Form::kDims>,
     .flops = flops_per_input_element},
};

}  // namespace

extern constinit const OpFamily kAnyOps{kRows};

}  // namespace etalon::ops
