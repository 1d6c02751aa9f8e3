// Arithmetic of two operands, either of which may be a plain number, and what is made of it.
#include <cmath>
#include <limits>
#include <numbers>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

bool is_tensor(Lowering& lo, const Arg& arg) {
  const auto* id = std::get_if<ValueId>(&arg);
  return id != nullptr && *id != ir::kNoValue && lo.graph()[*id].is_tensor();
}

// The operand in the place of a tensor; a number becomes a rank-0 literal that suits `other`.
Arg tensor_of(Lowering& lo, const Arg& arg, const Arg& other) {
  return is_tensor(lo, arg) ? arg : Arg{lo.wrapped(arg, std::get<ValueId>(other))};
}

void want_a_tensor(Lowering& lo, const Args& a) {
  if (!is_tensor(lo, a[0]) && !is_tensor(lo, a[1])) refuse_input("wants a tensor among its arguments");
}

// "aten::add" with the overload that suits the operands. Numbers on the left change sides.
ValueId commutative(Lowering& lo, const std::string& name, const Args& a) {
  want_a_tensor(lo, a);
  if (!is_tensor(lo, a[1])) return lo.op(name + ".Scalar", a[0], a[1]);
  if (!is_tensor(lo, a[0])) return lo.op(name + ".Scalar", a[1], a[0]);
  return lo.op(name + ".Tensor", a[0], a[1]);
}

ValueId with_scalar_form(Lowering& lo, const std::string& name, const Args& a) {
  want_a_tensor(lo, a);
  if (!is_tensor(lo, a[1])) return lo.op(name + ".Scalar", a[0], a[1]);
  return lo.op(name + ".Tensor", tensor_of(lo, a[0], a[1]), a[1]);
}

ValueIds mul(Lowering& lo, const Args& a) { return {commutative(lo, "aten::mul", a)}; }
ValueIds bitwise_and(Lowering& lo, const Args& a) { return {commutative(lo, "aten::bitwise_and", a)}; }
ValueIds bitwise_or(Lowering& lo, const Args& a) { return {commutative(lo, "aten::bitwise_or", a)}; }
ValueIds bitwise_xor(Lowering& lo, const Args& a) { return {commutative(lo, "aten::bitwise_xor", a)}; }
ValueIds div(Lowering& lo, const Args& a) { return {with_scalar_form(lo, "aten::div", a)}; }
ValueIds fmod(Lowering& lo, const Args& a) { return {with_scalar_form(lo, "aten::fmod", a)}; }
ValueIds remainder(Lowering& lo, const Args& a) { return {with_scalar_form(lo, "aten::remainder", a)}; }

ValueIds add(Lowering& lo, const Args& a) {
  want_a_tensor(lo, a);
  if (!is_tensor(lo, a[1])) return {lo.op("aten::add.Scalar", a[0], a[1], a[2])};
  const bool unit = a.is_number(2) && a.number(2) == 1.0;
  if (!is_tensor(lo, a[0]) && unit) return {lo.op("aten::add.Scalar", a[1], a[0])};
  return {lo.op("aten::add.Tensor", tensor_of(lo, a[0], a[1]), a[1], a[2])};
}

ValueIds rsub(Lowering& lo, const Args& a);

ValueIds sub(Lowering& lo, const Args& a) {
  want_a_tensor(lo, a);
  if (!is_tensor(lo, a[1])) return {lo.op("aten::sub.Scalar", a[0], a[1], a[2])};
  return {lo.op("aten::sub.Tensor", tensor_of(lo, a[0], a[1]), a[1], a[2])};
}

// other - alpha * self
ValueIds rsub(Lowering& lo, const Args& a) {
  return {lo.op("aten::sub.Tensor", tensor_of(lo, a[1], a[0]), a[0], a[2])};
}

