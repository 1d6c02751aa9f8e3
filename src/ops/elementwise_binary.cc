// Arithmetic of two tensors, or of a tensor and a number.
#include <fmt/core.h>

#include <cmath>

#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/integer_math.h"
#include "ops/promotion.h"

namespace etalon::ops {
namespace {

constexpr std::size_t kSelf = 0;
constexpr std::size_t kOther = 1;
constexpr std::size_t kAlpha = 2;
constexpr std::size_t kRoundingMode = 2;

// Operations written for every type that elementwise operators compute in.
struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping_add(a, b);
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping_sub(a, b);
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping_mul(a, b);
  }
};
struct Rsub {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping_sub(b, a);
  }
};
// NaN wins on either side.
struct Maximum {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Minimum {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

// The two operands, computed in the dtype they promote to.
template <class Function>
Status same_type_kernel(const Call& call) {
  return visit_computed(result_type(call, {kSelf, kOther}), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(Operand::of(call, kSelf), Operand::of(call, kOther), call.out(), Function{});
  });
}

// As above, with `other` (for rsub: self) multiplied by alpha.
template <class Function, bool kScaleSelf = false>
Status scaled_kernel(const Call& call) {
  return visit_computed(result_type(call, {kSelf, kOther}), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T alpha = call.scalar(kAlpha).as<T>();
    const Operand a = Operand::of(call, kSelf);
    const Operand b = Operand::of(call, kOther);
    if (alpha == T(1)) return map<T, T>(a, b, call.out(), Function{});
    return map<T, T>(a, b, call.out(), [alpha](T x, T y) {
      return kScaleSelf ? Function{}(wrapping_mul(alpha, x), y) : Function{}(x, wrapping_mul(alpha, y));
    });
  });
}

Status infer_scaled(const Call& call, OutShapes& outs) {
  const DType type = result_type(call, {kSelf, kOther});
  if (!is_floating(type) && call.scalar(kAlpha).category() == DTypeCategory::kFloating) {
    return invalid_input(
        fmt::format("alpha is a floating number and the result is {}, want an integer", name_of(type)));
  }
  return infer_broadcast(call, outs);
}

Status infer_sub(const Call& call, OutShapes& outs) {
  if (result_type(call, {kSelf, kOther}) == DType::kBool)
    return invalid_input("bools cannot be subtracted, use logical_xor");
  return infer_scaled(call, outs);
}

Status divide(const Call& call) {
  return visit_real(result_type(call, {kSelf, kOther}), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(Operand::of(call, kSelf), Operand::of(call, kOther), call.out(),
                     [](T a, T b) { return a / b; });
  });
}

// Rounding divisions and remainders: `Integers` for integer types, where a zero divisor is an error as in
// torch, and `Reals` for floats.
template <class Integers, class Reals>
Status quotient_kernel(const Call& call) {
  bool divided_by_zero = false;
  ETALON_CHECKED(visit_computed(result_type(call, {kSelf, kOther}), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Operand a = Operand::of(call, kSelf);
    const Operand b = Operand::of(call, kOther);
    if constexpr (std::is_floating_point_v<T>) {
      return map<T, T>(a, b, call.out(), Reals{});
    } else {
      return map<T, T>(a, b, call.out(), [zero = &divided_by_zero](T x, T y) {
        if (y != T(0)) return Integers{}(x, y);
        *zero = true;
        return T(0);
      });
    }
  }));
  if (divided_by_zero) return invalid_input("integer division by zero");
  return {};
}

struct FloorQuotient {
  template <class T>
  T operator()(T a, T b) const {
    return floor_quotient(a, b);
  }
};
struct FloorQuotientReal {
  template <class T>
  T operator()(T a, T b) const {
    return floor_quotient_real(a, b);
  }
};
struct TruncatedQuotient {
  template <class T>
  T operator()(T a, T b) const {
    return truncated_quotient(a, b);
  }
};
struct TruncatedQuotientReal {
  template <class T>
  T operator()(T a, T b) const {
    return std::trunc(a / b);
  }
};
struct FloorRemainder {
  template <class T>
  T operator()(T a, T b) const {
    return floor_remainder(a, b);
  }
};
struct FloorRemainderReal {
  template <class T>
  T operator()(T a, T b) const {
    return floor_remainder_real(a, b);
  }
};
struct TruncatedRemainder {
  template <class T>
  T operator()(T a, T b) const {
    return truncated_remainder(a, b);
  }
};
struct TruncatedRemainderReal {
  template <class T>
  T operator()(T a, T b) const {
    return std::fmod(a, b);
  }
};

constexpr KernelFn kFloorDivide = quotient_kernel<FloorQuotient, FloorQuotientReal>;

Status divide_by_mode(const Call& call) {
  if (!call.has(kRoundingMode)) return divide(call);
  if (call.text(kRoundingMode) == "floor") return kFloorDivide(call);
  return quotient_kernel<TruncatedQuotient, TruncatedQuotientReal>(call);
}

