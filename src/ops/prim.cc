// Operators on numbers, with Python's semantics, and the few operators on tensors that ExecuTorch programs
// call without a generated kernel. Numbers are results (call.out_value()), not tensors.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "ops/convert.h"
#include "ops/infer.h"
#include "ops/integer_math.h"

namespace etalon::ops {
namespace {

Status infer_number(const Call&, OutShapes&) { return {}; }

bool both_integers(const Scalar& a, const Scalar& b) {
  return a.category() != DTypeCategory::kFloating && b.category() != DTypeCategory::kFloating;
}
bool is_real(const Scalar& a) { return a.category() == DTypeCategory::kFloating; }

Value value_of(const Scalar& a) {
  switch (a.category()) {
    case DTypeCategory::kBool:
      return Value::of_bool(a.as_bool());
    case DTypeCategory::kIntegral:
      return Value::of_int(a.as_int());
    default:
      return Value::of_double(a.as_double());
  }
}

// -- Two numbers
// ------------------------------------------------------------------------------------------------------

using Binary = Result<Value> (*)(const Scalar& a, const Scalar& b);
using Unary = Result<Value> (*)(const Scalar& a);

template <Binary kFunction>
Status binary_kernel(const Call& call) {
  ETALON_TRY(call.out_value(), kFunction(call.scalar(0), call.scalar(1)));
  return {};
}
template <Unary kFunction>
Status unary_kernel(const Call& call) {
  ETALON_TRY(call.out_value(), kFunction(call.scalar(0)));
  return {};
}

Result<Value> add(const Scalar& a, const Scalar& b) {
  if (both_integers(a, b)) return Value::of_int(wrapping_add(a.as_int(), b.as_int()));
  return Value::of_double(a.as_double() + b.as_double());
}
Result<Value> sub(const Scalar& a, const Scalar& b) {
  if (both_integers(a, b)) return Value::of_int(wrapping_sub(a.as_int(), b.as_int()));
  return Value::of_double(a.as_double() - b.as_double());
}
Result<Value> mul(const Scalar& a, const Scalar& b) {
  if (both_integers(a, b)) return Value::of_int(wrapping_mul(a.as_int(), b.as_int()));
  return Value::of_double(a.as_double() * b.as_double());
}

Status require_divisor(const Scalar& b) {
  if (b.as_double() == 0) return invalid_input("division by zero");
  return {};
}
Result<Value> floordiv(const Scalar& a, const Scalar& b) {
  ETALON_CHECKED(require_divisor(b));
  if (both_integers(a, b)) return Value::of_int(floor_quotient(a.as_int(), b.as_int()));
  return Value::of_double(floor_quotient_real(a.as_double(), b.as_double()));
}
Result<Value> truediv(const Scalar& a, const Scalar& b) {
  ETALON_CHECKED(require_divisor(b));
  return Value::of_double(a.as_double() / b.as_double());
}
Result<Value> mod(const Scalar& a, const Scalar& b) {
  ETALON_CHECKED(require_divisor(b));
  if (both_integers(a, b)) return Value::of_int(floor_remainder(a.as_int(), b.as_int()));
  return Value::of_double(floor_remainder_real(a.as_double(), b.as_double()));
}

// -1, 0, 1, or 2 when a NaN makes every comparison false.
int order_of(const Scalar& a, const Scalar& b) {
  if (both_integers(a, b)) return (a.as_int() > b.as_int()) - (a.as_int() < b.as_int());
  const double x = a.as_double();
  const double y = b.as_double();
  if (std::isnan(x) || std::isnan(y)) return 2;
  return (x > y) - (x < y);
}
Result<Value> eq(const Scalar& a, const Scalar& b) { return Value::of_bool(order_of(a, b) == 0); }
Result<Value> ne(const Scalar& a, const Scalar& b) { return Value::of_bool(order_of(a, b) != 0); }
Result<Value> lt(const Scalar& a, const Scalar& b) { return Value::of_bool(order_of(a, b) == -1); }
Result<Value> gt(const Scalar& a, const Scalar& b) { return Value::of_bool(order_of(a, b) == 1); }
Result<Value> le(const Scalar& a, const Scalar& b) {
  return Value::of_bool(order_of(a, b) == -1 || order_of(a, b) == 0);
}
Result<Value> ge(const Scalar& a, const Scalar& b) {
  return Value::of_bool(order_of(a, b) == 1 || order_of(a, b) == 0);
}
Result<Value> sym_max(const Scalar& a, const Scalar& b) { return value_of(order_of(a, b) == -1 ? b : a); }
Result<Value> sym_min(const Scalar& a, const Scalar& b) { return value_of(order_of(a, b) == 1 ? b : a); }

// -- One number
// -------------------------------------------------------------------------------------------------------

Result<Value> neg(const Scalar& a) {
  if (is_real(a)) return Value::of_double(-a.as_double());
  return Value::of_int(wrapping_sub(std::int64_t{0}, a.as_int()));
}

Result<Value> to_integer(double x) {
  constexpr double kLimit = 9223372036854775808.0;
  if (!(x >= -kLimit && x < kLimit)) return invalid_input(fmt::format("{} does not fit an integer", x));
  return Value::of_int(static_cast<std::int64_t>(x));
}
Result<Value> ceil(const Scalar& a) {
  return is_real(a) ? to_integer(std::ceil(a.as_double())) : Value::of_int(a.as_int());
}
Result<Value> trunc(const Scalar& a) {
  return is_real(a) ? to_integer(std::trunc(a.as_double())) : Value::of_int(a.as_int());
}
Result<Value> round(const Scalar& a) {
  return is_real(a) ? to_integer(std::nearbyint(a.as_double())) : Value::of_int(a.as_int());
}
Result<Value> sym_float(const Scalar& a) { return Value::of_double(a.as_double()); }
Result<Value> sym_not(const Scalar& a) { return Value::of_bool(!a.as_bool()); }

Status sym_ite_kernel(const Call& call) {
  call.out_value() = value_of(call.scalar(0).as_bool() ? call.scalar(1) : call.scalar(2));
  return {};
}

// -- Numbers of tensors
// -----------------------------------------------------------------------------------------------

Status infer_sym_size(const Call& call, OutShapes&) {
  if (call.tensor(0).rank() == 0) return invalid_input("sym_size of a tensor without dims");
  ETALON_TRY([[maybe_unused]] const std::size_t dim, dim_of(call.integer(1), call.tensor(0).rank()));
  return {};
}

Status sym_size_kernel(const Call& call) {
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), call.tensor(0).rank()));
  call.out_value() = Value::of_int(call.tensor(0).size(dim));
  return {};
}

