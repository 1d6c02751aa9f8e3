// Central directory -> entries. Layout: APPNOTE.TXT 6.3.x, sections 4.3.7 to 4.3.16 and 4.5.3.
#include <zlib.h>

#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "fmt/format.h"
#include "formats/zip/zip.h"

namespace etalon::formats::zip {
namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50;
constexpr std::uint32_t kCentralMagic = 0x02014b50;
constexpr std::uint32_t kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50;
constexpr std::uint32_t kLocator64Magic = 0x07064b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kLocator64Size = 20;
constexpr std::uint32_t kAll32 = 0xffffffff;
constexpr std::uint16_t kAll16 = 0xffff;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kEncryptedFlag = 1;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

// Reads numbers one after the other; zero past the end, which the caller has excluded.
class Fields {
 public:
  explicit Fields(Bytes bytes) : bytes_(bytes) {}
  template <class T>
  T next() {
    const auto value = read_le<T>(bytes_, at_);
    at_ += sizeof(T);
    return value.value_or(T{0});
  }
  void skip(std::size_t count) { at_ += count; }
  bool at_end() const { return at_ >= bytes_.size(); }
  std::size_t left() const { return at_ < bytes_.size() ? bytes_.size() - at_ : 0; }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

// The end record stands last, followed only by a comment whose length it gives.
std::optional<std::size_t> find_end_record(Bytes file) {
  if (file.size() < kEndSize) return std::nullopt;
  const std::size_t last = file.size() - kEndSize;
  const std::size_t first = last > kAll16 ? last - kAll16 : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (read_le<std::uint32_t>(file, at) != kEndMagic) continue;
    if (at + kEndSize + *read_le<std::uint16_t>(file, at + 20) == file.size()) return at;
  }
  return std::nullopt;
}

Result<std::optional<Directory>> read_zip64_end(Bytes file, std::size_t end_record) {
  if (end_record < kLocator64Size) return std::optional<Directory>();
  const std::size_t locator = end_record - kLocator64Size;
  if (read_le<std::uint32_t>(file, locator) != kLocator64Magic) return std::optional<Directory>();
  const std::uint64_t at = *read_le<std::uint64_t>(file, locator + 8);
  const auto record = slice(file, at, 56);
  if (!record || read_le<std::uint32_t>(*record, 0) != kEnd64Magic) {
    return invalid_input("zip: the ZIP64 end record is not where its locator says");
  }
  return std::optional(Directory{.offset = *read_le<std::uint64_t>(*record, 48),
                                 .size = *read_le<std::uint64_t>(*record, 40),
                                 .count = *read_le<std::uint64_t>(*record, 32)});
}

Result<Directory> locate_directory(Bytes file) {
  const auto end = find_end_record(file);
  if (!end) return invalid_input("zip: no end record, the archive is cut off or is not a zip");
  ETALON_TRY(const auto wide, read_zip64_end(file, *end));
  if (wide) return *wide;
  Fields fields(file.subspan(*end + 4));
  const auto disk = fields.next<std::uint16_t>();
  const auto directory_disk = fields.next<std::uint16_t>();
  if (disk != 0 || directory_disk != 0) return unsupported("zip: the archive is split over several files");
  fields.skip(2);
  Directory out;
  out.count = fields.next<std::uint16_t>();
  out.size = fields.next<std::uint32_t>();
  out.offset = fields.next<std::uint32_t>();
  return out;
}

struct Raw {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

// Numbers that do not fit 32 bits stand in an extra field, in this order, only those that are needed.
Status read_zip64_extra(Bytes extra, Raw& raw) {
  std::uint64_t* const wide[] = {&raw.size, &raw.packed_size, &raw.offset};
  if (std::ranges::none_of(wide, [](const std::uint64_t* v) { return *v == kAll32; })) return {};
  Fields fields(extra);
  while (fields.left() >= 4) {
    const auto id = fields.next<std::uint16_t>();
    std::size_t length = fields.next<std::uint16_t>();
    if (id != kZip64Extra) {
      fields.skip(length);
      continue;
    }
    for (std::uint64_t* value : wide) {
      if (*value != kAll32) continue;
      if (length < 8 || fields.left() < 8) return invalid_input("zip: short ZIP64 field");
      *value = fields.next<std::uint64_t>();
      length -= 8;
    }
    return {};
  }
  return {};  // 0xffffffff may be meant as it stands
}

// Where the data of an entry start: after the local header, whose name and extra lengths are its own.
Result<std::uint64_t> data_offset(Bytes file, std::uint64_t local) {
  const auto header = slice(file, local, kLocalSize);
  if (!header || read_le<std::uint32_t>(*header, 0) != kLocalMagic) {
    return invalid_input("its local header is not where the directory says");
  }
  const std::uint64_t name = *read_le<std::uint16_t>(*header, 26);
  const std::uint64_t extra = *read_le<std::uint16_t>(*header, 28);
  return local + kLocalSize + name + extra;
}

Result<Entry> make_entry(Bytes file, std::string_view name, const Raw& raw) {
  if ((raw.flags & kEncryptedFlag) != 0) return unsupported("it is encrypted");
  if (raw.method != 0 && raw.method != 8) {
    return unsupported(fmt::format("compression method {}, want 0 (stored) or 8 (deflated)", raw.method));
  }
  if (raw.method == 0 && raw.size != raw.packed_size)
    return invalid_input("stored, but with two different sizes");
  ETALON_TRY(const std::uint64_t start, data_offset(file, raw.offset));
  const auto data = slice(file, start, raw.packed_size);
  if (!data) return invalid_input(fmt::format("{} bytes at {} leave the file", raw.packed_size, start));
  return Entry{name, raw.method, raw.crc32, raw.size, *data};
}

struct Range {
  std::uint64_t begin;
  std::uint64_t end;
};

Status check_no_overlap(std::vector<Range> ranges) {
  std::ranges::sort(ranges, {}, &Range::begin);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin < ranges[i - 1].end) return invalid_input("zip: entries overlap");
  }
  return {};
}

