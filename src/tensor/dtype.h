// Element types. Numbers are c10's ScalarType, which is what `.pte` files and operator arguments carry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace etalon {

enum class DType : std::int8_t {
  kUInt8 = 0,
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kFloat16 = 5,
  kFloat32 = 6,
  kFloat64 = 7,
  kBool = 11,
  kBFloat16 = 15,
  kUInt16 = 27,
  kUInt32 = 28,
  kUInt64 = 29,
};

// The dtype with this number, if we compute with it (the .pte schema knows a few more).
std::optional<DType> dtype_from_number(std::int64_t number);

std::size_t size_of(DType dtype);              // bytes per element
std::string_view name_of(DType dtype);         // torch's: "float32", "int64", "bool"
std::string_view short_name_of(DType dtype);   // of the graph's text form: "f32", "i64", "b8"
std::optional<DType> dtype_from_name(std::string_view name);  // either of the two

bool is_floating(DType dtype);     // float16, bfloat16, float32, float64
bool is_integral(DType dtype);     // signed and unsigned integers; bool is not one

// The dtype in which two tensors of these dtypes are combined (torch.promote_types).
DType promote_types(DType a, DType b);

// The three categories of torch.result_type, in rising order.
enum class DTypeCategory : std::uint8_t { kBool, kIntegral, kFloating };
DTypeCategory category_of(DType dtype);

}  // namespace etalon
