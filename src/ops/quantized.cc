// Affine quantization, real = (q - zero_point) * scale, as PyTorch's `quantized_decomposed` operators define
// it: per tensor, per channel (one scale per index of a dim) and per token (one scale per row of the last
// dim).
//
// Quantizing multiplies by the reciprocal of the scale and rounds halves to even; NaN becomes the lowest
// value.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/convert.h"
#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/strided.h"
#include "ops/vector_math.h"

namespace etalon::ops {
namespace {

inline float round_even(float x) { return round_even_f32(x); }
inline double round_even(double x) { return std::nearbyint(x); }

struct Limits {
  double low = 0;
  double high = 0;
};

Limits limits_of(const Call& call, std::size_t first) {
  return {static_cast<double>(call.integer(first)), static_cast<double>(call.integer(first + 1))};
}

template <class T>
T limited(T x, T low, T high) {
  const T raised = x > low ? x : low;
  return raised < high ? raised : high;
}

// Checks the arguments quant_min, quant_max and dtype, which every operator has in this order from `first`
// on.
Status check_limits(const Call& call, std::size_t first) {
  if (call.integer(first) > call.integer(first + 1)) {
    return invalid_input(
        fmt::format("quant_min {} is above quant_max {}", call.integer(first), call.integer(first + 1)));
  }
  ETALON_TRY(const DType dtype, call.dtype_or(first + 2, DType::kInt8));
  if (is_integral(dtype)) return {};
  return invalid_input(fmt::format("quantized dtype is {}, want an integer", name_of(dtype)));
}

Status infer_quantize(const Call& call, OutShapes& outs, std::size_t first_limit) {
  const TensorView& input = call.tensor(0);
  ETALON_CHECKED(require_floating(input.dtype(), "input"));
  ETALON_CHECKED(check_limits(call, first_limit));
  ETALON_TRY(const DType dtype, call.dtype_or(first_limit + 2, DType::kInt8));
  return outs.set(0, dtype, input.sizes(), &input.order());
}

Status infer_dequantize(const Call& call, OutShapes& outs, std::size_t first_limit) {
  const TensorView& input = call.tensor(0);
  if (!is_integral(input.dtype()))
    return invalid_input(fmt::format("input is {}, want an integer", name_of(input.dtype())));
  ETALON_CHECKED(check_limits(call, first_limit));
  ETALON_TRY(const DType dtype, call.dtype_or(first_limit + 3, DType::kFloat32));
  ETALON_CHECKED(require_floating(dtype, "out_dtype"));
  return outs.set(0, dtype, input.sizes(), &input.order());
}

// -- Per tensor: (input, scale, zero_point, quant_min, quant_max, dtype[, out_dtype])
// ---------------------------------

struct Affine {
  double scale = 1;
  double zero_point = 0;
};

double first_element(const TensorView& tensor) {
  double x = 0;
  convert_run(tensor.dtype(), tensor.data(), DType::kFloat64, &x, 1);
  return x;
}

// Scale and zero point are numbers or tensors of one element.
Affine affine_of(const Call& call) {
  if (call.arg(1).is(Value::Tag::kTensor))
    return {first_element(call.tensor(1)), first_element(call.tensor(2))};
  return {call.number(1), static_cast<double>(call.integer(2))};
}

Status check_single(const Call& call) {
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (!call.arg(i).is(Value::Tag::kTensor) || call.tensor(i).numel() == 1) continue;
    return invalid_input(fmt::format("{} has sizes {}, want one element", i == 1 ? "scale" : "zero_point",
                                     to_string(call.tensor(i).sizes())));
  }
  return {};
}

Status infer_quantize_tensor(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_single(call));
  return infer_quantize(call, outs, 3);
}

Status infer_dequantize_tensor(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_single(call));
  return infer_dequantize(call, outs, 3);
}

template <class T>
Status quantize(const TensorView& input, const TensorView& out, const Affine& affine, const Limits& limits) {
  const T inverse = static_cast<T>(1.0 / affine.scale);
  const T zero = static_cast<T>(affine.zero_point);
  const T low = static_cast<T>(limits.low);
  const T high = static_cast<T>(limits.high);
  return map<T, T>(input, out, [=](T x) { return limited(round_even(x * inverse) + zero, low, high); });
}

Status quantize_tensor_kernel(const Call& call) {
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return quantize<T>(call.tensor(0), call.out(), affine_of(call), limits_of(call, 3));
  });
}

Status dequantize_tensor_kernel(const Call& call) {
  const Affine affine = affine_of(call);
  return visit_real(call.out().dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T scale = static_cast<T>(affine.scale);
    const T zero = static_cast<T>(affine.zero_point);
    return map<T, T>(call.tensor(0), call.out(), [=](T q) { return (q - zero) * scale; });
  });
}

