// Operators that make a tensor from numbers: full, zeros, arange, ...
#include "ops/fill.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <cstring>

#include "ops/convert.h"
#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/promotion.h"
#include "ops/strided.h"

namespace etalon::ops {

void fill_with(const TensorView& tensor, const Scalar& value) {
  std::array<std::byte, 8> element{};
  const std::int64_t integer = value.as_int();
  const double real = value.as_double();
  if (value.category() == DTypeCategory::kFloating) {
    convert_run(DType::kFloat64, &real, tensor.dtype(), element.data(), 1);
  } else {
    convert_run(DType::kInt64, &integer, tensor.dtype(), element.data(), 1);
  }
  fill(StridedView(tensor), element.data());
}

namespace {

// -- From sizes
// -------------------------------------------------------------------------------------------------------

Status set_sizes(const Call& call, OutShapes& outs, std::size_t dtype_arg, DType fallback) {
  ETALON_TRY(const DType dtype, call.dtype_or(dtype_arg, fallback));
  ETALON_TRY(const Dims sizes, make_dims(call.ints(0)));
  return outs.set(0, dtype, sizes);
}

Status infer_sized(const Call& call, OutShapes& outs) { return set_sizes(call, outs, 1, DType::kFloat32); }
Status infer_full(const Call& call, OutShapes& outs) {
  return set_sizes(call, outs, 2, ResultType::dtype_of(call.scalar(1)));
}

template <int kValue>
Status constant_kernel(const Call& call) {
  fill_with(call.out(), Scalar(std::int64_t{kValue}));
  return {};
}

template <std::size_t kArg>
Status number_kernel(const Call& call) {
  fill_with(call.out(), call.scalar(kArg));
  return {};
}

Status leave_uninitialised(const Call&) { return {}; }

Status infer_scalar_tensor(const Call& call, OutShapes& outs) {
  ETALON_TRY(const DType dtype, call.dtype_or(1, DType::kFloat32));
  return outs.set(0, dtype, Dims{});
}

// -- Like another tensor
// ----------------------------------------------------------------------------------------------

Status infer_full_like(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  ETALON_TRY(const DType dtype, call.dtype_or(2, self.dtype()));
  return outs.set(0, dtype, self.sizes(), &self.order());
}

Status infer_fill_tensor(const Call& call, OutShapes& outs) {
  if (call.tensor(1).rank() != 0) {
    return invalid_input(
        fmt::format("fill: value has sizes {}, want none", to_string(call.tensor(1).sizes())));
  }
  return infer_same_as(call, outs);
}

Status fill_tensor_kernel(const Call& call) {
  copy_cast(call.tensor(1), call.out());
  return {};
}

// -- arange
// -----------------------------------------------------------------------------------------------------------

struct Range {
  Scalar start;
  Scalar end;
  Scalar step;

  bool integral() const {
    return start.category() != DTypeCategory::kFloating && end.category() != DTypeCategory::kFloating &&
           step.category() != DTypeCategory::kFloating;
  }
};

Range range_of(const Call& call) {
  // aten::arange(end, ...) or aten::arange.start_step(start, end, step, ...).
  const bool end_only = call.arg_count() == 5;
  if (end_only) return {Scalar(std::int64_t{0}), call.scalar(0), Scalar(std::int64_t{1})};
  return {call.scalar(0), call.scalar(1), call.scalar(2)};
}

Result<std::int64_t> length_of(const Range& range) {
  if (range.step.as_double() == 0) return invalid_input("arange: step is zero");
  const double exact = (range.end.as_double() - range.start.as_double()) / range.step.as_double();
  const double length = std::ceil(exact);
  constexpr double kMost = 1e15;
  if (!(length >= 0) || length > kMost) {
    return invalid_input(fmt::format("arange: {} elements from start {} to end {} by step {}", length,
                                     range.start.as_double(), range.end.as_double(), range.step.as_double()));
  }
  return static_cast<std::int64_t>(length);
}

Status infer_arange(const Call& call, OutShapes& outs) {
  const Range range = range_of(call);
  ETALON_TRY(const std::int64_t length, length_of(range));
  const std::size_t dtype_arg = call.arg_count() - 4;
  ETALON_TRY(const DType dtype, call.dtype_or(dtype_arg, range.integral() ? DType::kInt64 : DType::kFloat32));
  return outs.set(0, dtype, Dims{length});
}

Status arange_kernel(const Call& call) {
  const Range range = range_of(call);
  const TensorView& out = call.out();
  auto* to = out.data_as<std::byte>();
  const std::size_t size = size_of(out.dtype());
  for (std::int64_t i = 0; i < out.numel(); ++i, to += size) {
    if (range.integral()) {
      const std::int64_t x = range.start.as_int() + i * range.step.as_int();
      convert_run(DType::kInt64, &x, out.dtype(), to, 1);
    } else {
      const double x = range.start.as_double() + static_cast<double>(i) * range.step.as_double();
      convert_run(DType::kFloat64, &x, out.dtype(), to, 1);
    }
  }
  return {};
}

// `kRandom` where the contents are left as they are.
constexpr OpDef sized_row(std::string_view schema, std::string_view out_name, InferFn infer, KernelFn kernel,
                          std::uint32_t traits = kCastsOutput) {
  return {.schema = schema, .out_name = out_name, .infer = infer, .kernel = kernel, .traits = traits};
}

constexpr OpDef kRows[] = {
    sized_row("aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
              "Device? device=None, bool? pin_memory=None) -> Tensor",
              "aten::full.out", infer_full, number_kernel<1>),
    sized_row(
        "aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
        "bool? pin_memory=None) -> Tensor",
        "aten::zeros.out", infer_sized, constant_kernel<0>),
    sized_row(
        "aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
        "bool? pin_memory=None) -> Tensor",
        "aten::ones.out", infer_sized, constant_kernel<1>),
    sized_row("aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
              "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
              "aten::empty.out", infer_sized, leave_uninitialised, kRandom | kCastsOutput),
    sized_row(
        "aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
        "bool? pin_memory=None) -> Tensor",
        "aten::scalar_tensor.out", infer_scalar_tensor, number_kernel<0>),
    sized_row(
        "aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
        "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
        "aten::full_like.out", infer_full_like, number_kernel<1>),
    sized_row("aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
              "bool? pin_memory=None) -> Tensor",
              "aten::arange.out", infer_arange, arange_kernel),
    sized_row("aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, "
              "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
              "aten::arange.start_out", infer_arange, arange_kernel),
    {.schema = "aten::fill.Scalar(Tensor self, Scalar value) -> Tensor",
     .out_name = "aten::fill.Scalar_out",
     .infer = infer_same_as,
     .kernel = number_kernel<1>,
     .traits = kElementwise},
    {.schema = "aten::fill.Tensor(Tensor self, Tensor value) -> Tensor",
     .out_name = "aten::fill.Tensor_out",
     .infer = infer_fill_tensor,
     .kernel = fill_tensor_kernel},
};

}  // namespace

extern constinit const OpFamily kFillOps{kRows};

}  // namespace etalon::ops