ValueIds div_mode(Lowering& lo, const Args& a) {
  want_a_tensor(lo, a);
  const bool scalar = !is_tensor(lo, a[1]);
  if (!a.has(2)) return div(lo, a);
  if (scalar) return {lo.op("aten::div.Scalar_mode", a[0], a[1], a[2])};
  return {lo.op("aten::div.Tensor_mode", tensor_of(lo, a[0], a[1]), a[1], a[2])};
}

ValueIds floor_divide(Lowering& lo, const Args& a) {
  want_a_tensor(lo, a);
  return {lo.op("aten::floor_divide", tensor_of(lo, a[0], a[1]), tensor_of(lo, a[1], a[0]))};
}

ValueIds pow(Lowering& lo, const Args& a) {
  want_a_tensor(lo, a);
  if (!is_tensor(lo, a[0])) return {lo.op("aten::pow.Scalar", a[0], a[1])};
  if (is_tensor(lo, a[1])) return {lo.op("aten::pow.Tensor_Tensor", a[0], a[1])};
  // Squares are everywhere (norms), and powf is slow.
  if (a.is_number(1) && a.number(1) == 2.0 && is_floating(lo.dtype(a.tensor(0))))
    return {lo.mul(a.tensor(0), a.tensor(0))};
  return {lo.op("aten::pow.Tensor_Scalar", a[0], a[1])};
}

ValueId times(Lowering& lo, ValueId x, const Args& a, std::size_t value) {
  if (a.is_number(value) && a.number(value) == 1.0) return x;
  return lo.op("aten::mul.Scalar", x, a[value]);
}

ValueIds addcmul(Lowering& lo, const Args& a) {
  return {lo.add(a.tensor(0), times(lo, lo.mul(a.tensor(1), a.tensor(2)), a, 3))};
}
ValueIds addcdiv(Lowering& lo, const Args& a) {
  return {lo.add(a.tensor(0), times(lo, lo.div(a.tensor(1), a.tensor(2)), a, 3))};
}

ValueIds lerp_scalar(Lowering& lo, const Args& a) {
  return {lo.add(a.tensor(0), lo.op("aten::mul.Scalar", lo.sub(a.tensor(1), a.tensor(0)), a[2]))};
}
ValueIds lerp_tensor(Lowering& lo, const Args& a) {
  return {lo.add(a.tensor(0), lo.mul(a.tensor(2), lo.sub(a.tensor(1), a.tensor(0))))};
}

ValueIds square(Lowering& lo, const Args& a) { return {lo.mul(a.tensor(0), a.tensor(0))}; }
ValueIds frac(Lowering& lo, const Args& a) { return {lo.sub(a.tensor(0), lo.op("aten::trunc", a[0]))}; }
ValueIds sgn(Lowering& lo, const Args& a) { return {lo.op("aten::sign", a[0])}; }
ValueIds fix(Lowering& lo, const Args& a) { return {lo.op("aten::trunc", a[0])}; }
ValueIds arctan2(Lowering& lo, const Args& a) { return {lo.op("aten::atan2", a[0], a[1])}; }
ValueIds absolute(Lowering& lo, const Args& a) { return {lo.op("aten::abs", a[0])}; }
ValueIds negative(Lowering& lo, const Args& a) { return {lo.op("aten::neg", a[0])}; }
ValueIds expit(Lowering& lo, const Args& a) { return {lo.op("aten::sigmoid", a[0])}; }
ValueIds special_erf(Lowering& lo, const Args& a) { return {lo.op("aten::erf", a[0])}; }
ValueIds exp2(Lowering& lo, const Args& a) { return {lo.op("aten::pow.Scalar", 2.0, a[0])}; }
ValueIds erfc(Lowering& lo, const Args& a) {
  return {lo.add(lo.op("aten::neg", lo.op("aten::erf", a[0])), 1.0)};
}
ValueIds rad2deg(Lowering& lo, const Args& a) { return {lo.mul(a.tensor(0), 180.0 / std::numbers::pi)}; }
ValueIds deg2rad(Lowering& lo, const Args& a) { return {lo.mul(a.tensor(0), std::numbers::pi / 180.0)}; }

