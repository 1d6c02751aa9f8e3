// Operators of one tensor that work element by element.
#include <cmath>
#include <numbers>

#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/promotion.h"
#include "ops/vector_math.h"

namespace etalon::ops {
namespace {

// Functions of real numbers. Integers are converted to float first.
struct Sqrt {
  template <class T>
  T operator()(T x) const {
    return std::sqrt(x);
  }
};
struct Rsqrt {
  template <class T>
  T operator()(T x) const {
    return T(1) / std::sqrt(x);
  }
};
struct Reciprocal {
  template <class T>
  T operator()(T x) const {
    return T(1) / x;
  }
};
struct Log {
  template <class T>
  T operator()(T x) const {
    return std::log(x);
  }
};
struct Log10 {
  template <class T>
  T operator()(T x) const {
    return std::log10(x);
  }
};
struct Log1p {
  template <class T>
  T operator()(T x) const {
    return std::log1p(x);
  }
};
struct Log2 {
  template <class T>
  T operator()(T x) const {
    return std::log2(x);
  }
};
struct Sin {
  template <class T>
  T operator()(T x) const {
    return std::sin(x);
  }
};
struct Cos {
  template <class T>
  T operator()(T x) const {
    return std::cos(x);
  }
};
struct Tan {
  template <class T>
  T operator()(T x) const {
    return std::tan(x);
  }
};
struct Asin {
  template <class T>
  T operator()(T x) const {
    return std::asin(x);
  }
};
struct Acos {
  template <class T>
  T operator()(T x) const {
    return std::acos(x);
  }
};
struct Atan {
  template <class T>
  T operator()(T x) const {
    return std::atan(x);
  }
};
struct Sinh {
  template <class T>
  T operator()(T x) const {
    return std::sinh(x);
  }
};
struct Cosh {
  template <class T>
  T operator()(T x) const {
    return std::cosh(x);
  }
};
struct Asinh {
  template <class T>
  T operator()(T x) const {
    return std::asinh(x);
  }
};
struct Acosh {
  template <class T>
  T operator()(T x) const {
    return std::acosh(x);
  }
};
struct Atanh {
  template <class T>
  T operator()(T x) const {
    return std::atanh(x);
  }
};
struct Exp {
  float operator()(float x) const { return exp_f32(x); }
  double operator()(double x) const { return std::exp(x); }
};
struct Expm1 {
  float operator()(float x) const { return expm1_f32(x); }
  double operator()(double x) const { return std::expm1(x); }
};
struct Erf {
  float operator()(float x) const { return erf_f32(x); }
  double operator()(double x) const { return std::erf(x); }
};
struct Tanh {
  float operator()(float x) const { return tanh_f32(x); }
  double operator()(double x) const { return std::tanh(x); }
};
struct Sigmoid {
  float operator()(float x) const { return sigmoid_f32(x); }
  double operator()(double x) const { return 1.0 / (1.0 + std::exp(-x)); }
};

template <class Function>
Status real_kernel(const Call& call) {
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(call.tensor(0), call.out(), Function{});
  });
}

// Functions that keep the dtype. Arithmetic on signed integers wraps.
template <class T>
T negated(T x) {
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>)
    return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  else
    return static_cast<T>(-x);
}
struct Neg {
  template <class T>
  T operator()(T x) const {
    return negated(x);
  }
};
struct Abs {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::fabs(x);
    else if constexpr (std::is_signed_v<T>)
      return x < 0 ? negated(x) : x;
    else
      return x;
  }
};
struct Sign {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>((x > T(0)) - (x < T(0)));
  }
};
struct Relu {
  template <class T>
  T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};  // NaN stays
