// Choosing elements by a condition: where and masked_fill.
#include <fmt/core.h>

#include <bit>

#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/promotion.h"

namespace etalon::ops {
namespace {

// By masking bits: GCC vectorises that, but not a choice by a condition narrower than the values.
struct Choose {
  template <class T>
  T operator()(bool condition, T a, T b) const {
    using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    if constexpr (sizeof(T) == sizeof(Bits)) {
      const Bits mask = Bits{0} - static_cast<Bits>(condition);
      return std::bit_cast<T>(
          static_cast<Bits>((std::bit_cast<Bits>(a) & mask) | (std::bit_cast<Bits>(b) & ~mask)));
    } else {
      return condition ? a : b;
    }
  }
};

Status require_mask(const TensorView& mask, std::string_view name) {
  if (mask.dtype() == DType::kBool || mask.dtype() == DType::kUInt8) return {};
  return invalid_input(fmt::format("{} is {}, want bool", name, name_of(mask.dtype())));
}

Status infer_where(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(require_mask(call.tensor(0), "condition"));
  return infer_broadcast_as(call, outs, result_type(call, {1, 2}));
}

Status where_kernel(const Call& call) {
  return visit_computed(result_type(call, {1, 2}), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<bool, T>(call.tensor(0), call.tensor(1), call.tensor(2), call.out(), Choose{});
  });
}

Status infer_masked_fill(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(require_mask(call.tensor(1), "mask"));
  return infer_broadcast_as(call, outs, call.tensor(0).dtype());
}

Status masked_fill_kernel(const Call& call) {
  return visit_computed(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<bool, T>(call.tensor(1), Operand(call.scalar(2)), call.tensor(0), call.out(), Choose{});
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor",
     .out_name = "aten::where.self_out",
     .infer = infer_where,
     .kernel = where_kernel,
     .flops = flops_per_element,
     .traits = kElementwise | kCastsOutput},
    {.schema = "aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor",
     .out_name = "aten::masked_fill.Scalar_out",
     .infer = infer_masked_fill,
     .kernel = masked_fill_kernel,
     .flops = flops_per_element,
     .traits = kElementwise},
};

}  // namespace

extern constinit const OpFamily kWhereOps{kRows};

}  // namespace etalon::ops
