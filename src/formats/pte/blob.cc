#include "formats/pte/blob.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace etalon::formats::pte {
namespace {

// Walks over a blob in pieces.
class Cursor {
 public:
  explicit Cursor(const Blob& blob) : blob_(blob) { settle(); }

  bool at_end() const { return piece_ > blob_.chunks.size(); }
  Bytes rest() const { return current().subspan(offset_); }
  void advance(std::size_t count) {
    offset_ += count;
    settle();
  }

 private:
  Bytes current() const { return piece_ < blob_.chunks.size() ? blob_.chunks[piece_] : Bytes(blob_.owned); }
  void settle() {
    while (!at_end() && offset_ == current().size()) {
      offset_ = 0;
      ++piece_;
    }
  }
  const Blob& blob_;
  std::size_t piece_ = 0;  // one past the chunks: the owned part
  std::size_t offset_ = 0;
};

// Cheap and good enough to tell most weights apart; equality is decided on all bytes.
std::uint64_t content_key(const Blob& blob) {
  constexpr std::size_t kProbe = 4096;
  uLong crc = 0;
  std::size_t seen = 0;
  for (Cursor at(blob); !at.at_end() && seen < kProbe;) {
    const Bytes part = at.rest().first(std::min(at.rest().size(), kProbe - seen));
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(part.data()), part.size());
    seen += part.size();
    at.advance(part.size());
  }
  return blob.size() << 32 ^ crc;
}

}  // namespace

bool same_content(const Blob& a, const Blob& b) {
  if (a.size() != b.size()) return false;
  Cursor left(a);
  Cursor right(b);
  while (!left.at_end()) {
    const std::size_t count = std::min(left.rest().size(), right.rest().size());
    if (std::memcmp(left.rest().data(), right.rest().data(), count) != 0) return false;
    left.advance(count);
    right.advance(count);
  }
  return true;
}

Status write_blob(const Blob& blob, const ByteSink& sink) {
  for (Cursor at(blob); !at.at_end();) {
    const Bytes part = at.rest();
    ETALON_CHECKED(sink(part));
    at.advance(part.size());
  }
  return {};
}

std::uint32_t ContentNumbers::number_of(const Blob& blob) {
  std::vector<std::uint32_t>& candidates = by_key_[content_key(blob)];
  for (const std::uint32_t candidate : candidates) {
    if (same_content(*unique_[candidate], blob)) return candidate;
  }
  const auto number = static_cast<std::uint32_t>(unique_.size());
  unique_.push_back(&blob);
  candidates.push_back(number);
  return number;
}

}  // namespace etalon::formats::pte