struct Same {
  template <class T>
  T operator()(T x) const {
    return x;
  }
};
struct Floor {
  template <class T>
  T operator()(T x) const {
    return x;
  }
  float operator()(float x) const { return floor_f32(x); }
  double operator()(double x) const { return std::floor(x); }
};
struct Ceil {
  template <class T>
  T operator()(T x) const {
    return x;
  }
  float operator()(float x) const { return ceil_f32(x); }
  double operator()(double x) const { return std::ceil(x); }
};
struct Round {
  template <class T>
  T operator()(T x) const {
    return x;
  }
  float operator()(float x) const { return round_even_f32(x); }
  double operator()(double x) const { return std::nearbyint(x); }
};
struct Trunc {
  template <class T>
  T operator()(T x) const {
    return x;
  }
  float operator()(float x) const { return trunc_f32(x); }
  double operator()(double x) const { return std::trunc(x); }
};

template <class Function>
Status same_type_kernel(const Call& call) {
  return visit_computed(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(call.tensor(0), call.out(), Function{});
  });
}

struct BitwiseNot {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(~x);
  }
  bool operator()(bool x) const { return !x; }
};

Status bitwise_not_kernel(const Call& call) {
  return visit_computed(call.tensor(0).dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>)
      return map<T, T>(call.tensor(0), call.out(), BitwiseNot{});
    else
      return unsupported("bitwise_not of a floating tensor");
  });
}

Status infer_bitwise_not(const Call& call, OutShapes& outs) {
  if (is_floating(call.tensor(0).dtype()))
    return invalid_input("bitwise_not wants an integer or bool tensor");
  return infer_same_as(call, outs);
}

Status infer_not_bool(const Call& call, OutShapes& outs) {
  if (call.tensor(0).dtype() == DType::kBool) return unsupported("dtype bool, want a number");
  return infer_same_as(call, outs);
}

// Questions with the answer bool.
struct LogicalNot {
  bool operator()(bool x) const { return x != true; }
};
struct IsNan {
  template <class T>
  bool operator()(T x) const {
    return x != x;
  }
};
struct IsInf {
  template <class T>
  bool operator()(T x) const {
    return std::fabs(x) == std::numeric_limits<T>::infinity();
  }
};

Status logical_not_kernel(const Call& call) {
  return map<bool, bool>(call.tensor(0), call.out(), LogicalNot{});
}

template <class Function>
Status real_question_kernel(const Call& call) {
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, bool>(call.tensor(0), call.out(), Function{});
  });
}

// log(x / (1 - x)), with x limited to [eps, 1 - eps] if there is an eps.
Status logit_kernel(const Call& call) {
  const double eps = call.optional_number(1).value_or(-1.0);
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const bool limited = eps >= 0;
    const T low = static_cast<T>(eps);
    const T high = T(1) - low;
    return map<T, T>(call.tensor(0), call.out(), [=](T x) {
      const T z = !limited ? x : x < low ? low : x > high ? high : x;
      return std::log(z / (T(1) - z));
    });
  });
}

constexpr OpDef real_row(std::string_view schema, std::string_view out_name, KernelFn kernel,
                         Tolerance tolerance = {}) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_same_as_float,
          .kernel = kernel,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput,
          .tolerance = tolerance};
}
constexpr OpDef same_row(std::string_view schema, std::string_view out_name, KernelFn kernel,
                         InferFn infer = infer_same_as) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer,
          .kernel = kernel,
          .flops = flops_per_element,
          .traits = kElementwise};
}
constexpr OpDef bool_row(std::string_view schema, std::string_view out_name, KernelFn kernel) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_same_as_bool,
          .kernel = kernel,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput};
}