// -- Per channel: (input, scales, zero_points, axis, quant_min, quant_max, dtype[, out_dtype])
// -------------------------

constexpr std::size_t kAxis = 3;

Status check_per_channel(const Call& call) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const std::size_t axis, dim_of(call.integer(kAxis), input.rank()));
  if (input.rank() == 0) return invalid_input("per-channel quantization of a tensor without dims");
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (!call.has(i) || call.tensor(i).numel() == input.size(axis)) continue;
    return invalid_input(fmt::format("{} has {} elements, dim {} has {}", i == 1 ? "scales" : "zero_points",
                                     call.tensor(i).numel(), axis, input.size(axis)));
  }
  return {};
}

Status infer_quantize_channel(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_per_channel(call));
  return infer_quantize(call, outs, 4);
}

Status infer_dequantize_channel(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_per_channel(call));
  return infer_dequantize(call, outs, 4);
}

// A vector repeated over every dim but `axis`.
StridedView along_axis(const TensorView& vector, const Dims& sizes, std::size_t axis) {
  Dims strides(sizes.size(), 0);
  strides[axis] = 1;
  return {vector.dtype(), sizes, strides, vector.data()};
}

// Rounds before the zero point is added.
template <class T>
struct QuantizeEach {
  T low;
  T high;
  T operator()(T x, T scale, T zero) const {
    return limited(round_even(x * (T(1) / scale)) + zero, low, high);
  }
};
// Rounds the sum, as the per-token operator does.
template <class T>
struct QuantizeEachSum {
  T low;
  T high;
  T operator()(T x, T scale, T zero) const {
    return limited(round_even(x * (T(1) / scale) + zero), low, high);
  }
};
struct DequantizeEach {
  template <class T>
  T operator()(T q, T scale, T zero) const {
    return (q - zero) * scale;
  }
};

Status quantize_channel_kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const std::size_t axis, dim_of(call.integer(kAxis), input.rank()));
  const StridedView scales = along_axis(call.tensor(1), input.sizes(), axis);
  const StridedView zeros = along_axis(call.tensor(2), input.sizes(), axis);
  const Limits limits = limits_of(call, 4);
  return visit_real(scales.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(input, scales, zeros, call.out(),
                     QuantizeEach<T>{static_cast<T>(limits.low), static_cast<T>(limits.high)});
  });
}

Status dequantize_channel_kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const std::size_t axis, dim_of(call.integer(kAxis), input.rank()));
  const StridedView scales = along_axis(call.tensor(1), input.sizes(), axis);
  return visit_real(scales.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (!call.has(2)) return map<T, T>(input, scales, Scalar(std::int64_t{0}), call.out(), DequantizeEach{});
    const StridedView zeros = along_axis(call.tensor(2), input.sizes(), axis);
    return map<T, T>(input, scales, zeros, call.out(), DequantizeEach{});
  });
}

// -- Per token: (input, scales, zero_points, quant_min, quant_max, dtype[, output_dtype])
// ------------------------------

Status check_per_token(const Call& call) {
  const TensorView& input = call.tensor(0);
  if (input.rank() == 0) return invalid_input("per-token quantization of a tensor without dims");
  std::int64_t tokens = 1;
  for (std::size_t d = 0; d + 1 < input.rank(); ++d) tokens *= input.size(d);
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (call.tensor(i).numel() == tokens) continue;
    return invalid_input(fmt::format("{} has {} elements, the input has {} tokens",
                                     i == 1 ? "scales" : "zero_points", call.tensor(i).numel(), tokens));
  }
  return {};
}

Status infer_quantize_token(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_per_token(call));
  return infer_quantize(call, outs, 3);
}

Status infer_dequantize_token(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_per_token(call));
  return infer_dequantize(call, outs, 3);
}

// A dense tensor with one element per row, repeated over the last dim.
StridedView per_row(const TensorView& values, const Dims& sizes) {
  Dims rows = sizes;
  rows[rows.size() - 1] = 1;
  Dims strides = contiguous_strides(rows);
  strides[rows.size() - 1] = 0;
  return {values.dtype(), sizes, strides, values.data()};
}

Status quantize_token_kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const StridedView scales = per_row(call.tensor(1), input.sizes());
  const StridedView zeros = per_row(call.tensor(2), input.sizes());
  const Limits limits = limits_of(call, 3);
  return visit_real(scales.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(input, scales, zeros, call.out(),
                     QuantizeEachSum<T>{static_cast<T>(limits.low), static_cast<T>(limits.high)});
  });
}

Status dequantize_token_kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const StridedView scales = per_row(call.tensor(1), input.sizes());
  const StridedView zeros = per_row(call.tensor(2), input.sizes());
  return visit_real(scales.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(input, scales, zeros, call.out(), DequantizeEach{});
  });
}