Status infer_divide_by_mode(const Call& call, OutShapes& outs) {
  if (!call.has(kRoundingMode)) return infer_broadcast_float(call, outs);
  if (const auto mode = call.text(kRoundingMode); mode != "floor" && mode != "trunc") {
    return invalid_input(fmt::format("rounding_mode is '{}', want 'floor', 'trunc' or None", mode));
  }
  return infer_broadcast(call, outs);
}

struct Power {
  template <class T>
  T operator()(T base, T exponent) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::pow(base, exponent);
    else
      return integer_power(base, exponent);
  }
};

// The exponents that models use are multiplications, which vectorise; pow() does not.
template <class T>
Status real_power(const TensorView& base, T exponent, const TensorView& out) {
  if (exponent == T(2)) return map<T, T>(base, out, [](T x) { return x * x; });
  if (exponent == T(3)) return map<T, T>(base, out, [](T x) { return x * x * x; });
  if (exponent == T(-1)) return map<T, T>(base, out, [](T x) { return T(1) / x; });
  if (exponent == T(0.5)) return map<T, T>(base, out, [](T x) { return std::sqrt(x); });
  return map<T, T>(base, out, [=](T x) { return std::pow(x, exponent); });
}

Status power_kernel(const Call& call) {
  const DType type = result_type(call, {kSelf, kOther});
  return visit_computed(type, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      return unsupported("pow of bools");
    } else {
      if constexpr (std::is_floating_point_v<T>) {
        if (!call.arg(kOther).is(Value::Tag::kTensor)) {
          return real_power<T>(call.tensor(kSelf), call.scalar(kOther).as<T>(), call.out());
        }
      }
      return map<T, T>(Operand::of(call, kSelf), Operand::of(call, kOther), call.out(), Power{});
    }
  });
}

Status infer_power_of_tensor(const Call& call, OutShapes& outs) {
  const Scalar exponent = call.scalar(kOther);
  const DType type = result_type(call, {kSelf, kOther});
  if (!is_floating(type) && exponent.as_int() < 0) {
    return invalid_input("integers cannot be raised to a negative integer power");
  }
  return infer_broadcast(call, outs);
}

Status atan2_kernel(const Call& call) {
  return visit_real(result_type(call, {kSelf, kOther}), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(Operand::of(call, kSelf), Operand::of(call, kOther), call.out(),
                     [](T y, T x) { return std::atan2(y, x); });
  });
}

constexpr OpDef row(std::string_view schema, std::string_view out_name, KernelFn kernel,
                    InferFn infer = infer_broadcast) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer,
          .kernel = kernel,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput};
}

constexpr KernelFn kFmod = quotient_kernel<TruncatedRemainder, TruncatedRemainderReal>;
constexpr KernelFn kRemainder = quotient_kernel<FloorRemainder, FloorRemainderReal>;

constexpr OpDef kRows[] = {
    row("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", "aten::add.out",
        scaled_kernel<Add>, infer_scaled),
    row("aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", "aten::add.Scalar_out",
        scaled_kernel<Add>, infer_scaled),
    row("aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", "aten::sub.out",
        scaled_kernel<Sub>, infer_sub),
    row("aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", "aten::sub.Scalar_out",
        scaled_kernel<Sub>, infer_sub),
    row("aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", "aten::rsub.Scalar_out",
        scaled_kernel<Rsub, true>, infer_sub),
    row("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", "aten::mul.out", same_type_kernel<Mul>),
    row("aten::mul.Scalar(Tensor self, Scalar other) -> Tensor", "aten::mul.Scalar_out",
        same_type_kernel<Mul>),
    row("aten::div.Tensor(Tensor self, Tensor other) -> Tensor", "aten::div.out", divide,
        infer_broadcast_float),
    row("aten::div.Scalar(Tensor self, Scalar other) -> Tensor", "aten::div.Scalar_out", divide,
        infer_broadcast_float),
    row("aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor",
        "aten::div.out_mode", divide_by_mode, infer_divide_by_mode),
    row("aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor",
        "aten::div.Scalar_mode_out", divide_by_mode, infer_divide_by_mode),
    row("aten::floor_divide(Tensor self, Tensor other) -> Tensor", "aten::floor_divide.out", kFloorDivide),
    row("aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", "aten::fmod.Tensor_out", kFmod),
    row("aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor", "aten::fmod.Scalar_out", kFmod),
    row("aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor", "aten::remainder.Tensor_out",
        kRemainder),
    row("aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor", "aten::remainder.Scalar_out",
        kRemainder),
    row("aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor", "aten::pow.Scalar_out", power_kernel),
    row("aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", "aten::pow.Tensor_Scalar_out",
        power_kernel, infer_power_of_tensor),
    row("aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", "aten::pow.Tensor_Tensor_out",
        power_kernel),
    row("aten::maximum(Tensor self, Tensor other) -> Tensor", "aten::maximum.out", same_type_kernel<Maximum>),
    row("aten::minimum(Tensor self, Tensor other) -> Tensor", "aten::minimum.out", same_type_kernel<Minimum>),
    row("aten::atan2(Tensor self, Tensor other) -> Tensor", "aten::atan2.out", atan2_kernel,
        infer_broadcast_float),
};

}  // namespace

extern constinit const OpFamily kElementwiseBinaryOps{kRows};

}  // namespace etalon::ops
