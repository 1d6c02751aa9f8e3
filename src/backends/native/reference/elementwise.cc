#include <algorithm>
#include <cmath>

#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"
#include "backends/native/reference/walk.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;
using xnn::NodeType;

template <class Function>
void map(const TensorRef& input, const Writer& write, Function&& function) {
  const Reader read(input);
  const std::int64_t count = numel(input.type->dims);
  for (std::int64_t i = 0; i < count; ++i) write(i, static_cast<float>(function(read(i))));
}

template <class Function>
void map2(const TensorRef& left, const TensorRef& right, const TensorRef& output, const Writer& write,
          Function&& function) {
  const Reader a(left), b(right);
  const Dims& sizes = output.type->dims;
  std::int64_t i = 0;
  walk<2>(sizes, {broadcast_strides(left.type->dims, sizes), broadcast_strides(right.type->dims, sizes)},
          [&](const auto& at) { write(i++, function(a(at[0]), b(at[1]))); });
}

bool all_static_int8(const TensorRef& left, const TensorRef& right, const TensorRef& output) {
  return is_static_int8(left.type->type) && is_static_int8(right.type->type) &&
         is_static_int8(output.type->type);
}

template <class Function>
void map2_raw(const TensorRef& left, const TensorRef& right, const TensorRef& output, const Writer& write,
              Function&& function) {
  const Dims& sizes = output.type->dims;
  std::int64_t i = 0;
  walk<2>(sizes, {broadcast_strides(left.type->dims, sizes), broadcast_strides(right.type->dims, sizes)},
          [&](const auto& at) {
            write.store_integer(i++, function(load_int8(left, at[0]), load_int8(right, at[1])));
          });
}

bool run_fixed_point_sum(bool subtract, const TensorRef& left, const TensorRef& right,
                         const TensorRef& output, const Writer& write) {
  const auto sum =
      fixed_point_sum(left.type->quantisation, right.type->quantisation, output.type->quantisation, subtract);
  if (!sum) return false;
  const IntegerRange range = write.range();
  map2_raw(left, right, output, write, [&](std::int32_t a, std::int32_t b) {
    const std::int32_t scaled = (sum->bias + a * sum->left + b * sum->right) >> sum->shift;
    return std::clamp(scaled + write.zero_point(), range.low, range.high);
  });
  return true;
}

void run_integer_product(const TensorRef& left, const TensorRef& right, const TensorRef& output,
                         const Writer& write) {
  const Quantisation& a = left.type->quantisation;
  const Quantisation& b = right.type->quantisation;
  const float scale = a.scale * b.scale / output.type->quantisation.scale;
  const std::int32_t zero = write.zero_point();
  const IntegerRange range{write.range().low - zero, write.range().high - zero};
  map2_raw(left, right, output, write, [&](std::int32_t x, std::int32_t y) {
    return round_into(static_cast<float>((x - a.zero_point) * (y - b.zero_point)) * scale, range) + zero;
  });
}

bool run_integer_binary(NodeType type, const TensorRef& left, const TensorRef& right, const TensorRef& output,
                        const Writer& write) {
  if (!all_static_int8(left, right, output)) return false;
  if (type == NodeType::kAdd || type == NodeType::kSubtract) {
    return run_fixed_point_sum(type == NodeType::kSubtract, left, right, output, write);
  }
  if (type != NodeType::kMultiply) return false;
  run_integer_product(left, right, output, write);
  return true;
}

// Smallest and largest of one row, of which zero is always a part; NaN counts as nothing.
RowScale row_scale(const Reader& read, std::int64_t begin, std::int64_t end, float& multiplier) {
  float low = 0, high = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    low = std::min(low, read(i));
    high = std::max(high, read(i));
  }
  multiplier = low == high ? 1.f : 255.f / (high - low);
  const float scaled_low = low * multiplier, scaled_high = high * multiplier;
  // Of the two ways to place zero the one whose other end errs less.
  const bool from_low = (-128.f + scaled_low) + (127.f + scaled_high) > 0;
  const float zero_point = from_low ? -128.f - scaled_low : 127.f - scaled_high;
  return {1 / multiplier, round_into(zero_point, {-128, 127})};
}

void quantise_rows(const TensorRef& input, const TensorRef& output) {
  const Reader read(input);
  const std::int64_t length = row_length(*output.type);
  const std::int64_t rows = length == 0 ? 0 : numel(output.type->dims) / length;
  for (std::int64_t row = 0; row < rows; ++row) {
    float multiplier = 1;
    const RowScale scale = row_scale(read, row * length, (row + 1) * length, multiplier);
    store(row_scales(output), row, scale);
    for (std::int64_t i = row * length; i < (row + 1) * length; ++i) {
      const std::int32_t value = quantise(read(i), multiplier, scale.zero_point, {-128, 127});
      store(output.data, i, static_cast<std::int8_t>(value));
    }
  }
}

// Between quantised types the factor is a multiple of 1/256.
bool requantise(const TensorRef& input, const TensorRef& output, const Writer& write) {
  const Quantisation& from = input.type->quantisation;
  const float factor = from.scale / output.type->quantisation.scale;
  if (!is_static_int8(input.type->type) || !(factor >= 0x1p-8f && factor <= 0x1p7f)) return false;
  const auto multiplier = static_cast<std::int32_t>(std::lrint(256.f * factor));
  const IntegerRange range = write.range();
  const std::int64_t count = numel(input.type->dims);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t scaled = ((load_int8(input, i) - from.zero_point) * multiplier + 128) >> 8;
    write.store_integer(i, std::clamp(scaled + write.zero_point(), range.low, range.high));
  }
  return true;
}