Status sym_numel_kernel(const Call& call) {
  call.out_value() = Value::of_int(call.tensor(0).numel());
  return {};
}

Status infer_item(const Call& call, OutShapes&) {
  if (call.tensor(0).numel() == 1) return {};
  return invalid_input(
      fmt::format("a tensor of sizes {} has no single value", to_string(call.tensor(0).sizes())));
}

Status item_kernel(const Call& call) {
  const TensorView& self = call.tensor(0);
  double real = 0;
  std::int64_t integer = 0;
  switch (category_of(self.dtype())) {
    case DTypeCategory::kFloating:
      convert_run(self.dtype(), self.data(), DType::kFloat64, &real, 1);
      call.out_value() = Value::of_double(real);
      return {};
    case DTypeCategory::kIntegral:
      convert_run(self.dtype(), self.data(), DType::kInt64, &integer, 1);
      call.out_value() = Value::of_int(integer);
      return {};
    case DTypeCategory::kBool:
      convert_run(self.dtype(), self.data(), DType::kInt64, &integer, 1);
      call.out_value() = Value::of_bool(integer != 0);
      return {};
  }
  return {};
}

// -- Tensors
// ----------------------------------------------------------------------------------------------------------

// One entry may be -1: what the others leave.
Result<Dims> viewed_sizes(std::span<const std::int64_t> wanted, std::int64_t count) {
  std::optional<std::size_t> open;
  Dims sizes;
  if (wanted.size() > kMaxRank)
    return invalid_input(fmt::format("view has {} dims, the limit is {}", wanted.size(), kMaxRank));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == -1 && open) return invalid_input("view has two sizes of -1");
    if (wanted[i] == -1) open = i;
    sizes.push_back(wanted[i] == -1 ? 1 : wanted[i]);
  }
  ETALON_TRY(sizes, make_dims(sizes.span()));
  const std::int64_t known = numel(sizes);
  if (open && known > 0 && count % known == 0) sizes[*open] = count / known;
  if (numel(sizes) != count) {
    return invalid_input(fmt::format("view of {} elements as {}", count, to_string(Dims(wanted))));
  }
  return sizes;
}