ValueIds max_other(Lowering& lo, const Args& a) { return {lo.op("aten::maximum", a[0], a[1])}; }
ValueIds min_other(Lowering& lo, const Args& a) { return {lo.op("aten::minimum", a[0], a[1])}; }

// max(a, b) + log1p(exp(-|a - b|)); where both are the same infinity their difference would be NaN.
ValueIds logaddexp(Lowering& lo, const Args& a) {
  const ValueId distance = lo.op("aten::abs", lo.sub(a.tensor(0), a.tensor(1)));
  const ValueId tail = lo.op("aten::log1p", lo.op("aten::exp", lo.op("aten::neg", distance)));
  const ValueId apart = lo.add(lo.op("aten::maximum", a[0], a[1]), tail);
  return {lo.where(lo.op("aten::eq.Tensor", a[0], a[1]), lo.add(a.tensor(0), std::numbers::ln2), apart)};
}

// |magnitude| with the sign of the other; minus zero counts as positive, as its sign is not visible to
// arithmetic.
ValueIds copysign(Lowering& lo, const Args& a) {
  const ValueId size = lo.op("aten::abs", a[0]);
  return {lo.where(lo.op("aten::lt.Scalar", a[1], 0), lo.op("aten::neg", size), size)};
}

// NaN loses against a number.
ValueId but_nan(Lowering& lo, const Args& a, std::string_view op) {
  const ValueId x = a.tensor(0);
  const ValueId y = a.tensor(1);
  const ValueId chosen = lo.op(op, x, y);
  return lo.where(lo.op("aten::isnan", x), y, lo.where(lo.op("aten::isnan", y), x, chosen));
}
ValueIds fmax(Lowering& lo, const Args& a) { return {but_nan(lo, a, "aten::maximum")}; }
ValueIds fmin(Lowering& lo, const Args& a) { return {but_nan(lo, a, "aten::minimum")}; }

ValueIds heaviside(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId step = lo.cast(lo.op("aten::gt.Scalar", x, 0), lo.dtype(x));
  return {lo.where(lo.op("aten::eq.Scalar", x, 0), a.tensor(1), step)};
}

ValueIds ldexp(Lowering& lo, const Args& a) {
  return {lo.mul(a.tensor(0), lo.op("aten::pow.Scalar", 2.0, a[1]))};
}

// sin(pi x) / (pi x), one at zero
ValueIds sinc(Lowering& lo, const Args& a) {
  const ValueId angle = lo.mul(a.tensor(0), std::numbers::pi);
  const ValueId one = lo.scalar(1, lo.dtype(angle));
  return {lo.where(lo.op("aten::eq.Scalar", a[0], 0), one, lo.div(lo.op("aten::sin", angle), angle))};
}

ValueIds hypot(Lowering& lo, const Args& a) {
  return {lo.op("aten::sqrt", lo.add(lo.mul(a.tensor(0), a.tensor(0)), lo.mul(a.tensor(1), a.tensor(1))))};
}

// Zero times anything is zero here, also where the logarithm is not finite.
ValueIds xlogy(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId product = lo.mul(x, lo.op("aten::log", a[1]));
  return {lo.where(lo.op("aten::eq.Scalar", x, 0), lo.scalar(0, lo.dtype(product)), product)};
}

double largest_of(DType dtype) {
  constexpr double kLargestHalf = 65504;                      // IEEE 754 binary16
  constexpr double kLargestBFloat16 = 3.3895313892515355e38;  // 0x7f7f
  if (dtype == DType::kFloat16) return kLargestHalf;
  if (dtype == DType::kBFloat16) return kLargestBFloat16;
  return dtype == DType::kFloat64 ? std::numeric_limits<double>::max()
                                  : static_cast<double>(std::numeric_limits<float>::max());
}