class DirectoryReader {
 public:
  DirectoryReader(Bytes file, Bytes directory) : file_(file), directory_(directory) {}

  Status read(std::uint64_t count, std::vector<Entry>& entries) {
    if (count > directory_.size() / kCentralSize) {
      return invalid_input(
          fmt::format("zip: {} entries do not fit a directory of {} bytes", count, directory_.size()));
    }
    entries.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      ETALON_TRY(Entry entry, next(), fmt::format("zip: entry {}", i));
      entries.push_back(entry);
    }
    return check_no_overlap(std::move(ranges_));
  }

 private:
  Result<Entry> next() {
    const auto header = slice(directory_, at_, kCentralSize);
    if (!header || read_le<std::uint32_t>(*header, 0) != kCentralMagic)
      return invalid_input("not a directory entry");
    Raw raw;
    Fields fields(header->subspan(8));
    raw.flags = fields.next<std::uint16_t>();
    raw.method = fields.next<std::uint16_t>();
    fields.skip(4);
    raw.crc32 = fields.next<std::uint32_t>();
    raw.packed_size = fields.next<std::uint32_t>();
    raw.size = fields.next<std::uint32_t>();
    const std::size_t name_length = fields.next<std::uint16_t>();
    const std::size_t extra_length = fields.next<std::uint16_t>();
    const std::size_t comment_length = fields.next<std::uint16_t>();
    fields.skip(8);
    raw.offset = fields.next<std::uint32_t>();
    const auto name = slice(directory_, at_ + kCentralSize, name_length);
    const auto extra = slice(directory_, at_ + kCentralSize + name_length, extra_length);
    if (!name || !extra) return invalid_input("its name leaves the directory");
    at_ += kCentralSize + name_length + extra_length + comment_length;
    ETALON_CHECKED(read_zip64_extra(*extra, raw));
    ETALON_TRY(Entry entry, make_entry(file_, as_text(*name), raw), as_text(*name));
    const auto end = static_cast<std::uint64_t>(entry.stored.data() - file_.data()) + entry.stored.size();
    ranges_.push_back({raw.offset, end});
    return entry;
  }

  Bytes file_;
  Bytes directory_;
  std::size_t at_ = 0;
  std::vector<Range> ranges_;
};

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Grows with what really comes out: the size in the directory is a claim.
  Result<std::vector<std::byte>> run(Bytes packed, std::uint64_t size) {
    constexpr std::size_t kStep = std::size_t{1} << 20;
    if (!ready_) return resource_error("zip: no memory to inflate");
    std::vector<std::byte> out;
    std::size_t done = 0;
    int state = Z_OK;
    while (state == Z_OK) {
      if (stream_.avail_in == 0) feed(packed);
      if (done == out.size()) out.resize(done + std::min<std::uint64_t>(kStep, size - done + 1));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream_.avail_out = static_cast<uInt>(std::min(out.size() - done, kStep));
      const uInt room = stream_.avail_out;
      state = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      if (done > size)
        return invalid_input(fmt::format("zip: more than the {} bytes of the directory", size));
    }
    if (state != Z_STREAM_END || done != size) return invalid_input("zip: damaged deflated data");
    out.resize(done);
    return out;
  }

 private:
  void feed(Bytes packed) {
    const Bytes rest = packed.subspan(fed_);
    const auto count = static_cast<uInt>(std::min<std::size_t>(rest.size(), std::size_t{1} << 30));
    // zlib reads only; its field is not const for old compilers' sake.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest.data()));
    stream_.avail_in = count;
    fed_ += count;
  }
  z_stream stream_{};
  std::size_t fed_ = 0;
  bool ready_ = false;
};

}  // namespace

Result<ZipReader> ZipReader::open(Bytes file) {
  ETALON_TRY(const Directory place, locate_directory(file));
  const auto directory = slice(file, place.offset, place.size);
  if (!directory) return invalid_input("zip: the directory leaves the file");
  ZipReader out;
  ETALON_CHECKED(DirectoryReader(file, *directory).read(place.count, out.entries_));
  out.by_name_.reserve(out.entries_.size());
  for (std::size_t i = 0; i < out.entries_.size(); ++i) {
    if (!out.by_name_.emplace(out.entries_[i].name, i).second) {
      return invalid_input(fmt::format("zip: entry {} is there twice", out.entries_[i].name));
    }
  }
  return out;
}

const Entry* ZipReader::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &entries_[it->second];
}

Result<Content> ZipReader::read(const Entry& entry, std::uint64_t limit) {
  Content out;
  if (entry.method == 0) {
    out.bytes = entry.stored;
    return out;
  }
  if (entry.size > limit) {
    return resource_error(
        fmt::format("zip: {} inflates to {} bytes, the limit is {}", entry.name, entry.size, limit));
  }
  ETALON_TRY(out.inflated, Inflater().run(entry.stored, entry.size), entry.name);
  out.bytes = out.inflated;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(out.inflated.data()), out.inflated.size());
  if (crc != entry.crc32) return invalid_input(fmt::format("zip: {} has a wrong checksum", entry.name));
  return out;
}

}  // namespace etalon::formats::zip
