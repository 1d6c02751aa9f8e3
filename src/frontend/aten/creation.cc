// Tensors from nothing. Constant folding turns the static ones into data.
#include <fmt/core.h>

#include <cmath>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

DType dtype_of_number(const Arg& number) {
  if (std::holds_alternative<double>(number)) return DType::kFloat32;
  return std::holds_alternative<bool>(number) ? DType::kBool : DType::kInt64;
}

ValueId full_of(Lowering& lo, const IntItems& sizes, const Arg& value, DType dtype) {
  return lo.op("aten::full", sizes, value, dtype);
}

ValueIds full(Lowering& lo, const Args& a) {
  return {full_of(lo, a.items(0), a[1], a.dtype_or(2, dtype_of_number(a[1])))};
}
ValueIds zeros(Lowering& lo, const Args& a) {
  return {full_of(lo, a.items(0), std::int64_t{0}, a.dtype_or(1, DType::kFloat32))};
}
ValueIds ones(Lowering& lo, const Args& a) {
  return {full_of(lo, a.items(0), std::int64_t{1}, a.dtype_or(1, DType::kFloat32))};
}

ValueIds new_full(Lowering& lo, const Args& a) {
  return {full_of(lo, a.items(1), a[2], a.dtype_or(3, lo.dtype(a.tensor(0))))};
}
ValueIds new_zeros(Lowering& lo, const Args& a) {
  return {full_of(lo, a.items(1), std::int64_t{0}, a.dtype_or(2, lo.dtype(a.tensor(0))))};
}
ValueIds new_ones(Lowering& lo, const Args& a) {
  return {full_of(lo, a.items(1), std::int64_t{1}, a.dtype_or(2, lo.dtype(a.tensor(0))))};
}

ValueId filled_like(Lowering& lo, ValueId x, const Arg& value, DType dtype) {
  if (lo.is_static(x)) return full_of(lo, lo.sizes(x), value, dtype);
  return lo.op("aten::full_like", x, value, dtype);
}
ValueIds full_like(Lowering& lo, const Args& a) {
  return {filled_like(lo, a.tensor(0), a[1], a.dtype_or(2, lo.dtype(a.tensor(0))))};
}
ValueIds zeros_like(Lowering& lo, const Args& a) {
  return {filled_like(lo, a.tensor(0), std::int64_t{0}, a.dtype_or(1, lo.dtype(a.tensor(0))))};
}
ValueIds ones_like(Lowering& lo, const Args& a) {
  return {filled_like(lo, a.tensor(0), std::int64_t{1}, a.dtype_or(1, lo.dtype(a.tensor(0))))};
}
ValueIds zero(Lowering& lo, const Args& a) {
  return {filled_like(lo, a.tensor(0), std::int64_t{0}, lo.dtype(a.tensor(0)))};
}
ValueIds fill(Lowering& lo, const Args& a) {
  return {filled_like(lo, a.tensor(0), a[1], lo.dtype(a.tensor(0)))};
}

ValueIds fill_tensor(Lowering& lo, const Args& a) {
  return {lo.expand(lo.cast(a.tensor(1), lo.dtype(a.tensor(0))), lo.sizes(a.tensor(0)))};
}

// The source broadcast to the destination, in its dtype.
ValueIds copy(Lowering& lo, const Args& a) {
  const ValueId source = lo.cast(a.tensor(1), lo.dtype(a.tensor(0)));
  return {lo.expand(source, lo.sizes(a.tensor(0)))};
}

ValueId arange_of(Lowering& lo, const Arg& start, const Arg& end, const Arg& step, const Args& a,
                  std::size_t dtype_at) {
  DType dtype = DType::kInt64;
  for (const Arg* arg : {&start, &end, &step}) {
    if (std::holds_alternative<double>(*arg)) dtype = DType::kFloat32;
    const auto* id = std::get_if<ValueId>(arg);
    if (id && *id != ir::kNoValue && lo.graph()[*id].number().kind == ir::NumberType::Kind::kFloat)
      dtype = DType::kFloat32;
  }
  dtype = a.dtype_or(dtype_at, dtype);
  return lo.op("aten::arange.start_step", start, end, step, dtype);
}
ValueIds arange(Lowering& lo, const Args& a) {
  return {arange_of(lo, std::int64_t{0}, a[0], std::int64_t{1}, a, 1)};
}
ValueIds arange_start(Lowering& lo, const Args& a) {
  return {arange_of(lo, a[0], a[1], std::int64_t{1}, a, 2)};
}
ValueIds arange_step(Lowering& lo, const Args& a) { return {arange_of(lo, a[0], a[1], a[2], a, 3)}; }