// -- Choosing scale and zero point from the range of the data
// ----------------------------------------------------------

struct Extremes {
  float low = 0;   // never above zero
  float high = 0;  // never below zero
  bool valid = true;
};

Extremes extremes_of(const StridedView& values) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Extremes range{kInfinity, -kInfinity, true};
  const LoopNest<1> nest(values.sizes, {values.strides});
  for_each_run(nest, [&](const auto& at) {
    for (std::int64_t i = 0; i < nest.run(); ++i) {
      float x = 0;
      convert_run(values.dtype, values.at(at[0] + i * nest.step(0)), DType::kFloat32, &x, 1);
      range.low = x < range.low ? x : range.low;
      range.high = x > range.high ? x : range.high;
      range.valid = range.valid && !std::isnan(x);
    }
  });
  // Without data, or with nothing but infinities on both ends, torch takes scale 1 and zero point 0.
  range.valid =
      range.valid && range.low <= range.high && !(range.low == kInfinity && range.high == -kInfinity);
  range.low = std::min(range.low, 0.0f);
  range.high = std::max(range.high, 0.0f);
  return range;
}

// (input, quant_min, quant_max, eps, dtype) -> (scale, zero_point), each of one element.
Status infer_choose(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(require_floating(call.tensor(0).dtype(), "input"));
  if (call.integer(1) >= call.integer(2)) {
    return invalid_input(
        fmt::format("quant_min {} is not below quant_max {}", call.integer(1), call.integer(2)));
  }
  ETALON_CHECKED(outs.set(0, DType::kFloat64, Dims{1}));
  return outs.set(1, DType::kInt64, Dims{1});
}

void store(const Affine& affine, const TensorView& scale, const TensorView& zero_point, std::size_t index) {
  const auto zero = static_cast<std::int64_t>(affine.zero_point);
  convert_run(DType::kFloat64, &affine.scale, scale.dtype(),
              scale.data_as<std::byte>() + index * size_of(scale.dtype()), 1);
  convert_run(DType::kInt64, &zero, zero_point.dtype(),
              zero_point.data_as<std::byte>() + index * size_of(zero_point.dtype()), 1);
}

Status choose_kernel(const Call& call) {
  const Extremes range = extremes_of(StridedView(call.tensor(0)));
  const Limits limits = limits_of(call, 1);
  Affine affine;
  if (range.valid) {
    const float scale = std::max((range.high - range.low) / static_cast<float>(limits.high - limits.low),
                                 static_cast<float>(call.number(3)));
    affine.scale = scale;
    affine.zero_point =
        limited(limits.low - static_cast<double>(round_even(range.low / scale)), limits.low, limits.high);
  }
  store(affine, call.out(0), call.out(1), 0);
  return {};
}

// (input, dtype) -> (scales, zero_points) of the input's sizes with a last dim of one. The range is that of
// int8.
Status infer_choose_token(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_CHECKED(require_floating(input.dtype(), "input"));
  if (input.rank() == 0 || input.size(input.rank() - 1) == 0)
    return invalid_input("choose_qparams_per_token of empty tokens");
  Dims sizes = input.sizes();
  sizes[sizes.size() - 1] = 1;
  ETALON_CHECKED(outs.set(0, DType::kFloat64, sizes));
  return outs.set(1, DType::kInt64, sizes);
}

// Of the two ends of the range, the one whose rounding error is smaller keeps its exact place.
Affine asymmetric(const Extremes& range) {
  constexpr float kLow = -128;
  constexpr float kHigh = 127;
  const float scale =
      std::max((range.high - range.low) / (kHigh - kLow), std::numeric_limits<float>::epsilon());
  const float low = range.low / scale;
  const float high = range.high / scale;
  const float zero = (kLow + low) + (kHigh + high) > 0 ? kLow - low : kHigh - high;
  return {scale, round_even(limited(zero, kLow, kHigh))};
}

Status choose_token_kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  Dims rows = input.sizes();
  rows.erase(rows.size() - 1);
  const std::int64_t count = numel(rows);
  for (std::int64_t row = 0; row < count; ++row) {
    StridedView token(input);
    std::int64_t rest = row;
    for (std::size_t d = rows.size(); d-- > 0;) {
      token = token.selected(d, rest % rows[d]);
      rest /= rows[d];
    }
    store(asymmetric(extremes_of(token)), call.out(0), call.out(1), static_cast<std::size_t>(row));
  }
  return {};
}

// -- Sum of two quantized tensors
// --------------------------------------------------------------------------------------

