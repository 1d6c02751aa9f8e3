// ZIP archives: a reader over mapped bytes that copies nothing it need not, and a writer of STORED archives.
//
// Sizes and places are taken from the central directory only (PyTorch leaves local headers empty), with
// ZIP64. Archives with duplicate names, entries that overlap or leave the file, encryption or several disks
// are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon {
class FileWriter;
}

namespace etalon::formats::zip {

struct Entry {
  std::string_view name;     // into the archive's bytes
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc32 = 0;
  std::uint64_t size = 0;  // uncompressed
  Bytes stored;            // as in the archive: the content itself when method is 0

  bool is_folder() const { return name.ends_with('/'); }
};

// Content of one entry: `bytes` points into the archive, or into `inflated`. Move-only.
struct Content {
  Bytes bytes;
  std::vector<std::byte> inflated;

  Content() = default;
  Content(Content&&) = default;
  Content& operator=(Content&&) = default;
};

// The bytes must outlive the reader. Errors: kInvalidInput, kUnsupported (encrypted, unknown method),
// kResource.
class ZipReader {
 public:
  static Result<ZipReader> open(Bytes file);

  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(std::string_view name) const;

  // Inflates if needed, to at most `limit` bytes; checks length and CRC of inflated data (stored data are not
  // touched).
  static Result<Content> read(const Entry& entry, std::uint64_t limit = std::uint64_t{1} << 30);

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
};

// Writes STORED entries with a fixed time stamp, so equal content gives equal bytes. ZIP64 records where
// needed.
class ZipWriter {
 public:
  explicit ZipWriter(FileWriter& file) : file_(file) {}

  // `alignment` (a power of two) places the data on a multiple of it, by padding the local header as PyTorch
  // does.
  Status add(std::string_view name, Bytes data, std::uint32_t alignment = 1);
  Status add(std::string_view name, std::string_view text) { return add(name, as_byte_span(text)); }
  // Writes the directory; the caller commits the file.
  Status finish();

 private:
  struct Written {
    std::string name;
    std::uint32_t crc32;
    std::uint64_t size;
    std::uint64_t offset;
  };
  FileWriter& file_;
  std::vector<Written> written_;
};

}  // namespace etalon::formats::zip