Status infer_et_view(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  ETALON_TRY(const Dims sizes, viewed_sizes(call.ints(1), self.numel()));
  return outs.set(0, self.dtype(), sizes);
}

// The result is the same memory: it keeps no bytes of its own, as in ExecuTorch.
Status et_view_kernel(const Call& call) {
  const TensorView& self = call.tensor(0);
  if (call.out().data() != self.data()) call.out().bind(self.data(), self.capacity_bytes());
  return {};
}

// Appends slices to a tensor one call after the other: copy_to[index] = copy_from, growing dim 0 to index
// + 1.
Status infer_et_copy_index(const Call& call, OutShapes&) {
  const TensorView& to = call.tensor(0);
  const TensorView& from = call.tensor(1);
  const bool same_slices = to.rank() == from.rank() + 1 && to.dtype() == from.dtype() && to.is_contiguous() &&
                           from.is_contiguous() &&
                           std::equal(from.sizes().begin(), from.sizes().end(), to.sizes().begin() + 1);
  if (same_slices && call.integer(2) >= 0) return {};
  return invalid_input(fmt::format("et_copy_index of {} into {} at {}", to_string(from.sizes()),
                                   to_string(to.sizes()), call.integer(2)));
}

Status et_copy_index_kernel(const Call& call) {
  TensorView& to = *call.arg(0).as_tensor();
  const TensorView& from = call.tensor(1);
  const std::int64_t index = call.integer(2);
  Dims sizes = to.sizes();
  sizes[0] = index + 1;
  ETALON_CHECKED(to.resize(sizes));
  std::memcpy(to.data_as<std::byte>() + static_cast<std::size_t>(index) * from.nbytes(), from.data(),
              from.nbytes());
  return {};
}

constexpr OpDef number_row(std::string_view schema, std::string_view out_name, KernelFn kernel,
                           std::string_view aliases = {}) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_number,
          .kernel = kernel,
          .traits = kPrim,
          .aliases = aliases};
}

