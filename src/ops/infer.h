// Shape rules that many operators share. Each can stand in an OpDef as `infer`.
#pragma once

#include "ops/op.h"

namespace etalon::ops {

// The shape to which all tensor arguments broadcast. kInvalidInput names the two shapes that do not fit.
Result<Dims> broadcast_sizes(const Call& call);

// The dim order that torch gives the result: that of the first tensor argument with the result's sizes, so
// that channels-last tensors stay so. Null (contiguous) if no argument has them.
const DimOrder* order_like_arguments(const Call& call, const Dims& sizes);

// Output 0 has the sizes and dim order of argument 0 and ...
Status infer_same_as(const Call& call, OutShapes& outs);  // ... its dtype
Status infer_same_as_float(const Call& call,
                           OutShapes& outs);                   // ... its dtype, float32 for integers and bool
Status infer_same_as_bool(const Call& call, OutShapes& outs);  // ... dtype bool

// Output 0 has the broadcast sizes of all tensor arguments, order_like_arguments() and ...
Status infer_broadcast(const Call& call, OutShapes& outs);  // ... the result type of arguments 0 and 1
Status infer_broadcast_float(const Call& call,
                             OutShapes& outs);  // ... that type, float32 for integers and bool
Status infer_broadcast_bool(const Call& call, OutShapes& outs);  // ... dtype bool

// The same with a dtype of the caller's choice.
Status infer_broadcast_as(const Call& call, OutShapes& outs, DType dtype);

// kUnsupported unless the dtype is floating; `what` names the operator's argument.
Status require_floating(DType dtype, std::string_view what);

// One operation per element of the broadcast arguments.
std::int64_t flops_per_element(const Call& call);

// Checks a dim argument: [-rank, rank), counting rank 0 as 1.
Result<std::size_t> dim_of(std::int64_t dim, std::size_t rank);

}  // namespace etalon::ops
