#include <zlib.h>

#include <bit>

#include "base/file.h"
#include "fmt/format.h"
#include "formats/zip/zip.h"

namespace etalon::formats::zip {
namespace {

constexpr std::uint32_t kAll32 = 0xffffffff;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kVersion64 = 45;
constexpr std::uint16_t kUtf8Names = 0x0800;
constexpr std::uint16_t kDate1980 = 0x0021;      // the first day the format can say
constexpr std::uint16_t kPaddingExtra = 0x4246;  // "FB", as PyTorch pads
constexpr std::size_t kLocalSize = 30;

class Record {
 public:
  template <class T>
  Record& put(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  Record& put32(std::uint32_t value) { return put(value); }
  Record& put16(std::uint16_t value) { return put(value); }
  Record& put64(std::uint64_t value) { return put(value); }
  Record& text(std::string_view text) {
    text_.append(text);
    return *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

std::uint32_t clip(std::uint64_t value) {
  return value >= kAll32 ? kAll32 : static_cast<std::uint32_t>(value);
}

// An extra field of at least four bytes that makes header + name + extra end on `alignment`.
std::string padding(std::uint64_t header_end, std::uint32_t alignment) {
  if (alignment <= 1 || header_end % alignment == 0) return {};
  const std::uint64_t length = (alignment - (header_end + 4) % alignment) % alignment;
  return Record()
      .put16(kPaddingExtra)
      .put16(static_cast<std::uint16_t>(length))
      .text(std::string(length, 'Z'))
      .str();
}

std::string zip64_sizes(std::uint64_t size) {
  if (size < kAll32) return {};
  return Record().put16(1).put16(16).put64(size).put64(size).str();
}

}  // namespace

Status ZipWriter::add(std::string_view name, Bytes data, std::uint32_t alignment) {
  if (name.empty() || name.size() > 0xffff)
    return invalid_input("zip: an entry needs a name of 1 to 65535 bytes");
  if (!std::has_single_bit(alignment) || alignment > 4096) {
    return invalid_input(fmt::format("zip: alignment is {}, want a power of two up to 4096", alignment));
  }
  Written entry{std::string(name), 0, data.size(), file_.offset()};
  entry.crc32 =
      static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
  std::string extra = zip64_sizes(entry.size);
  extra += padding(entry.offset + kLocalSize + name.size() + extra.size(), alignment);
  Record header;
  header.put32(0x04034b50).put16(entry.size >= kAll32 ? kVersion64 : kVersion).put16(kUtf8Names).put16(0);
  header.put16(0).put16(kDate1980).put32(entry.crc32).put32(clip(entry.size)).put32(clip(entry.size));
  header.put16(static_cast<std::uint16_t>(name.size())).put16(static_cast<std::uint16_t>(extra.size()));
  header.text(name).text(extra);
  ETALON_CHECKED(file_.write(header.str()));
  ETALON_CHECKED(file_.write(data));
  written_.push_back(std::move(entry));
  return {};
}

namespace {

template <class Written>
std::string directory_entry(const Written& entry) {
  Record wide;
  if (entry.size >= kAll32) wide.put64(entry.size).put64(entry.size);
  if (entry.offset >= kAll32) wide.put64(entry.offset);
  std::string extra;
  if (!wide.str().empty()) {
    extra = Record().put16(1).put16(static_cast<std::uint16_t>(wide.str().size())).text(wide.str()).str();
  }
  const std::uint16_t version = extra.empty() ? kVersion : kVersion64;
  Record out;
  out.put32(0x02014b50).put16(version).put16(version).put16(kUtf8Names).put16(0).put16(0).put16(kDate1980);
  out.put32(entry.crc32).put32(clip(entry.size)).put32(clip(entry.size));
  out.put16(static_cast<std::uint16_t>(entry.name.size())).put16(static_cast<std::uint16_t>(extra.size()));
  out.put16(0).put16(0).put16(0).put32(0).put32(clip(entry.offset));
  return out.text(entry.name).text(extra).str();
}

std::string zip64_end(std::uint64_t start, std::uint64_t size, std::uint64_t count) {
  Record out;
  out.put32(0x06064b50).put64(44).put16(kVersion64).put16(kVersion64).put32(0).put32(0);
  out.put64(count).put64(count).put64(size).put64(start);
  return out.put32(0x07064b50).put32(0).put64(start + size).put32(1).str();
}

}  // namespace

Status ZipWriter::finish() {
  const std::uint64_t start = file_.offset();
  for (const Written& entry : written_) ETALON_CHECKED(file_.write(directory_entry(entry)));
  const std::uint64_t size = file_.offset() - start;
  const bool wide = start >= kAll32 || size >= kAll32 || written_.size() >= 0xffff;
  if (wide) ETALON_CHECKED(file_.write(zip64_end(start, size, written_.size())));
  const auto count = static_cast<std::uint16_t>(wide ? 0xffff : written_.size());
  Record end;
  end.put32(0x06054b50).put16(0).put16(0).put16(count).put16(count);
  end.put32(wide ? kAll32 : clip(size)).put32(wide ? kAll32 : clip(start)).put16(0);
  return file_.write(end.str());
}

}  // namespace etalon::formats::zip