constexpr OpDef kRows[] = {
    number_row("executorch_prim::add.Scalar(Scalar a, Scalar b) -> Scalar", "executorch_prim::add.Scalar",
               binary_kernel<add>, "_operator.add"),
    number_row("executorch_prim::sub.Scalar(Scalar a, Scalar b) -> Scalar", "executorch_prim::sub.Scalar",
               binary_kernel<sub>, "_operator.sub"),
    number_row("executorch_prim::mul.Scalar(Scalar a, Scalar b) -> Scalar", "executorch_prim::mul.Scalar",
               binary_kernel<mul>, "_operator.mul"),
    number_row("executorch_prim::floordiv.Scalar(Scalar a, Scalar b) -> Scalar",
               "executorch_prim::floordiv.Scalar", binary_kernel<floordiv>, "_operator.floordiv"),
    number_row("executorch_prim::floordiv.int(int a, int b) -> int", "executorch_prim::floordiv.int",
               binary_kernel<floordiv>),
    number_row("executorch_prim::truediv.Scalar(Scalar a, Scalar b) -> Scalar",
               "executorch_prim::truediv.Scalar", binary_kernel<truediv>, "_operator.truediv"),
    number_row("executorch_prim::mod.Scalar(SymInt a, SymInt b) -> SymInt", "executorch_prim::mod.Scalar",
               binary_kernel<mod>, "_operator.mod"),
    number_row("executorch_prim::mod.int(int a, int b) -> int", "executorch_prim::mod.int",
               binary_kernel<mod>),
    number_row("executorch_prim::eq.Scalar(Scalar a, Scalar b) -> bool", "executorch_prim::eq.Scalar",
               binary_kernel<eq>, "_operator.eq"),
    number_row("executorch_prim::ne.Scalar(Scalar a, Scalar b) -> bool", "executorch_prim::ne.Scalar",
               binary_kernel<ne>, "_operator.ne"),
    number_row("executorch_prim::lt.Scalar(Scalar a, Scalar b) -> bool", "executorch_prim::lt.Scalar",
               binary_kernel<lt>, "_operator.lt"),
    number_row("executorch_prim::le.Scalar(Scalar a, Scalar b) -> bool", "executorch_prim::le.Scalar",
               binary_kernel<le>, "_operator.le"),
    number_row("executorch_prim::gt.Scalar(Scalar a, Scalar b) -> bool", "executorch_prim::gt.Scalar",
               binary_kernel<gt>, "_operator.gt"),
    number_row("executorch_prim::ge.Scalar(Scalar a, Scalar b) -> bool", "executorch_prim::ge.Scalar",
               binary_kernel<ge>, "_operator.ge"),
    number_row("executorch_prim::sym_max.Scalar(Scalar a, Scalar b) -> Scalar",
               "executorch_prim::sym_max.Scalar", binary_kernel<sym_max>, "torch.sym_max"),
    number_row("executorch_prim::sym_min.Scalar(Scalar a, Scalar b) -> Scalar",
               "executorch_prim::sym_min.Scalar", binary_kernel<sym_min>, "torch.sym_min"),
    number_row("executorch_prim::neg.Scalar(Scalar a) -> Scalar", "executorch_prim::neg.Scalar",
               unary_kernel<neg>, "_operator.neg"),
    number_row("executorch_prim::ceil.Scalar(Scalar a) -> Scalar", "executorch_prim::ceil.Scalar",
               unary_kernel<ceil>, "math.ceil"),
    number_row("executorch_prim::round.Scalar(Scalar a) -> Scalar", "executorch_prim::round.Scalar",
               unary_kernel<round>, "builtins.round"),
    number_row("executorch_prim::trunc.Scalar(Scalar a) -> Scalar", "executorch_prim::trunc.Scalar",
               unary_kernel<trunc>, "math.trunc"),
    number_row("executorch_prim::sym_int.Scalar(Scalar a) -> Scalar", "executorch_prim::sym_int.Scalar",
               unary_kernel<trunc>, "torch.sym_int"),
    number_row("executorch_prim::sym_float.Scalar(Scalar a) -> Scalar", "executorch_prim::sym_float.Scalar",
               unary_kernel<sym_float>, "torch.sym_float"),
    number_row("executorch_prim::sym_not.Scalar(Scalar a) -> bool", "executorch_prim::sym_not.Scalar",
               unary_kernel<sym_not>, "torch.sym_not"),
    number_row("executorch_prim::sym_ite.Scalar(Scalar b, Scalar t, Scalar f) -> Scalar",
               "executorch_prim::sym_ite.Scalar", sym_ite_kernel, "torch.sym_ite"),
    {.schema = "aten::sym_size.int(Tensor self, int dim) -> SymInt",
     .out_name = "aten::sym_size.int",
     .infer = infer_sym_size,
     .kernel = sym_size_kernel,
     .traits = kPrim},
    {.schema = "aten::sym_numel(Tensor self) -> SymInt",
     .out_name = "aten::sym_numel",
     .infer = infer_number,
     .kernel = sym_numel_kernel,
     .traits = kPrim},
    {.schema = "aten::_local_scalar_dense(Tensor self) -> Scalar",
     .out_name = "aten::_local_scalar_dense",
     .infer = infer_item,
     .kernel = item_kernel,
     .traits = kPrim,
     .aliases = "aten::item"},
    {.schema = "executorch_prim::et_view.default(Tensor self, int[] size) -> Tensor",
     .out_name = "executorch_prim::et_view.default",
     .infer = infer_et_view,
     .kernel = et_view_kernel,
     .traits = kPrim | kSameElements},
    {.schema = "executorch_prim::et_copy_index.tensor(Tensor(a!) copy_to, Tensor copy_from, int index) -> "
               "Tensor(a!)",
     .out_name = "executorch_prim::et_copy_index.tensor",
     .infer = infer_et_copy_index,
     .kernel = et_copy_index_kernel,
     .traits = kPrim | kMutatesSelf},
};

}  // namespace

extern constinit const OpFamily kPrimOps{kRows};

}  // namespace etalon::ops