ValueIds nan_to_num(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  const DType dtype = lo.dtype(x);
  if (!is_floating(dtype)) return {x};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto replace = [&](ValueId where, double value) {
    return lo.where(where, lo.scalar(value, dtype), x);
  };
  x = replace(lo.op("aten::isnan", x), a.number_or(1, 0));
  x = replace(lo.op("aten::eq.Scalar", x, kInfinity), a.number_or(2, largest_of(dtype)));
  return {replace(lo.op("aten::eq.Scalar", x, -kInfinity), a.number_or(3, -largest_of(dtype)))};
}

ValueIds round_decimals(Lowering& lo, const Args& a) {
  const double scale = std::pow(10.0, static_cast<double>(a.integer(1)));
  return {lo.div(lo.op("aten::round", lo.mul(a.tensor(0), scale)), scale)};
}

template <bool kLeft>
ValueIds shift(Lowering& lo, const Args& a) {
  const std::string name = kLeft ? "aten::bitwise_left_shift" : "aten::bitwise_right_shift";
  if (is_floating(lo.dtype(a.tensor(0)))) refuse("shifting floats is not supported");
  return {lo.op(name + (is_tensor(lo, a[1]) ? ".Tensor" : ".Tensor_Scalar"), a[0], a[1])};
}

// max + log2(1 + 2^-distance)
ValueIds logaddexp2(Lowering& lo, const Args& a) {
  const ValueId distance = lo.op("aten::abs", lo.sub(a.tensor(0), a.tensor(1)));
  const ValueId share = lo.op("aten::pow.Scalar", 2.0, lo.op("aten::neg", distance));
  const ValueId apart =
      lo.add(lo.op("aten::maximum", a[0], a[1]), lo.div(lo.op("aten::log1p", share), std::numbers::ln2));
  return {lo.where(lo.op("aten::eq.Tensor", a[0], a[1]), lo.add(a.tensor(0), 1.0), apart)};
}

// -x log x, zero at zero and minus infinity below
ValueIds entr(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId inside = lo.op("aten::neg", lo.mul(x, lo.op("aten::log", x)));
  const ValueId at_zero = lo.where(lo.op("aten::eq.Scalar", x, 0), lo.scalar(0, lo.dtype(x)), inside);
  const ValueId lowest = lo.scalar(-std::numeric_limits<double>::infinity(), lo.dtype(x));
  return {lo.where(lo.op("aten::lt.Scalar", x, 0), lowest, at_zero)};
}
ValueIds xlog1py(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId product = lo.mul(x, lo.op("aten::log1p", a[1]));
  return {lo.where(lo.op("aten::eq.Scalar", x, 0), lo.scalar(0, lo.dtype(product)), product)};
}
ValueIds ndtr(Lowering& lo, const Args& a) {
  const ValueId erf = lo.op("aten::erf", lo.op("aten::mul.Scalar", a[0], std::numbers::sqrt2 / 2));
  return {lo.op("aten::mul.Scalar", lo.add(erf, 1.0), 0.5)};
}

// Below zero, or the zero whose reciprocal is.
ValueIds signbit(Lowering& lo, const Args& a) {
  const ValueId below = lo.op("aten::lt.Scalar", a[0], 0);
  if (!is_floating(lo.dtype(a.tensor(0)))) return {below};
  const ValueId turned = lo.op("aten::lt.Scalar", lo.op("aten::reciprocal", a[0]), 0);
  return {lo.op("aten::logical_or", below, turned)};
}

