// Comparisons, logic and selection by a condition.
#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

bool is_tensor(Lowering& lo, const Arg& arg) {
  const auto* id = std::get_if<ValueId>(&arg);
  return id != nullptr && *id != ir::kNoValue && lo.graph()[*id].is_tensor();
}

// "aten::eq" against a tensor or a number.
ValueIds compare(Lowering& lo, const std::string& name, const Args& a) {
  if (is_tensor(lo, a[1])) return {lo.op(name + ".Tensor", a[0], a[1])};
  return {lo.op(name + ".Scalar", a[0], a[1])};
}
ValueIds eq(Lowering& lo, const Args& a) { return compare(lo, "aten::eq", a); }
ValueIds ne(Lowering& lo, const Args& a) { return compare(lo, "aten::ne", a); }
ValueIds lt(Lowering& lo, const Args& a) { return compare(lo, "aten::lt", a); }
ValueIds le(Lowering& lo, const Args& a) { return compare(lo, "aten::le", a); }
ValueIds gt(Lowering& lo, const Args& a) { return compare(lo, "aten::gt", a); }
ValueIds ge(Lowering& lo, const Args& a) { return compare(lo, "aten::ge", a); }

DType dtype_of_number(const Arg& number) {
  if (std::holds_alternative<double>(number)) return DType::kFloat32;
  return std::holds_alternative<bool>(number) ? DType::kBool : DType::kInt64;
}

ValueId literal(Lowering& lo, const Args& a, std::size_t i, DType dtype) {
  return lo.scalar(a.number(i), dtype);
}

ValueIds where_scalar_self(Lowering& lo, const Args& a) {
  return {lo.where(a.tensor(0), lo.wrapped(a[1], a.tensor(2)), a.tensor(2))};
}
ValueIds where_scalar_other(Lowering& lo, const Args& a) {
  return {lo.where(a.tensor(0), a.tensor(1), lo.wrapped(a[2], a.tensor(1)))};
}
ValueIds where_scalar(Lowering& lo, const Args& a) {
  const DType dtype = promote_types(dtype_of_number(a[1]), dtype_of_number(a[2]));
  return {lo.where(a.tensor(0), literal(lo, a, 1, dtype), literal(lo, a, 2, dtype))};
}

ValueIds masked_fill_tensor(Lowering& lo, const Args& a) {
  return {lo.where(a.tensor(1), lo.cast(a.tensor(2), lo.dtype(a.tensor(0))), a.tensor(0))};
}

ValueIds isfinite(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId bad = lo.op("aten::logical_or", lo.op("aten::isinf", x), lo.op("aten::isnan", x));
  return {lo.op("aten::logical_not", bad)};
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
ValueIds isposinf(Lowering& lo, const Args& a) { return {lo.op("aten::eq.Scalar", a[0], kInfinity)}; }
ValueIds isneginf(Lowering& lo, const Args& a) { return {lo.op("aten::eq.Scalar", a[0], -kInfinity)}; }

// |a - b| <= atol + rtol * |b|, or equal (which covers infinities)
ValueIds isclose(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId y = a.tensor(1);
  const ValueId bound = lo.add(lo.mul(lo.op("aten::abs", y), a.number(2)), a.number(3));
  const ValueId distance = lo.op("aten::abs", lo.sub(x, y));
  const ValueId near = lo.op("aten::logical_and", lo.op("aten::le.Tensor", distance, bound),
                             lo.op("aten::lt.Scalar", distance, kInfinity));
  ValueId close = lo.op("aten::logical_or", near, lo.op("aten::eq.Tensor", x, y));
  if (a.flag(4)) {
    close = lo.op("aten::logical_or", close,
                  lo.op("aten::logical_and", lo.op("aten::isnan", x), lo.op("aten::isnan", y)));
  }
  return {close};
}

constexpr Rule kRows[] = {
    {"aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", eq, true},
    {"aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", ne, true},
    {"aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", lt, true},
    {"aten::le.Tensor(Tensor self, Tensor other) -> Tensor", le, true},
    {"aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", gt, true},
    {"aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", ge, true},
    {"aten::not_equal.Tensor(Tensor self, Tensor other) -> Tensor", ne, true},
    {"aten::not_equal.Scalar(Tensor self, Scalar other) -> Tensor", ne, true},
    {"aten::less.Tensor(Tensor self, Tensor other) -> Tensor", lt, true},
    {"aten::less.Scalar(Tensor self, Scalar other) -> Tensor", lt, true},
    {"aten::less_equal.Tensor(Tensor self, Tensor other) -> Tensor", le, true},
    {"aten::less_equal.Scalar(Tensor self, Scalar other) -> Tensor", le, true},
    {"aten::greater.Tensor(Tensor self, Tensor other) -> Tensor", gt, true},
    {"aten::greater.Scalar(Tensor self, Scalar other) -> Tensor", gt, true},
    {"aten::greater_equal.Tensor(Tensor self, Tensor other) -> Tensor", ge, true},
    {"aten::greater_equal.Scalar(Tensor self, Scalar other) -> Tensor", ge, true},
    {"aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor", where_scalar_self},
    {"aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor", where_scalar_other},
    {"aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor", where_scalar},
    {"aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", masked_fill_tensor},
    {"aten::isfinite(Tensor self) -> Tensor", isfinite},
    {"aten::isposinf(Tensor self) -> Tensor", isposinf},
    {"aten::isneginf(Tensor self) -> Tensor", isneginf},
    {"aten::isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> "
     "Tensor",
     isclose},
};

}  // namespace

constinit const RuleFamily kComparisonRules{kRows};

}  // namespace etalon::frontend