constexpr OpDef kRows[] = {
    real_row("aten::sqrt(Tensor self) -> Tensor", "aten::sqrt.out", real_kernel<Sqrt>),
    real_row("aten::rsqrt(Tensor self) -> Tensor", "aten::rsqrt.out", real_kernel<Rsqrt>),
    real_row("aten::reciprocal(Tensor self) -> Tensor", "aten::reciprocal.out", real_kernel<Reciprocal>),
    real_row("aten::exp(Tensor self) -> Tensor", "aten::exp.out", real_kernel<Exp>),
    real_row("aten::expm1(Tensor self) -> Tensor", "aten::expm1.out", real_kernel<Expm1>),
    real_row("aten::log(Tensor self) -> Tensor", "aten::log.out", real_kernel<Log>),
    real_row("aten::log10(Tensor self) -> Tensor", "aten::log10.out", real_kernel<Log10>),
    real_row("aten::log1p(Tensor self) -> Tensor", "aten::log1p.out", real_kernel<Log1p>),
    real_row("aten::log2(Tensor self) -> Tensor", "aten::log2.out", real_kernel<Log2>),
    real_row("aten::sin(Tensor self) -> Tensor", "aten::sin.out", real_kernel<Sin>),
    real_row("aten::cos(Tensor self) -> Tensor", "aten::cos.out", real_kernel<Cos>),
    real_row("aten::tan(Tensor self) -> Tensor", "aten::tan.out", real_kernel<Tan>),
    real_row("aten::asin(Tensor self) -> Tensor", "aten::asin.out", real_kernel<Asin>),
    real_row("aten::acos(Tensor self) -> Tensor", "aten::acos.out", real_kernel<Acos>),
    real_row("aten::atan(Tensor self) -> Tensor", "aten::atan.out", real_kernel<Atan>),
    real_row("aten::sinh(Tensor self) -> Tensor", "aten::sinh.out", real_kernel<Sinh>),
    real_row("aten::cosh(Tensor self) -> Tensor", "aten::cosh.out", real_kernel<Cosh>),
    real_row("aten::asinh(Tensor self) -> Tensor", "aten::asinh.out", real_kernel<Asinh>),
    real_row("aten::acosh(Tensor self) -> Tensor", "aten::acosh.out", real_kernel<Acosh>),
    real_row("aten::atanh(Tensor self) -> Tensor", "aten::atanh.out", real_kernel<Atanh>),
    real_row("aten::erf(Tensor self) -> Tensor", "aten::erf.out", real_kernel<Erf>),
    real_row("aten::tanh(Tensor self) -> Tensor", "aten::tanh.out", real_kernel<Tanh>),
    real_row("aten::sigmoid(Tensor self) -> Tensor", "aten::sigmoid.out", real_kernel<Sigmoid>),
    real_row("aten::logit(Tensor self, float? eps=None) -> Tensor", "aten::logit.out", logit_kernel),
    same_row("aten::neg(Tensor self) -> Tensor", "aten::neg.out", same_type_kernel<Neg>, infer_not_bool),
    same_row("aten::abs(Tensor self) -> Tensor", "aten::abs.out", same_type_kernel<Abs>),
    same_row("aten::sign(Tensor self) -> Tensor", "aten::sign.out", same_type_kernel<Sign>),
    same_row("aten::relu(Tensor self) -> Tensor", "aten::relu.out", same_type_kernel<Relu>, infer_not_bool),
    same_row("aten::floor(Tensor self) -> Tensor", "aten::floor.out", same_type_kernel<Floor>),
    same_row("aten::ceil(Tensor self) -> Tensor", "aten::ceil.out", same_type_kernel<Ceil>),
    same_row("aten::round(Tensor self) -> Tensor", "aten::round.out", same_type_kernel<Round>),
    same_row("aten::trunc(Tensor self) -> Tensor", "aten::trunc.out", same_type_kernel<Trunc>),
    same_row("aten::_conj_physical(Tensor self) -> Tensor", "aten::_conj_physical.out",
             same_type_kernel<Same>),
    same_row("aten::bitwise_not(Tensor self) -> Tensor", "aten::bitwise_not.out", bitwise_not_kernel,
             infer_bitwise_not),
    bool_row("aten::isnan(Tensor self) -> Tensor", "aten::isnan.out", real_question_kernel<IsNan>),
    bool_row("aten::isinf(Tensor self) -> Tensor", "aten::isinf.out", real_question_kernel<IsInf>),
    bool_row("aten::logical_not(Tensor self) -> Tensor", "aten::logical_not.out", logical_not_kernel),
};

}  // namespace

extern constinit const OpFamily kElementwiseUnaryOps{kRows};

}  // namespace etalon::ops