constexpr Rule kRows[] = {
    {"aten::__lshift__.Scalar(Tensor self, Scalar other) -> Tensor", shift<true>, true},
    {"aten::__lshift__.Tensor(Tensor self, Tensor other) -> Tensor", shift<true>, true},
    {"aten::__rshift__.Scalar(Tensor self, Scalar other) -> Tensor", shift<false>, true},
    {"aten::__rshift__.Tensor(Tensor self, Tensor other) -> Tensor", shift<false>, true},
    {"aten::logaddexp2(Tensor self, Tensor other) -> Tensor", logaddexp2},
    {"aten::special_entr(Tensor self) -> Tensor", entr},
    {"aten::special_xlog1py(Tensor self, Tensor other) -> Tensor", xlog1py},
    {"aten::special_ndtr(Tensor self) -> Tensor", ndtr},
    {"aten::special_logit(Tensor self, float? eps=None) -> Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds { return {lo.op("aten::logit", a[0], a[1])}; }},
    {"aten::signbit(Tensor self) -> Tensor", signbit},
    {"aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", add, true},
    {"aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub, true},
    {"aten::subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub, true},
    {"aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", rsub, true},
    {"aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", rsub, true},
    {"aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", mul, true},
    {"aten::multiply.Tensor(Tensor self, Tensor other) -> Tensor", mul, true},
    {"aten::div.Tensor(Tensor self, Tensor other) -> Tensor", div, true},
    {"aten::divide.Tensor(Tensor self, Tensor other) -> Tensor", div, true},
    {"aten::true_divide.Tensor(Tensor self, Tensor other) -> Tensor", div, true},
    {"aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", div_mode, true},
    {"aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", div_mode, true},
    {"aten::floor_divide(Tensor self, Tensor other) -> Tensor", floor_divide, true},
    {"aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor", floor_divide, true},
    {"aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", fmod, true},
    {"aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor", remainder, true},
    {"aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", remainder, true},
    {"aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", bitwise_and, true},
    {"aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", bitwise_or, true},
    {"aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor", bitwise_xor, true},
    {"aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise_and, true},
    {"aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise_or, true},
    {"aten::__xor__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise_xor, true},
    {"aten::__and__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise_and, true},
    {"aten::__or__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise_or, true},
    {"aten::__xor__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise_xor, true},
    {"aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", pow, true},
    {"aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", pow, true},
    {"aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcmul},
    {"aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcdiv},
    {"aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor", lerp_scalar},
    {"aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor", lerp_tensor},
    {"aten::square(Tensor self) -> Tensor", square},
    {"aten::frac(Tensor self) -> Tensor", frac},
    {"aten::sgn(Tensor self) -> Tensor", sgn},
    {"aten::fix(Tensor self) -> Tensor", fix},
    {"aten::arctan2(Tensor self, Tensor other) -> Tensor", arctan2},
    {"aten::absolute(Tensor self) -> Tensor", absolute},
    {"aten::negative(Tensor self) -> Tensor", negative},
    {"aten::special_expit(Tensor self) -> Tensor", expit},
    {"aten::special_erf(Tensor self) -> Tensor", special_erf},
    {"aten::exp2(Tensor self) -> Tensor", exp2},
    {"aten::special_exp2(Tensor self) -> Tensor", exp2},
    {"aten::erfc(Tensor self) -> Tensor", erfc},
    {"aten::special_erfc(Tensor self) -> Tensor", erfc},
    {"aten::rad2deg(Tensor self) -> Tensor", rad2deg},
    {"aten::deg2rad(Tensor self) -> Tensor", deg2rad},
    {"aten::max.other(Tensor self, Tensor other) -> Tensor", max_other},
    {"aten::min.other(Tensor self, Tensor other) -> Tensor", min_other},
    {"aten::logaddexp(Tensor self, Tensor other) -> Tensor", logaddexp},
    {"aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor", copysign},
    {"aten::fmax(Tensor self, Tensor other) -> Tensor", fmax},
    {"aten::fmin(Tensor self, Tensor other) -> Tensor", fmin},
    {"aten::heaviside(Tensor self, Tensor values) -> Tensor", heaviside},
    {"aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor", ldexp},
    {"aten::sinc(Tensor self) -> Tensor", sinc},
    {"aten::hypot(Tensor self, Tensor other) -> Tensor", hypot},
    {"aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor", xlogy},
    {"aten::special_xlogy(Tensor self, Tensor other) -> Tensor", xlogy},
    {"aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
     nan_to_num},
    {"aten::round.decimals(Tensor self, *, int decimals) -> Tensor", round_decimals},
};

}  // namespace

constinit const RuleFamily kArithmeticRules{kRows};

}  // namespace etalon::frontend
