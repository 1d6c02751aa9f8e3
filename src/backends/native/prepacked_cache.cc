#include "backends/native/prepacked_cache.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/checked.h"

namespace etalon::native {
namespace {

constexpr char kMagic[8] = {'E', 'T', 'P', 'A', 'C', 'K', '0', '1'};
constexpr std::uint64_t kDataAlignment = 64;
constexpr std::uint64_t kMostEntries = 1 << 20;

struct Header {
  char magic[8];
  std::uint64_t program_size;
  std::int64_t program_modified_ns;
  std::uint64_t program_hash;
  std::uint64_t configuration_hash;
  std::uint64_t entry_count;
  std::uint64_t index_size;
  std::uint64_t index_hash;
  std::uint64_t file_size;
};
static_assert(sizeof(Header) == 72);

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

Status check_header(const Header& header, const ProgramIdentity& identity, Bytes program,
                    std::string_view configuration, std::uint64_t file_size) {
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return invalid_input("not a cache of this version");
  if (header.file_size != file_size) {
    return invalid_input(fmt::format("damaged: {} bytes, want {}", file_size, header.file_size));
  }
  if (header.configuration_hash != content_hash(as_byte_span(configuration))) {
    return invalid_input("stale: made for another instruction set, arithmetic or version");
  }
  if (header.program_size != identity.size) return invalid_input("stale: the program has another size");
  if (header.program_modified_ns != identity.modified_ns && header.program_hash != content_hash(program)) {
    return invalid_input("stale: the program has changed");
  }
  return {};
}

}  // namespace

std::uint64_t content_hash(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Result<ProgramIdentity> identity_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return not_found(path + ": no such file");
    return io_error(path + ": " + std::strerror(errno));
  }
  return ProgramIdentity{static_cast<std::uint64_t>(facts.st_size),
                         std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec, 0};
}

Result<PrepackedCache> PrepackedCache::open(const std::string& path, const ProgramIdentity& identity, Bytes program,
                                            std::string_view configuration) {
  ETALON_TRY(MappedFile file, MappedFile::open(path));
  PrepackedCache cache(std::move(file));
  const Bytes bytes = cache.file_.bytes();
  const auto header = read_le<Header>(bytes, 0);
  if (!header) return invalid_input(path + ": damaged: shorter than its header");
  ETALON_CHECKED(check_header(*header, identity, program, configuration, bytes.size()), path);
  const auto index = slice(bytes, sizeof(Header), header->index_size);
  if (!index || content_hash(*index) != header->index_hash) return invalid_input(path + ": damaged: its index");
  ETALON_CHECKED(cache.read_index(*index, header->entry_count), path);
  return cache;
}

Status PrepackedCache::read_index(Bytes index, std::uint64_t count) {
  if (count > kMostEntries) return invalid_input("damaged: too many entries");
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto key_size = read_le<std::uint32_t>(index, at);
    if (!key_size) return invalid_input("damaged: its index ends early");
    const auto key = slice(index, at + sizeof(std::uint32_t), *key_size);
    at += sizeof(std::uint32_t) + *key_size;
    const auto offset = read_le<std::uint64_t>(index, at);
    const auto size = read_le<std::uint64_t>(index, at + 8);
    const auto hash = read_le<std::uint64_t>(index, at + 16);
    if (!key || !hash) return invalid_input("damaged: its index ends early");
    const auto data = slice(file_.bytes(), *offset, *size);
    if (!data || *offset % kDataAlignment != 0) return invalid_input("damaged: an entry lies outside of the file");
    entries_[std::string(as_text(*key))] = {*data, *hash};
    at += 24;
  }
  return {};
}

std::optional<Bytes> PrepackedCache::find(std::string_view key, std::size_t size) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.data.size() != size) return std::nullopt;
  if (content_hash(found->second.data) != found->second.hash) return std::nullopt;
  return found->second.data;
}

Status write_prepacked(const std::string& path, ProgramIdentity identity, Bytes program, std::string_view configuration,
                       const std::vector<PackedEntry>& entries) {
  std::string index;
  std::uint64_t index_size = 0;
  for (const PackedEntry& entry : entries) index_size += sizeof(std::uint32_t) + entry.key.size() + 24;
  std::uint64_t offset = round_up(sizeof(Header) + index_size, kDataAlignment);
  const std::uint64_t first = offset;
  for (const PackedEntry& entry : entries) {
    append(index, static_cast<std::uint32_t>(entry.key.size()));
    index += entry.key;
    append(index, offset);
    append(index, static_cast<std::uint64_t>(entry.data.size()));
    append(index, content_hash(entry.data));
    offset += round_up(entry.data.size(), kDataAlignment);
  }
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.program_size = identity.size;
  header.program_modified_ns = identity.modified_ns;
  header.program_hash = content_hash(program);
  header.configuration_hash = content_hash(as_byte_span(configuration));
  header.entry_count = entries.size();
  header.index_size = index.size();
  header.index_hash = content_hash(as_byte_span(index));
  header.file_size = offset;

  ETALON_TRY(FileWriter file, FileWriter::create(path));
  ETALON_CHECKED(file.write(std::as_bytes(std::span(&header, 1))));
  ETALON_CHECKED(file.write(index));
  ETALON_CHECKED(file.write_zeros(static_cast<std::size_t>(first - sizeof(Header) - index.size())));
  for (const PackedEntry& entry : entries) {
    ETALON_CHECKED(file.write(entry.data));
    ETALON_CHECKED(file.write_zeros(round_up(entry.data.size(), kDataAlignment) - entry.data.size()));
  }
  return file.commit();
}

}  // namespace etalon::native