// add(a, a_scale, a_zero_point, a_min, a_max, b, b_scale, b_zero_point, b_min, b_max, scale, zero_point, min,
// max)
Status infer_add(const Call& call, OutShapes& outs) {
  for (const std::size_t i : {std::size_t{0}, std::size_t{5}}) {
    if (!is_integral(call.tensor(i).dtype())) return invalid_input("quantized add wants integer tensors");
  }
  if (call.tensor(0).sizes() != call.tensor(5).sizes())
    return invalid_input("quantized add wants tensors of the same sizes");
  return infer_same_as(call, outs);
}

Status add_kernel(const Call& call) {
  const auto number = [&](std::size_t i) { return static_cast<float>(call.number(i)); };
  const float a_scale = number(1), a_zero = number(2), b_scale = number(6), b_zero = number(7);
  const float inverse = 1.0f / number(10), zero = number(11), low = number(12), high = number(13);
  return map<float, float>(call.tensor(0), call.tensor(5), call.out(), [=](float a, float b) {
    const float sum = (a - a_zero) * a_scale + (b - b_zero) * b_scale;
    return limited(round_even(sum * inverse) + zero, low, high);
  });
}

constexpr OpDef row(std::string_view schema, std::string_view out_name, InferFn infer, KernelFn kernel,
                    std::uint32_t traits = kElementwise) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer,
          .kernel = kernel,
          .flops = flops_per_element,
          .traits = traits};
}

constexpr OpDef kRows[] = {
    row("quantized_decomposed::quantize_per_tensor(Tensor input, float scale, int zero_point, int quant_min, "
        "int quant_max, ScalarType dtype) -> Tensor",
        "quantized_decomposed::quantize_per_tensor.out", infer_quantize_tensor, quantize_tensor_kernel),
    row("quantized_decomposed::quantize_per_tensor.tensor(Tensor input, Tensor scale, Tensor zero_point, "
        "int quant_min, int quant_max, ScalarType dtype) -> Tensor",
        "quantized_decomposed::quantize_per_tensor.Tensor_out", infer_quantize_tensor,
        quantize_tensor_kernel),
    row("quantized_decomposed::dequantize_per_tensor(Tensor input, float scale, int zero_point, int "
        "quant_min, "
        "int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
        "quantized_decomposed::dequantize_per_tensor.out", infer_dequantize_tensor, dequantize_tensor_kernel),
    row("quantized_decomposed::dequantize_per_tensor.tensor(Tensor input, Tensor scale, Tensor zero_point, "
        "int quant_min, int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
        "quantized_decomposed::dequantize_per_tensor.Tensor_out", infer_dequantize_tensor,
        dequantize_tensor_kernel),
    row("quantized_decomposed::quantize_per_channel(Tensor input, Tensor scales, Tensor zero_points, int "
        "axis, "
        "int quant_min, int quant_max, ScalarType dtype) -> Tensor",
        "quantized_decomposed::quantize_per_channel.out", infer_quantize_channel, quantize_channel_kernel),
    row("quantized_decomposed::dequantize_per_channel(Tensor input, Tensor scales, Tensor? zero_points, int "
        "axis, "
        "int quant_min, int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
        "quantized_decomposed::dequantize_per_channel.out", infer_dequantize_channel,
        dequantize_channel_kernel),
    row("quantized_decomposed::quantize_per_token(Tensor input, Tensor scales, Tensor zero_points, int "
        "quant_min, "
        "int quant_max, ScalarType dtype) -> Tensor",
        "quantized_decomposed::quantize_per_token.out", infer_quantize_token, quantize_token_kernel),
    row("quantized_decomposed::dequantize_per_token(Tensor input, Tensor scales, Tensor zero_points, int "
        "quant_min, "
        "int quant_max, ScalarType dtype, ScalarType output_dtype) -> Tensor",
        "quantized_decomposed::dequantize_per_token.out", infer_dequantize_token, dequantize_token_kernel),
    row("quantized_decomposed::choose_qparams.tensor(Tensor input, int quant_min, int quant_max, float eps, "
        "ScalarType dtype) -> (Tensor, Tensor)",
        "quantized_decomposed::choose_qparams.Tensor_out", infer_choose, choose_kernel, kNoTraits),
    row("quantized_decomposed::choose_qparams_per_token_asymmetric(Tensor input, ScalarType dtype) -> "
        "(Tensor, Tensor)",
        "quantized_decomposed::choose_qparams_per_token_asymmetric.out", infer_choose_token,
        choose_token_kernel, kNoTraits),
    row("quantized_decomposed::add(Tensor a, float a_scale, int a_zero_point, int a_quant_min, int "
        "a_quant_max, "
        "Tensor b, float b_scale, int b_zero_point, int b_quant_min, int b_quant_max, float out_scale, "
        "int out_zero_point, int out_quant_min, int out_quant_max) -> Tensor qc",
        "quantized_decomposed::add.out", infer_add, add_kernel),
};

}  // namespace

extern constinit const OpFamily kQuantizedOps{kRows};

}  // namespace etalon::ops
