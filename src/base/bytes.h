// Reading little-endian bytes that come from outside: every access is bounds-checked.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace etalon {

static_assert(std::endian::native == std::endian::little, "file formats are mapped as little endian");

using Bytes = std::span<const std::byte>;

inline Bytes as_byte_span(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The part [offset, offset + size) of `bytes`, or nothing if it does not lie inside.
inline std::optional<Bytes> slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

// An unaligned little-endian number at `offset`, or nothing past the end.
template <class T>
std::optional<T> read_le(Bytes bytes, std::uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto part = slice(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  T out;
  std::memcpy(&out, part->data(), sizeof(T));
  return out;
}

}  // namespace etalon
