// One result element per operand element. See vector.h; included by vector_impl.h.
#pragma once

#include <cstddef>

#include "kernels/vector/math_impl.h"
#include "kernels/vector/vector.h"

namespace etalon::kernels {
namespace {

// out = op(loaded at i) for every register's worth; `load(i)` and `load(i, count)` fetch operands, `op` combines them.
template <class Load, class Op>
ETALON_INLINE void for_each_register(std::size_t n, float* out, const Load& load, const Op& op) {
  constexpr std::size_t kLanes = Vec::kLanes;
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    // All four before any store: independent chains hide the latency, and the compiler need not fear that `out` is
    // an operand.
    Vec r[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) r[k] = op(load.whole(i + k * kLanes));
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) r[k].store(out + i + k * kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) op(load.whole(i)).store(out + i);
  if (i < n) op(load.part(i, n - i)).store(out + i, n - i);
}

struct OneOperand {
  const float* x;
  ETALON_INLINE Vec whole(std::size_t i) const { return Vec::load(x + i); }
  ETALON_INLINE Vec part(std::size_t i, std::size_t n) const { return Vec::load(x + i, n); }
};

template <Unary kOp>
ETALON_INLINE Vec unary_of(Vec x, Vec alpha) {
  switch (kOp) {
    case Unary::kAbs: return abs(x);
    case Unary::kApproximateGelu: return approximate_gelu(x);
    case Unary::kCeiling: return ceil(x);
    case Unary::kClamp: return x;
    case Unary::kCopy: return x;
    case Unary::kCos: return cos(x);
    case Unary::kElu: return elu(x, alpha);
    case Unary::kExp: return exp(x);
    case Unary::kFloor: return floor(x);
    case Unary::kGelu: return gelu(x);
    case Unary::kHardsigmoid: return hardsigmoid(x);
    case Unary::kHardswish: return hardswish(x);
    case Unary::kLeakyRelu: return leaky_relu(x, alpha);
    case Unary::kLog: return log(x);
    case Unary::kNegate: return Vec::of(-0.0f) - x;
    case Unary::kReciprocalSqrt: return Vec::of(1.0f) / sqrt(x);
    case Unary::kRound: return round_even(x);
    case Unary::kSigmoid: return sigmoid(x);
    case Unary::kSilu: return silu(x);
    case Unary::kSin: return sin(x);
    case Unary::kSqrt: return sqrt(x);
    case Unary::kSquare: return x * x;
    case Unary::kTanh: return tanh(x);
  }
  return x;
}

template <Unary kOp>
__attribute__((noinline)) void unary(const float* x, float* out, std::size_t n, const UnaryParams& params) {
  const Vec alpha = Vec::of(params.alpha);
  // Most calls have no bounds, and the two instructions are a tenth of an activation. A copy keeps every bit, whatever
  // the elements are.
  if (kOp == Unary::kCopy || (params.min == -__builtin_inff() && params.max == __builtin_inff())) {
    for_each_register(n, out, OneOperand{x},
                      [&](Vec v) __attribute__((always_inline)) { return unary_of<kOp>(v, alpha); });
    return;
  }
  const Vec low = Vec::of(params.min);
  const Vec high = Vec::of(params.max);
  for_each_register(n, out, OneOperand{x}, [&](Vec v) __attribute__((always_inline)) {
    return clamp(unary_of<kOp>(v, alpha), low, high);
  });
}

template <Binary kOp>
ETALON_INLINE Vec binary_of(Vec a, Vec b) {
  switch (kOp) {
    case Binary::kAdd: return a + b;
    case Binary::kSubtract: return a - b;
    case Binary::kMultiply: return a * b;
    case Binary::kDivide: return a / b;
    // The instructions give the second operand when either is NaN.
    case Binary::kMaximum: return select(is_nan(a), a, max(a, b));
    case Binary::kMinimum: return select(is_nan(a), a, min(a, b));
    case Binary::kPRelu: return select(a < Vec::zero(), a * b, a);
  }
  return a;
}

enum class Operands { kBothRows, kScalarB, kScalarA };
struct Pair {
  Vec a, b;
};
template <Operands kOperands>
struct TwoOperands {
  const float* a;
  const float* b;
  Vec scalar;
  ETALON_INLINE Pair whole(std::size_t i) const {
    if constexpr (kOperands == Operands::kScalarB) return {Vec::load(a + i), scalar};
    if constexpr (kOperands == Operands::kScalarA) return {scalar, Vec::load(b + i)};
    return {Vec::load(a + i), Vec::load(b + i)};
  }
  ETALON_INLINE Pair part(std::size_t i, std::size_t n) const {
    if constexpr (kOperands == Operands::kScalarB) return {Vec::load(a + i, n), scalar};
    if constexpr (kOperands == Operands::kScalarA) return {scalar, Vec::load(b + i, n)};
    return {Vec::load(a + i, n), Vec::load(b + i, n)};
  }
};

template <Binary kOp, Operands kOperands>
__attribute__((noinline)) void binary(const float* a, const float* b, float* out, std::size_t n, float min_value,
                                      float max_value) {
  const Vec low = Vec::of(min_value);
  const Vec high = Vec::of(max_value);
  if (n == 0) return;
  const TwoOperands<kOperands> operands{a, b, Vec::of(kOperands == Operands::kScalarA ? *a : *b)};
  for_each_register(n, out, operands, [&](Pair p) __attribute__((always_inline)) {
    return clamp(binary_of<kOp>(p.a, p.b), low, high);
  });
}

constexpr UnaryFn kUnary[] = {
#define UNARY(enumerator, name) unary<Unary::enumerator>,
#include "kernels/vector/unary.def"
#undef UNARY
};
template <Operands kOperands>
constexpr BinaryFn kBinary[] = {
#define BINARY(enumerator, name) binary<Binary::enumerator, kOperands>,
#include "kernels/vector/binary.def"
#undef BINARY
};

// A row of offsets or factors against every row of a matrix.
__attribute__((noinline)) void scale_columns(const float* x, const float* scale, float* out, std::size_t rows,
                                             std::size_t columns) {
  for (std::size_t r = 0; r < rows; ++r) {
    const TwoOperands<Operands::kBothRows> operands{x + r * columns, scale, Vec::zero()};
    for_each_register(columns, out + r * columns, operands,
                      [](Pair p) __attribute__((always_inline)) { return p.a * p.b; });
  }
}
__attribute__((noinline)) void add_columns(const float* x, const float* offset, float* out, std::size_t rows,
                                           std::size_t columns, float min_value, float max_value) {
  const Vec low = Vec::of(min_value);
  const Vec high = Vec::of(max_value);
  for (std::size_t r = 0; r < rows; ++r) {
    const TwoOperands<Operands::kBothRows> operands{x + r * columns, offset, Vec::zero()};
    for_each_register(columns, out + r * columns, operands,
                      [&](Pair p) __attribute__((always_inline)) { return clamp(p.a + p.b, low, high); });
  }
}

}  // namespace
}  // namespace etalon::kernels
