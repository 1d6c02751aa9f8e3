// NumPy array files (.npy, format 1 to 3): reading without a copy, and writing.
//
// decode() is total; `data` is a span into the bytes handed in. Little-endian and one-byte types only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::formats::npy {

struct Array {
  std::string descr;  // "<f4", "<f2", "<i8", "|b1", "|u1"
  std::size_t item_size = 0;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;  // first index fastest
  Bytes data;                  // exactly item_size * product(shape) bytes
};

// Errors: kInvalidInput (damaged, short), kUnsupported (big-endian, structured, object or string types).
Result<Array> decode(Bytes file);

// The header for data in C order. `descr` is one of those that decode() accepts. Data follow it as they are.
// Errors: kUnsupported (not a NumPy number type, such as bfloat16: convert to float32 first), kInvalidInput
// (a negative size).
Result<std::string> encode_header(std::string_view descr, const std::vector<std::int64_t>& shape);

// Header and data in one. Errors: also kInvalidInput when data has another size than descr and shape ask for.
Result<std::vector<std::byte>> encode(std::string_view descr, const std::vector<std::int64_t>& shape,
                                      Bytes data);

// "<f4" for c10 dtype number 6 and so on. Errors: kUnsupported for types without NumPy equal (bfloat16,
// float8, ...).
Result<std::string> descr_of_dtype(std::int8_t dtype);
// The other way; -1 if ExecuTorch has no such type.
std::int8_t dtype_of_descr(std::string_view descr);

}  // namespace etalon::formats::npy