double gelu(double x) { return 0.5 * x * (1 + std::erf(x * 0.70710678118654752440)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
float hardswish(float x) { return x * std::min(std::max(x + 3.f, 0.f), 6.f) / 6.f; }

}  // namespace

std::optional<FixedPointSum> fixed_point_sum(const Quantisation& left, const Quantisation& right,
                                             const Quantisation& output, bool subtract) {
  const float a = left.scale / output.scale, b = right.scale / output.scale;
  const float larger = std::max(a, b);
  if (!(larger >= 0x1p-10f && larger < 0x1p8f)) return std::nullopt;
  // The larger multiplier has 21 bits.
  FixedPointSum out;
  out.shift = static_cast<std::uint32_t>(20 - std::ilogb(larger));
  const float unit = std::ldexp(1.f, static_cast<int>(out.shift));
  out.left = static_cast<std::int32_t>(std::lrint(a * unit));
  out.right = static_cast<std::int32_t>(std::lrint(b * unit)) * (subtract ? -1 : 1);
  out.bias = (std::int32_t{1} << (out.shift - 1)) - out.left * left.zero_point - out.right * right.zero_point;
  return out;
}

IntegerRange stored_limits(const TensorType& type, float min, float max) { return clamped_range(type, min, max); }

void run_unary(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const Writer write(output);
  switch (node.type) {
    case NodeType::kSigmoid:
      return map(input, write, [](float x) { return sigmoid(x); });
    case NodeType::kFloor:
      return map(input, write, [](float x) { return std::floor(x); });
    case NodeType::kCeiling:
      return map(input, write, [](float x) { return std::ceil(x); });
    case NodeType::kSquareRoot:
      return map(input, write, [](float x) { return std::sqrt(x); });
    case NodeType::kReciprocalSquareRoot:
      return map(input, write, [](float x) { return 1 / std::sqrt(static_cast<double>(x)); });
    case NodeType::kHardswish:
      return map(input, write, hardswish);
    case NodeType::kNegate:
      return map(input, write, [](float x) { return -x; });
    case NodeType::kSquare:
      return map(input, write, [](float x) { return x * x; });
    case NodeType::kAbs:
      return map(input, write, [](float x) { return std::fabs(x); });
    case NodeType::kLog:
      return map(input, write, [](double x) { return std::log(x); });
    case NodeType::kExp:
      return map(input, write, [](double x) { return std::exp(x); });
    case NodeType::kSin:
      return map(input, write, [](double x) { return std::sin(x); });
    case NodeType::kCos:
      return map(input, write, [](double x) { return std::cos(x); });
    case NodeType::kTanh:
      return map(input, write, [](double x) { return std::tanh(x); });
    case NodeType::kGelu:
      return map(input, write, [](double x) { return gelu(x); });
    case NodeType::kELU: {
      const double alpha = std::get<xnn::Elu>(node.params).alpha;
      return map(input, write, [alpha](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
    }
    case NodeType::kLeakyReLU: {
      const float slope = std::get<xnn::LeakyRelu>(node.params).negative_slope;
      return map(input, write, [slope](float x) { return x < 0 ? slope * x : x; });
    }
    default:  // kClamp
      return map(input, Writer(output, node.output_min, node.output_max), [](float x) { return x; });
  }
}

void run_binary(const xnn::Node& node, const TensorRef& left, const TensorRef& right,
                const TensorRef& output) {
  const Writer write(output, node.output_min, node.output_max);
  if (run_integer_binary(node.type, left, right, output, write)) return;
  switch (node.type) {
    case NodeType::kAdd:
      return map2(left, right, output, write, [](float a, float b) { return a + b; });
    case NodeType::kSubtract:
      return map2(left, right, output, write, [](float a, float b) { return a - b; });
    case NodeType::kMultiply:
      return map2(left, right, output, write, [](float a, float b) { return a * b; });
    case NodeType::kDiv:
      return map2(left, right, output, write, [](float a, float b) { return a / b; });
    // Neither these nor PReLU have limits of their own.
    case NodeType::kMinimum:
      return map2(left, right, output, Writer(output), [](float a, float b) { return std::min(a, b); });
    case NodeType::kMaximum:
      return map2(left, right, output, Writer(output), [](float a, float b) { return std::max(a, b); });
    default:  // kPReLU
      return map2(left, right, output, Writer(output), [](float a, float b) { return a < 0 ? a * b : a; });
  }
}

void run_convert(const TensorRef& input, const TensorRef& output) {
  if (output.type->type == DataType::kQdint8) return quantise_rows(input, output);
  const Writer write(output);
  if (!is_static_int8(output.type->type)) return map(input, write, [](float x) { return x; });
  if (requantise(input, output, write)) return;
  const Reader read(input);
  const float inverse_scale = 1 / output.type->quantisation.scale;
  const std::int64_t count = numel(input.type->dims);
  for (std::int64_t i = 0; i < count; ++i) {
    write.store_integer(i, quantise(read(i), inverse_scale, write.zero_point(), write.range()));
  }
}

}  // namespace etalon::native::reference
