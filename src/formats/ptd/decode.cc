#include "base/checked.h"
#include "flat_tensor_generated.h"
#include "formats/flatbuffer_reading.h"
#include "formats/ptd/ptd.h"
#include "formats/scalar_type.h"

namespace etalon::formats::ptd {
namespace {

constexpr std::size_t kHeaderOffset = 8;
constexpr std::uint32_t kHeaderLength = 40;

struct Header {
  std::uint64_t flatbuffer_offset = 0;
  std::uint64_t flatbuffer_size = 0;
  std::uint64_t segment_base = 0;
  std::uint64_t segment_size = 0;
};

Result<Header> read_header(Bytes file) {
  const auto head = slice(file, 0, kHeaderOffset + kHeaderLength);
  if (!head || as_text(head->subspan(4, 4)) != "FT01" || as_text(head->subspan(8, 4)) != "FH01") {
    return invalid_input("not a flat tensor file: it lacks 'FT01' and the 'FH01' header");
  }
  const auto length = *read_le<std::uint32_t>(*head, 12);
  if (length < kHeaderLength)
    return invalid_input(fmt::format("header of {} bytes, want {}", length, kHeaderLength));
  Header out;
  out.flatbuffer_offset = *read_le<std::uint64_t>(*head, 16);
  out.flatbuffer_size = *read_le<std::uint64_t>(*head, 24);
  out.segment_base = *read_le<std::uint64_t>(*head, 32);
  out.segment_size = *read_le<std::uint64_t>(*head, 40);
  return out;
}

// Offsets inside count from the file's start, because the header was put into a finished flatbuffer.
Result<Bytes> flatbuffer_part(Bytes file, const Header& header) {
  const auto end = checked_add(header.flatbuffer_offset, header.flatbuffer_size);
  const auto part = end ? slice(file, 0, *end) : std::nullopt;
  if (!part) return invalid_input("the header places the flatbuffer outside of the file");
  return *part;
}

class Decoder {
 public:
  Decoder(Bytes segments, Bytes flatbuffer)
      : segments_(segments), buffer_(flatbuffer), reader_(flatbuffer.size()) {}

  Result<FlatTensor> run() {
    if (!buffer_.fits()) return invalid_input("the flatbuffer has 2 GiB or more");
    flatbuffers::Verifier verifier = buffer_.verifier();
    if (!fb::ptd::VerifyFlatTensorBuffer(verifier)) {
      return invalid_input("the flat tensor file is damaged: its flatbuffer does not verify");
    }
    table_ = fb::ptd::GetFlatTensor(buffer_.data());
    if (table_->segments() == nullptr || table_->named_data() == nullptr) {
      return TableReader::missing("list of segments or of named data");
    }
    FlatTensor out;
    out.version = table_->version();
    ETALON_TRY(out.entries, reader_.tables<Entry>(table_->named_data(), "named data",
                                                  [&](const auto& item) { return entry(item); }));
    return out;
  }

 private:
  Result<Entry> entry(const fb::ptd::NamedData& table) {
    Entry out;
    ETALON_TRY(out.key, reader_.text(table.key(), "key"));
    ETALON_TRY(out.data, segment(table.segment_index()), out.key);
    if (const auto* layout = table.tensor_layout()) {
      ETALON_TRY(out.layout, tensor_layout(*layout), out.key);
      const auto needed = dense_nbytes<std::int32_t>(out.layout->dtype, out.layout->sizes);
      if (!needed || *needed > out.data.size()) {
        return invalid_input(fmt::format("{}: {} bytes are stored, want {}", out.key, out.data.size(),
                                         needed ? std::to_string(*needed) : "a size that overflows"));
      }
    }
    return out;
  }

  Result<Bytes> segment(std::uint32_t index) const {
    const auto* segments = table_->segments();
    if (index >= segments->size()) {
      return invalid_input(fmt::format("segment {} does not exist, there are {}", index, segments->size()));
    }
    const auto* place = segments->Get(index);
    const auto data = slice(segments_, place->offset(), place->size());
    if (!data) return invalid_input(fmt::format("segment {} leaves the segment data", index));
    return *data;
  }

  Result<TensorLayout> tensor_layout(const fb::ptd::TensorLayout& table) {
    TensorLayout out;
    out.dtype = table.scalar_type();
    ETALON_TRY(out.sizes, reader_.numbers(table.sizes(), "sizes"));
    ETALON_TRY(out.dim_order, reader_.numbers(table.dim_order(), "dim order"));
    if (!is_dim_order(out.dim_order, out.sizes.size())) {
      return invalid_input(fmt::format("dim order is not a permutation of {} dimensions", out.sizes.size()));
    }
    return out;
  }

  Bytes segments_;
  AlignedFlatbuffer buffer_;
  TableReader reader_;
  const fb::ptd::FlatTensor* table_ = nullptr;
};

}  // namespace

const Entry* FlatTensor::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Result<FlatTensor> decode(Bytes file) {
  ETALON_TRY(const Header header, read_header(file));
  ETALON_TRY(const Bytes flatbuffer, flatbuffer_part(file, header));
  const auto segments = slice(file, header.segment_base, header.segment_size);
  if (!segments) {
    return invalid_input(fmt::format("the file has {} bytes, its segments want {} from {} on", file.size(),
                                     header.segment_size, header.segment_base));
  }
  return Decoder(*segments, flatbuffer).run();
}

}  // namespace etalon::formats::ptd
