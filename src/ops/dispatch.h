// From a run-time dtype to a compile-time element type.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

namespace etalon::ops {

template <class T>
struct TypeTag {
  using type = T;
};

// Calls `visit(TypeTag<T>{})` with the element type of `dtype`. `visit` returns Status.
template <class Visit>
Status visit_dtype(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::kUInt8: return visit(TypeTag<std::uint8_t>{});
    case DType::kInt8: return visit(TypeTag<std::int8_t>{});
    case DType::kInt16: return visit(TypeTag<std::int16_t>{});
    case DType::kInt32: return visit(TypeTag<std::int32_t>{});
    case DType::kInt64: return visit(TypeTag<std::int64_t>{});
    case DType::kUInt16: return visit(TypeTag<std::uint16_t>{});
    case DType::kUInt32: return visit(TypeTag<std::uint32_t>{});
    case DType::kUInt64: return visit(TypeTag<std::uint64_t>{});
    case DType::kFloat16: return visit(TypeTag<Half>{});
    case DType::kBFloat16: return visit(TypeTag<BFloat16>{});
    case DType::kFloat32: return visit(TypeTag<float>{});
    case DType::kFloat64: return visit(TypeTag<double>{});
    case DType::kBool: return visit(TypeTag<bool>{});
  }
  return unsupported("dtype " + std::string(name_of(dtype)));
}

template <class Visit>
Status visit_floating(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::kFloat16: return visit(TypeTag<Half>{});
    case DType::kBFloat16: return visit(TypeTag<BFloat16>{});
    case DType::kFloat32: return visit(TypeTag<float>{});
    case DType::kFloat64: return visit(TypeTag<double>{});
    default: return unsupported("dtype " + std::string(name_of(dtype)) + ", want a floating one");
  }
}

// Elements of the same size move alike: copies are instantiated for four sizes, not for thirteen dtypes.
template <class Visit>
Status visit_element_size(DType dtype, Visit&& visit) {
  switch (size_of(dtype)) {
    case 1: return visit(TypeTag<std::uint8_t>{});
    case 2: return visit(TypeTag<std::uint16_t>{});
    case 4: return visit(TypeTag<std::uint32_t>{});
    default: return visit(TypeTag<std::uint64_t>{});
  }
}

// The type in which arithmetic on T happens: float for halves, else T (torch's opmath type).
template <class T>
struct MathType {
  using type = T;
};
template <>
struct MathType<Half> {
  using type = float;
};
template <>
struct MathType<BFloat16> {
  using type = float;
};
template <class T>
using MathTypeOf = typename MathType<T>::type;

}  // namespace etalon::ops
