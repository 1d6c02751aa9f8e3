// What all our flatbuffer decoders share: an aligned buffer, verification with limits, and copies out of
// tables that are bounded and checked for null. Only for .cc files of this layer.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "flatbuffers/flatbuffers.h"
#include "fmt/format.h"

namespace etalon::formats {

// A flatbuffer whose scalars may be read in place. Copies the bytes only if they are not aligned.
class AlignedFlatbuffer {
 public:
  explicit AlignedFlatbuffer(Bytes bytes) : original_(bytes) {
    constexpr std::size_t kAlignment = 16;
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0 || bytes.empty()) {
      data_ = bytes.data();
      return;
    }
    copy_.resize((bytes.size() + kAlignment - 1) / kAlignment);
    std::memcpy(copy_.data(), bytes.data(), bytes.size());
    data_ = reinterpret_cast<const std::byte*>(copy_.data());
  }
  AlignedFlatbuffer(const AlignedFlatbuffer&) = delete;
  AlignedFlatbuffer& operator=(const AlignedFlatbuffer&) = delete;

  const std::uint8_t* data() const { return reinterpret_cast<const std::uint8_t*>(data_); }
  std::size_t size() const { return original_.size(); }

  // flatbuffers offsets are signed 32 bit; its verifier asserts on more.
  bool fits() const { return size() < FLATBUFFERS_MAX_BUFFER_SIZE; }

  // Depth and table limits: every table of an honest file takes at least four bytes, so a file that shares
  // tables to make its reader work without end is refused.
  flatbuffers::Verifier verifier() const {
    constexpr flatbuffers::uoffset_t kMaxDepth = 32;
    const auto max_tables = static_cast<flatbuffers::uoffset_t>(size() / 4 + 16);
    return {data(), size(), kMaxDepth, max_tables};
  }

  // The place of a verified byte vector in the caller's bytes, not in our copy.
  Bytes original(const flatbuffers::Vector<std::uint8_t>* vector) const {
    if (vector == nullptr || vector->size() == 0) return {};
    const auto offset = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(vector->data()) - data_);
    return original_.subspan(offset, vector->size());
  }

 private:
  struct alignas(16) Block {
    std::byte bytes[16];
  };
  Bytes original_;
  const std::byte* data_ = nullptr;
  std::vector<Block> copy_;
};

// Copies strings and vectors out of verified tables. Vectors may be shared inside a flatbuffer, so without a
// limit a small file could unfold to any size; the limit is a multiple of the file's size that no writer
// comes near.
class TableReader {
 public:
  explicit TableReader(std::size_t file_size) : budget_(file_size * 16 + 4096) {}

  Result<std::string> text(const flatbuffers::String* string, std::string_view what) {
    if (string == nullptr) return missing(what);
    return optional_text(string);
  }
  Result<std::string> optional_text(const flatbuffers::String* string) {
    if (string == nullptr) return std::string();
    ETALON_CHECKED(spend(string->size()));
    return std::string(string->c_str(), string->size());
  }

  template <class T>
  Result<std::vector<T>> numbers(const flatbuffers::Vector<T>* vector, std::string_view what) {
    if (vector == nullptr) return missing(what);
    return optional_numbers(vector);
  }
  template <class T>
  Result<std::vector<T>> optional_numbers(const flatbuffers::Vector<T>* vector) {
    if (vector == nullptr) return std::vector<T>();
    ETALON_CHECKED(spend(std::size_t{vector->size()} * sizeof(T)));
    std::vector<T> out(vector->size());
    if (!out.empty()) std::memcpy(out.data(), vector->data(), out.size() * sizeof(T));
    return out;
  }
  Result<std::vector<std::byte>> optional_bytes(const flatbuffers::Vector<std::uint8_t>* vector) {
    if (vector == nullptr) return std::vector<std::byte>();
    ETALON_CHECKED(spend(vector->size()));
    const auto* begin = reinterpret_cast<const std::byte*>(vector->data());
    return std::vector<std::byte>(begin, begin + vector->size());
  }

  // Converts every table of a vector with convert(table) -> Result<Out>; a null vector gives an empty list.
  template <class Out, class Table, class Convert>
  Result<std::vector<Out>> tables(const flatbuffers::Vector<flatbuffers::Offset<Table>>* vector,
                                  std::string_view what, Convert&& convert) {
    std::vector<Out> out;
    if (vector == nullptr) return out;
    ETALON_CHECKED(spend(std::size_t{vector->size()} * sizeof(flatbuffers::uoffset_t)));
    out.reserve(vector->size());
    for (flatbuffers::uoffset_t i = 0; i < vector->size(); ++i) {
      Result<Out> item = convert(*vector->Get(i));
      if (!item.ok()) return item.take_error().with_context(fmt::format("{} {}", what, i));
      out.push_back(std::move(item).value());
    }
    return out;
  }

  static Error missing(std::string_view what) { return invalid_input(fmt::format("{} is missing", what)); }

 private:
  Status spend(std::size_t bytes) {
    if (bytes > budget_)
      return resource_error("the file refers to its own parts too often, it was not made by a known writer");
    budget_ -= bytes;
    return {};
  }
  std::size_t budget_;
};

}  // namespace etalon::formats
