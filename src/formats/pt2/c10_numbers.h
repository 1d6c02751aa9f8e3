// Numbers of torch's serde schema -> numbers of c10, which everything else uses. Private to formats/pt2.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace etalon::formats::pt2 {

// -1 for "unknown" (0 in the schema); nothing for a number that the schema does not have.
inline std::optional<std::int8_t> c10_dtype(std::int64_t number) {
  constexpr std::int8_t kNone = -2;
  constexpr std::array<std::int8_t, 36> kTable = {
      -1,    0,     1,     2,     3,     4,     5,     6,     7,     8,     9,     10,
      11,    15,    kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone,
      kNone, kNone, kNone, kNone, 27,    24,    23,    26,    25,    44,    28,    29};
  if (number < 0 || number >= static_cast<std::int64_t>(kTable.size())) return std::nullopt;
  const std::int8_t out = kTable[static_cast<std::size_t>(number)];
  return out == kNone ? std::nullopt : std::optional(out);
}

inline std::optional<std::int8_t> c10_layout(std::int64_t number) {
  constexpr std::array<std::int8_t, 8> kTable = {-1, 1, 2, 4, 5, 6, 3, 0};
  if (number < 0 || number >= static_cast<std::int64_t>(kTable.size())) return std::nullopt;
  return kTable[static_cast<std::size_t>(number)];
}

inline std::optional<std::int8_t> c10_memory_format(std::int64_t number) {
  constexpr std::array<std::int8_t, 5> kTable = {-1, 0, 2, 3, 1};
  if (number < 0 || number >= static_cast<std::int64_t>(kTable.size())) return std::nullopt;
  return kTable[static_cast<std::size_t>(number)];
}

}  // namespace etalon::formats::pt2
