// The engine of elementwise operators: out[i] = op(a[i], b[i], c[i]) with broadcasting, any dim order and any
// dtypes.
//
// Elements are processed in blocks in the order of the output's memory. An input that lies in the same order
// and has the type the operation computes in is read in place; every other one is gathered and converted into
// a block buffer. So an operation is compiled once per type it computes in, as a loop over dense arrays that
// the compiler vectorises. The output may be the memory of an input with the same dtype, sizes and dim order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ops/convert.h"
#include "ops/dispatch.h"
#include "ops/op.h"
#include "ops/strided.h"

namespace etalon::ops {

// An input: a tensor (borrowed), or a number that stands for every element.
class Operand {
 public:
  Operand(const TensorView& tensor)
      : tensor_(&tensor), number_(std::int64_t{0}) {}  // NOLINT: implicit by design
  Operand(const StridedView& view)
      : strided_(&view), number_(std::int64_t{0}) {}  // NOLINT: implicit by design
  Operand(const Scalar& number) : number_(number) {}  // NOLINT: implicit by design
  static Operand of(const Call& call, std::size_t i) {
    return call.arg(i).is(Value::Tag::kTensor) ? Operand(call.tensor(i)) : Operand(call.scalar(i));
  }

  const TensorView* tensor() const { return tensor_; }     // null for the other two
  const StridedView* strided() const { return strided_; }  // null for the other two
  const Scalar& number() const { return number_; }

 private:
  const TensorView* tensor_ = nullptr;
  const StridedView* strided_ = nullptr;
  Scalar number_;
};

inline constexpr std::size_t kMaxOperands = 3;

// Computes `count` elements from dense arrays. `op` is the operation's own data.
using BlockFn = void (*)(const void* op, const void* const* inputs, void* output, std::int64_t count);

struct TypedOperand {
  Operand operand;
  DType read_as;
};

// Runs `block` over all elements of `out`; the operation writes elements of type `computed`, converted to
// out's dtype. Inputs broadcast to out's sizes. At most kMaxOperands.
void run_blocks(std::span<const TypedOperand> inputs, const TensorView& out, DType computed, BlockFn block,
                const void* op);

// The DType of a C++ type that operations compute in.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::kFloat32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::kFloat64;
  else if constexpr (std::is_same_v<T, bool>)
    return DType::kBool;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::kInt32;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return DType::kUInt64;
  else {
    static_assert(std::is_same_v<T, std::int64_t>);
    return DType::kInt64;
  }
}

// The six types that elementwise operations compute in. Narrow integers use int64: storing the low bits of
// the result is the same as wrapping at every step.
template <class Visit>
Status visit_computed(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::kFloat16:
    case DType::kBFloat16:
    case DType::kFloat32:
      return visit(TypeTag<float>{});
    case DType::kFloat64:
      return visit(TypeTag<double>{});
    case DType::kInt32:
      return visit(TypeTag<std::int32_t>{});
    case DType::kUInt64:
      return visit(TypeTag<std::uint64_t>{});
    case DType::kBool:
      return visit(TypeTag<bool>{});
    default:
      return visit(TypeTag<std::int64_t>{});
  }
}

// The two types that functions on real numbers compute in.
template <class Visit>
Status visit_real(DType dtype, Visit&& visit) {
  return dtype == DType::kFloat64 ? visit(TypeTag<double>{}) : visit(TypeTag<float>{});
}

// How operations read elements of type T: bools as bytes, because GCC does not vectorise loads of bool, and
// because bytes from outside may hold more than 0 and 1.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
template <class T>
T loaded(Stored<T> x) {
  if constexpr (std::is_same_v<T, bool>)
    return x != 0;
  else
    return x;
}

// out = op(a): reads `a` as In and computes Out. `op` must be callable on many threads and cheap to copy.
template <class In, class Out, class Op>
Status map(const Operand& a, const TensorView& out, const Op& op) {
  const BlockFn block = [](const void* data, const void* const* inputs, void* output, std::int64_t count) {
    const Op f = *static_cast<const Op*>(data);
    const auto* x = static_cast<const Stored<In>*>(inputs[0]);
    auto* y = static_cast<Out*>(output);
    ETALON_INDEPENDENT_LOOP
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(loaded<In>(x[i]));
  };
  const std::array<TypedOperand, 1> inputs = {{{a, dtype_of<In>()}}};
  run_blocks(inputs, out, dtype_of<Out>(), block, &op);
  return {};
}

// out = op(a, b), both read as In.
template <class In, class Out, class Op>
Status map(const Operand& a, const Operand& b, const TensorView& out, const Op& op) {
  const BlockFn block = [](const void* data, const void* const* inputs, void* output, std::int64_t count) {
    const Op f = *static_cast<const Op*>(data);
    const auto* x = static_cast<const Stored<In>*>(inputs[0]);
    const auto* y = static_cast<const Stored<In>*>(inputs[1]);
    auto* z = static_cast<Out*>(output);
    ETALON_INDEPENDENT_LOOP
    for (std::int64_t i = 0; i < count; ++i) z[i] = f(loaded<In>(x[i]), loaded<In>(y[i]));
  };
  const std::array<TypedOperand, 2> inputs = {{{a, dtype_of<In>()}, {b, dtype_of<In>()}}};
  run_blocks(inputs, out, dtype_of<Out>(), block, &op);
  return {};
}

// out = op(a, b, c) where `a` is read as First and the others as T, which is also what is computed.
template <class First, class T, class Op>
Status map(const Operand& a, const Operand& b, const Operand& c, const TensorView& out, const Op& op) {
  const BlockFn block = [](const void* data, const void* const* inputs, void* output, std::int64_t count) {
    const Op f = *static_cast<const Op*>(data);
    const auto* w = static_cast<const Stored<First>*>(inputs[0]);
    const auto* x = static_cast<const Stored<T>*>(inputs[1]);
    const auto* y = static_cast<const Stored<T>*>(inputs[2]);
    auto* z = static_cast<T*>(output);
    ETALON_INDEPENDENT_LOOP
    for (std::int64_t i = 0; i < count; ++i) z[i] = f(loaded<First>(w[i]), loaded<T>(x[i]), loaded<T>(y[i]));
  };
  const std::array<TypedOperand, 3> inputs = {
      {{a, dtype_of<First>()}, {b, dtype_of<T>()}, {c, dtype_of<T>()}}};
  run_blocks(inputs, out, dtype_of<T>(), block, &op);
  return {};
}

}  // namespace etalon::ops
