// and, or, xor and shifts of the bits of integers; and, or, xor of bools.
#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/promotion.h"

namespace etalon::ops {
namespace {

struct And {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};

// A shift by a negative count or by all bits and more moves everything out, as in torch.
struct LeftShift {
  template <class T>
  T operator()(T a, T count) const {
    if (count < T(0) || count >= static_cast<T>(sizeof(T) * 8)) return T(0);
    return static_cast<T>(static_cast<std::uint64_t>(a) << count);
  }
};
struct RightShift {
  template <class T>
  T operator()(T a, T count) const {
    constexpr T kMost = static_cast<T>(sizeof(T) * 8 - 1);
    if (count < T(0) || count > kMost) return std::is_signed_v<T> ? static_cast<T>(a >> kMost) : T(0);
    return static_cast<T>(a >> count);
  }
};

Status infer_bits(const Call& call, OutShapes& outs) {
  if (is_floating(result_type(call, {0, 1})))
    return invalid_input("bitwise operators want integer or bool arguments");
  return infer_broadcast(call, outs);
}

Status infer_shift(const Call& call, OutShapes& outs) {
  if (!is_integral(result_type(call, {0, 1}))) return invalid_input("shifts want integer arguments");
  return infer_broadcast(call, outs);
}

template <class Function, bool kBools>
Status kernel(const Call& call) {
  return visit_computed(result_type(call, {0, 1}), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && (kBools || !std::is_same_v<T, bool>)) {
      return map<T, T>(Operand::of(call, 0), Operand::of(call, 1), call.out(), Function{});
    } else {
      return unsupported("bits of a floating or bool tensor");
    }
  });
}

constexpr OpDef bits_row(std::string_view schema, std::string_view out_name, KernelFn kernel_fn) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_bits,
          .kernel = kernel_fn,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput};
}
constexpr OpDef shift_row(std::string_view schema, std::string_view out_name, KernelFn kernel_fn) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_shift,
          .kernel = kernel_fn,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput};
}

constexpr OpDef kRows[] = {
    bits_row("aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", "aten::bitwise_and.Tensor_out",
             kernel<And, true>),
    bits_row("aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor", "aten::bitwise_and.Scalar_out",
             kernel<And, true>),
    bits_row("aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", "aten::bitwise_or.Tensor_out",
             kernel<Or, true>),
    bits_row("aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor", "aten::bitwise_or.Scalar_out",
             kernel<Or, true>),
    bits_row("aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor", "aten::bitwise_xor.Tensor_out",
             kernel<Xor, true>),
    bits_row("aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor", "aten::bitwise_xor.Scalar_out",
             kernel<Xor, true>),
    shift_row("aten::bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor",
              "aten::bitwise_left_shift.Tensor_out", kernel<LeftShift, false>),
    shift_row("aten::bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor",
              "aten::bitwise_left_shift.Tensor_Scalar_out", kernel<LeftShift, false>),
    shift_row("aten::bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor",
              "aten::bitwise_right_shift.Tensor_out", kernel<RightShift, false>),
    shift_row("aten::bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor",
              "aten::bitwise_right_shift.Tensor_Scalar_out", kernel<RightShift, false>),
};

}  // namespace

extern constinit const OpFamily kBitwiseOps{kRows};

}  // namespace etalon::ops
