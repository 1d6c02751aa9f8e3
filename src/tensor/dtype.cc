#include "tensor/dtype.h"

#include <algorithm>
#include <array>

namespace etalon {
namespace {

struct Row {
  DType dtype;
  std::uint8_t size;
  std::string_view name;
  std::string_view short_name;
};

constexpr std::array<Row, 13> kRows = {{
    {DType::kUInt8, 1, "uint8", "u8"},
    {DType::kInt8, 1, "int8", "i8"},
    {DType::kInt16, 2, "int16", "i16"},
    {DType::kInt32, 4, "int32", "i32"},
    {DType::kInt64, 8, "int64", "i64"},
    {DType::kFloat16, 2, "float16", "f16"},
    {DType::kFloat32, 4, "float32", "f32"},
    {DType::kFloat64, 8, "float64", "f64"},
    {DType::kBool, 1, "bool", "b8"},
    {DType::kBFloat16, 2, "bfloat16", "bf16"},
    {DType::kUInt16, 2, "uint16", "u16"},
    {DType::kUInt32, 4, "uint32", "u32"},
    {DType::kUInt64, 8, "uint64", "u64"},
}};

const Row& row_of(DType dtype) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.dtype == dtype; });
  return row == kRows.end() ? kRows[0] : *row;
}

DType wider_float(DType a, DType b) {
  if (a == DType::kFloat64 || b == DType::kFloat64) return DType::kFloat64;
  if (a == b) return a;
  // float16 and bfloat16 have no common half type.
  return DType::kFloat32;
}

bool is_unsigned(DType d) {
  return d == DType::kUInt8 || d == DType::kUInt16 || d == DType::kUInt32 || d == DType::kUInt64;
}

DType wider_integer(DType a, DType b) {
  if (a == b) return a;
  if (is_unsigned(a) == is_unsigned(b)) return size_of(a) >= size_of(b) ? a : b;
  const DType u = is_unsigned(a) ? a : b;
  const DType s = is_unsigned(a) ? b : a;
  // The smallest signed type that holds both; torch gives int64 where none exists.
  if (size_of(s) > size_of(u)) return s;
  constexpr std::array<DType, 3> kSigned = {DType::kInt16, DType::kInt32, DType::kInt64};
  for (const DType d : kSigned) {
    if (size_of(d) > size_of(u)) return d;
  }
  return DType::kInt64;
}

}  // namespace

std::optional<DType> dtype_from_number(std::int64_t number) {
  for (const Row& row : kRows) {
    if (static_cast<std::int64_t>(row.dtype) == number) return row.dtype;
  }
  return std::nullopt;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name || row.short_name == name) return row.dtype;
  }
  return std::nullopt;
}

std::size_t size_of(DType dtype) { return row_of(dtype).size; }
std::string_view name_of(DType dtype) { return row_of(dtype).name; }
std::string_view short_name_of(DType dtype) { return row_of(dtype).short_name; }

bool is_floating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16 ||
         dtype == DType::kFloat64;
}

bool is_integral(DType dtype) { return !is_floating(dtype) && dtype != DType::kBool; }

DTypeCategory category_of(DType dtype) {
  if (is_floating(dtype)) return DTypeCategory::kFloating;
  return dtype == DType::kBool ? DTypeCategory::kBool : DTypeCategory::kIntegral;
}

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  const auto ca = category_of(a);
  const auto cb = category_of(b);
  if (ca != cb) return ca > cb ? a : b;
  return ca == DTypeCategory::kFloating ? wider_float(a, b) : wider_integer(a, b);
}

}  // namespace etalon
