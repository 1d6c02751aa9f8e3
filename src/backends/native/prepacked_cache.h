// Packed weights kept beside a program ("model.pte.prepacked"), mapped instead of packed anew at every load.
//
// It is nothing but a cache: it belongs to one program, one instruction set and one version of this code, and is
// ignored unless all of that, its size and its checksums fit. Losing it costs the time of packing.
// Layout, little endian: Header, index (count times: u32 key bytes, key, u64 offset, u64 size, u64 XXH3 of the data),
// then the data, each entry at a multiple of 64 bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace etalon::native {

// Which program a cache was made from. Contents decide; size and time of change only save hashing an unchanged file.
struct ProgramIdentity {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint64_t hash = 0;  // XXH3 of all bytes; 0: not computed yet
};
// Of the file at `path`, without its hash. kNotFound, kIo.
Result<ProgramIdentity> identity_of(const std::string& path);
std::uint64_t content_hash(Bytes bytes);

// Immutable once opened; thread-safe.
class PrepackedCache {
 public:
  // `configuration` says what else packing depends on: instruction set, arithmetic, version. `program` is hashed only if
  // its size fits and its time of change does not.
  // Errors: kNotFound (no such file), kInvalidInput (stale or damaged; the message says which).
  static Result<PrepackedCache> open(const std::string& path, const ProgramIdentity& identity, Bytes program,
                                     std::string_view configuration);

  // The bytes packed under `key`, 64-byte aligned, if they have this size and their checksum fits.
  std::optional<Bytes> find(std::string_view key, std::size_t size) const;
  std::size_t entry_count() const { return entries_.size(); }

 private:
  struct Entry {
    Bytes data;
    std::uint64_t hash = 0;
  };
  explicit PrepackedCache(MappedFile file) : file_(std::move(file)) {}
  Status read_index(Bytes index, std::uint64_t count);

  MappedFile file_;
  std::map<std::string, Entry, std::less<>> entries_;
};

struct PackedEntry {
  std::string key;
  Bytes data;
};
// Replaces the file at `path` as a whole. The hash of `program` is computed.
Status write_prepacked(const std::string& path, ProgramIdentity identity, Bytes program, std::string_view configuration,
                       const std::vector<PackedEntry>& entries);

}  // namespace etalon::native