ValueIds linspace(Lowering& lo, const Args& a) {
  const double start = a.number(0);
  const double end = a.number(1);
  const std::int64_t steps = a.integer(2);
  constexpr std::int64_t kMaxSteps = 1 << 24;
  if (steps < 0 || steps > kMaxSteps) refuse_input(fmt::format("{} steps are not possible", steps));
  std::vector<float> values;
  // As torch: the second half is counted from the end, so that both ends are exact.
  const float step = steps > 1 ? static_cast<float>((end - start) / static_cast<double>(steps - 1)) : 0.0f;
  for (std::int64_t i = 0; i < steps; ++i) {
    const bool first_half = i < steps / 2;
    values.push_back(first_half ? static_cast<float>(start) + step * static_cast<float>(i)
                                : static_cast<float>(end) - step * static_cast<float>(steps - 1 - i));
  }
  if (steps == 1) values[0] = static_cast<float>(start);
  return {lo.constant(values, Dims{steps}, a.dtype_or(3, DType::kFloat32))};
}

ValueId eye_of(Lowering& lo, std::int64_t rows, std::int64_t columns, DType dtype) {
  constexpr std::int64_t kMaxSide = 1 << 14;
  if (rows < 0 || columns < 0 || rows > kMaxSide || columns > kMaxSide) {
    refuse_input(fmt::format("a matrix of {} by {} is not possible", rows, columns));
  }
  Ints values(static_cast<std::size_t>(rows * columns), 0);
  for (std::int64_t i = 0; i < std::min(rows, columns); ++i)
    values[static_cast<std::size_t>(i * columns + i)] = 1;
  return lo.constant(values, Dims{rows, columns}, dtype);
}
ValueIds eye(Lowering& lo, const Args& a) {
  return {eye_of(lo, a.integer(0), a.integer(0), a.dtype_or(1, DType::kFloat32))};
}
ValueIds eye_m(Lowering& lo, const Args& a) {
  return {eye_of(lo, a.integer(0), a.integer(1), a.dtype_or(2, DType::kFloat32))};
}

// indices[..., None] == arange(classes)
ValueIds one_hot(Lowering& lo, const Args& a) {
  const std::int64_t classes = a.integer(1);
  if (classes < 0)
    refuse("one_hot without num_classes depends on the values of its input, which is not supported");
  const ValueId numbers = lo.op("aten::arange.start_step", 0, classes, 1, DType::kInt64);
  return {lo.cast(lo.op("aten::eq.Tensor", lo.unsqueeze(a.tensor(0), -1), numbers), DType::kInt64)};
}

ValueIds scalar_tensor(Lowering& lo, const Args& a) {
  const DType dtype = a.dtype_or(1, a.is_number(0) ? dtype_of_number(a[0]) : DType::kInt64);
  if (a.is_number(0)) return {lo.scalar(a.number(0), dtype)};
  return {lo.op("aten::scalar_tensor", a[0], dtype)};
}

// row + diagonal >= column keeps an element in the lower triangle.
ValueIds triu(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const DType dtype = lo.dtype(x);
  const ValueId below = lo.op("aten::tril", x, a.integer(1) - 1);
  if (dtype == DType::kBool) return {lo.op("aten::logical_xor", x, below)};
  if (!is_floating(dtype)) return {lo.sub(x, below)};
  // Subtracting would turn infinities above the diagonal into NaN.
  const std::size_t rank = lo.rank(x);
  const ValueId ones = full_of(lo, {lo.size(x, rank - 2), lo.size(x, rank - 1)}, true, DType::kBool);
  return {lo.where(lo.op("aten::tril", ones, a.integer(1) - 1), lo.scalar(0, dtype), x)};
}

constexpr Rule kRows[] = {
    {"aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     full},
    {"aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) "
     "-> Tensor",
     zeros},
    {"aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) "
     "-> Tensor",
     ones},
    {"aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     zeros},
    {"aten::empty_permuted(SymInt[] size, int[] physical_layout, *, ScalarType? dtype=None, Layout? "
     "layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds {
       return {full_of(lo, a.items(0), std::int64_t{0}, a.dtype_or(2, DType::kFloat32))};
     }},
    {"aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? "
     "layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     new_full},
    {"aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     new_zeros},
    {"aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     new_ones},
    {"aten::new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     new_zeros},
    {"aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? device=None, "
     "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     full_like},
    {"aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None, "
     "MemoryFormat? memory_format=None) -> Tensor",
     zeros_like},
    {"aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None, "
     "MemoryFormat? memory_format=None) -> Tensor",
     ones_like},
    {"aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None, "
     "MemoryFormat? memory_format=None) -> Tensor",
     zeros_like},
    {"aten::zero(Tensor self) -> Tensor", zero},
    {"aten::fill.Scalar(Tensor self, Scalar value) -> Tensor", fill},
    {"aten::fill.Tensor(Tensor self, Tensor value) -> Tensor", fill_tensor},
    {"aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", copy},
    {"aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) "
     "-> Tensor",
     arange},
    {"aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     arange_start},
    {"aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? "
     "layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     arange_step},
    {"aten::linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     linspace},
    {"aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     eye},
    {"aten::eye.m(SymInt n, SymInt m, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) "
     "-> Tensor",
     eye_m},
    {"aten::one_hot(Tensor self, int num_classes=-1) -> Tensor", one_hot},
    {"aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) "
     "-> Tensor",
     scalar_tensor},
    {"aten::triu(Tensor self, SymInt diagonal=0) -> Tensor", triu},
};

}  // namespace

constinit const RuleFamily kCreationRules{kRows};

}  // namespace etalon::frontend
