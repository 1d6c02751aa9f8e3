// Flat tensor files (.ptd): weights kept outside of a program. Reading only.
//
// decode() is total; data are spans into the bytes handed in, which must outlive the result.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::formats::ptd {

struct TensorLayout {
  std::int8_t dtype = 0;  // c10 number
  std::vector<std::int32_t> sizes;
  std::vector<std::uint8_t> dim_order;  // a permutation of 0..rank-1
};

struct Entry {
  std::string key;
  std::optional<TensorLayout> layout;  // absent for blobs that only a delegate reads
  Bytes data;
};

struct FlatTensor {
  std::uint32_t version = 0;
  std::vector<Entry> entries;
  const Entry* find(std::string_view key) const;
};

// Errors: kInvalidInput.
Result<FlatTensor> decode(Bytes file);

}  // namespace etalon::formats::ptd
