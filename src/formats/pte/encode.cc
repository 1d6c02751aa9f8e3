// Layout of a .pte as ExecuTorch 1.5 writes it:
//
//   root | "ET12" | "eh00" header (32) | rest of the flatbuffer | padding | segment | padding | segment ...
//
// Segments in order: constants (always, may be empty), mutable data, delegate payloads, named data. The
// header is there only if the segments hold any byte.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/checked.h"
#include "base/file.h"
#include "fmt/format.h"
#include "formats/pte/blob.h"
#include "formats/pte/check.h"
#include "formats/pte/encode_plan.h"

namespace etalon::formats::pte {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::uint32_t kHeaderLength = 32;
constexpr std::size_t kHeaderOffset = 8;

struct Piece {
  std::uint64_t offset;  // in the segment
  const Blob* blob;
};
struct OutSegment {
  std::uint64_t offset = 0;  // from the segment base
  std::uint64_t size = 0;
  std::vector<Piece> pieces;
};

Status write_zeros(std::uint64_t count, const ByteSink& sink) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (count > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, kZeros.size()));
    ETALON_CHECKED(sink(Bytes(kZeros).first(part)));
    count -= part;
  }
  return {};
}

class Encoder {
 public:
  explicit Encoder(const ProgramToWrite& program) : program_(program) {}

  Status run(const ByteSink& sink) {
    ETALON_CHECKED(check());
    add_constants();
    add_mutable_data();
    add_delegate_payloads();
    add_named_data();
    place_segments();
    build_flatbuffer();
    return write(sink);
  }

 private:
  Status check() const {
    if (!std::has_single_bit(program_.segment_alignment) ||
        !std::has_single_bit(program_.constant_alignment)) {
      return invalid_input("alignments must be powers of two");
    }
    for (const auto* blobs : {&program_.constants, &program_.mutable_data}) {
      if (blobs->empty() || blobs->front().size() != 0) {
        return invalid_input("constant 0 is reserved and must be empty");
      }
    }
    for (const NamedBlob& named : program_.named_data) {
      if (!std::has_single_bit(named.alignment)) {
        return invalid_input(
            fmt::format("{}: alignment is {}, want a power of two", named.key, named.alignment));
      }
    }
    for (const ExecutionPlan& plan : program_.plans) {
      ETALON_CHECKED(check_plan(plan), plan.name);
      ETALON_CHECKED(check_outside(plan), plan.name);
    }
    return {};
  }

  Status check_outside(const ExecutionPlan& plan) const {
    for (std::size_t i = 0; i < plan.values.size(); ++i) {
      if (const auto* tensor = std::get_if<Tensor>(&plan.values[i])) {
        ETALON_CHECKED(check_data(*tensor), fmt::format("value {}", i));
      }
    }
    for (const Delegate& delegate : plan.delegates) {
      if (delegate.index < program_.delegate_payloads.size()) continue;
      return invalid_input(fmt::format("payload {} of {} does not exist, there are {}", delegate.index,
                                       delegate.id, program_.delegate_payloads.size()));
    }
    return {};
  }

  Status check_data(const Tensor& tensor) const {
    if (!tensor.is_constant() && !tensor.is_initialised_state()) return {};
    const auto& blobs = tensor.is_constant() ? program_.constants : program_.mutable_data;
    if (tensor.data_buffer_idx >= blobs.size()) {
      return invalid_input(
          fmt::format("constant {} does not exist, there are {}", tensor.data_buffer_idx, blobs.size()));
    }
    const std::uint64_t found = blobs[tensor.data_buffer_idx].size();
    const auto wanted = tensor_nbytes(tensor);
    if (wanted && *wanted <= found) return {};
    return invalid_input(fmt::format("constant {} holds {} bytes, want {}", tensor.data_buffer_idx, found,
                                     wanted.value_or(0)));
  }

  // The last constant is not padded, so a reader's bounds check sees the true end.
  void add_constants() {
    OutSegment segment;
    ContentNumbers unique;
    numbers_.constants.assign(1, 0);
    constant_offsets_.assign(1, 0);
    for (std::size_t i = 1; i < program_.constants.size(); ++i) {
      const Blob& blob = program_.constants[i];
      const std::uint32_t number = unique.number_of(blob) + 1;
      numbers_.constants.push_back(number);
      if (number < constant_offsets_.size()) continue;
      const std::uint64_t offset = round_up<std::uint64_t>(segment.size, program_.constant_alignment);
      constant_offsets_.push_back(offset);
      segment.pieces.push_back({offset, &blob});
      segment.size = offset + blob.size();
    }
    segments_.push_back(std::move(segment));
    alignments_.push_back(1);
  }

  void add_mutable_data() {
    if (program_.mutable_data.size() <= 1) return;
    OutSegment segment;
    mutable_offsets_.assign(1, 0);
    for (std::size_t i = 1; i < program_.mutable_data.size(); ++i) {
      mutable_offsets_.push_back(segment.size);
      segment.pieces.push_back({segment.size, &program_.mutable_data[i]});
      segment.size += program_.mutable_data[i].size();
    }
    segments_.push_back(std::move(segment));
    alignments_.push_back(1);
  }

  std::uint32_t add_whole(const Blob& blob, std::uint32_t alignment) {
    segments_.push_back({0, blob.size(), {{0, &blob}}});
    alignments_.push_back(alignment);
    return static_cast<std::uint32_t>(segments_.size() - 1);
  }

  void add_delegate_payloads() {
    ContentNumbers unique;
    std::vector<std::uint32_t> segment_of;
    for (const Blob& blob : program_.delegate_payloads) {
      if (blob.size() == 0) {
        has_inline_payload_ = true;
        numbers_.payloads.push_back({false, 0});
        continue;
      }
      const std::uint32_t number = unique.number_of(blob);
      if (number == segment_of.size()) segment_of.push_back(add_whole(blob, 1));
      numbers_.payloads.push_back({true, segment_of[number]});
    }
  }

  void add_named_data() {
    ContentNumbers unique;
    std::vector<std::uint32_t> segment_of;
    for (const NamedBlob& named : program_.named_data) {
      const std::uint32_t number = unique.number_of(named.data);
      if (number == segment_of.size()) segment_of.push_back(add_whole(named.data, named.alignment));
      std::uint32_t& alignment = alignments_[segment_of[number]];
      alignment = std::max(alignment, named.alignment);
      named_segments_.push_back(segment_of[number]);
    }
  }

  void place_segments() {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const auto alignment = std::max<std::uint64_t>(program_.segment_alignment, alignments_[i]);
      base_alignment_ = std::max(base_alignment_, alignment);
      // An empty segment takes no place; ExecuTorch gives it the offset of the padding's start.
      if (segments_[i].size > 0) data_size_ = round_up(data_size_, alignment);
      segments_[i].offset = data_size_;
      data_size_ += segments_[i].size;
    }
  }

  void build_flatbuffer() {
    std::vector<Offset<fb::pte::ExecutionPlan>> plans;
    for (const ExecutionPlan& plan : program_.plans) plans.push_back(encode_plan(builder_, plan, numbers_));
    const auto plan_list = builder_.CreateVector(plans);
    const auto no_constants = builder_.CreateVector(std::vector<Offset<fb::pte::Buffer>>());
    std::vector<Offset<fb::pte::BackendDelegateInlineData>> inline_payloads;
    if (has_inline_payload_) {
      const auto empty = builder_.CreateVector(std::vector<std::uint8_t>());
      inline_payloads.push_back(fb::pte::CreateBackendDelegateInlineData(builder_, empty));
    }
    const auto payload_list = builder_.CreateVector(inline_payloads);
    std::vector<Offset<fb::pte::DataSegment>> segments;
    for (const OutSegment& segment : segments_) {
      segments.push_back(fb::pte::CreateDataSegment(builder_, segment.offset, segment.size));
    }
    const auto segment_list = builder_.CreateVector(segments);
    const auto constants =
        fb::pte::CreateSubsegmentOffsets(builder_, 0, builder_.CreateVector(constant_offsets_));
    const auto mutable_data = build_mutable_data();
    const auto named = build_named_data();
    builder_.Finish(fb::pte::CreateProgram(builder_, 0, plan_list, no_constants, payload_list, segment_list,
                                           constants, mutable_data, named),
                    fb::pte::ProgramIdentifier());
  }

  Offset<flatbuffers::Vector<Offset<fb::pte::SubsegmentOffsets>>> build_mutable_data() {
    if (mutable_offsets_.empty()) return {};
    const auto offsets = builder_.CreateVector(mutable_offsets_);
    return builder_.CreateVector(std::vector{fb::pte::CreateSubsegmentOffsets(builder_, 1, offsets)});
  }

  Offset<flatbuffers::Vector<Offset<fb::pte::NamedData>>> build_named_data() {
    if (named_segments_.empty()) return {};
    std::vector<Offset<fb::pte::NamedData>> out;
    for (std::size_t i = 0; i < named_segments_.size(); ++i) {
      const auto key = builder_.CreateString(program_.named_data[i].key);
      out.push_back(fb::pte::CreateNamedData(builder_, key, named_segments_[i]));
    }
    return builder_.CreateVector(out);
  }

  Status write(const ByteSink& sink) const {
    const Bytes flatbuffer{reinterpret_cast<const std::byte*>(builder_.GetBufferPointer()),
                           builder_.GetSize()};
    if (data_size_ == 0) return sink(flatbuffer);
    const std::uint64_t program_size = flatbuffer.size() + kHeaderLength;
    const std::uint64_t base = round_up(program_size, base_alignment_);
    ETALON_CHECKED(write_head(flatbuffer, program_size, base, sink));
    ETALON_CHECKED(sink(flatbuffer.subspan(kHeaderOffset)));
    ETALON_CHECKED(write_zeros(base - program_size, sink));
    return write_segments(sink);
  }

  // Only the root offset counts from the file's start; all others are relative and stay valid.
  Status write_head(Bytes flatbuffer, std::uint64_t program_size, std::uint64_t base,
                    const ByteSink& sink) const {
    std::array<std::byte, kHeaderOffset + kHeaderLength> head{};
    const auto put = [&](std::size_t at, const auto& value) {
      std::memcpy(head.data() + at, &value, sizeof(value));
    };
    put(0, *read_le<std::uint32_t>(flatbuffer, 0) + kHeaderLength);
    std::memcpy(head.data() + 4, flatbuffer.data() + 4, 4);
    std::memcpy(head.data() + 8, "eh00", 4);
    put(12, kHeaderLength);
    put(16, program_size);
    put(24, base);
    put(32, data_size_);
    return sink(head);
  }

  Status write_segments(const ByteSink& sink) const {
    std::uint64_t at = 0;
    for (const OutSegment& segment : segments_) {
      for (const Piece& piece : segment.pieces) {
        const std::uint64_t start = segment.offset + piece.offset;
        if (piece.blob->size() == 0) continue;
        ETALON_CHECKED(write_zeros(start - at, sink));
        ETALON_CHECKED(write_blob(*piece.blob, sink));
        at = start + piece.blob->size();
      }
    }
    return write_zeros(data_size_ - at, sink);
  }

  const ProgramToWrite& program_;
  FlatBufferBuilder builder_;
  Renumbering numbers_;
  std::vector<OutSegment> segments_;
  std::vector<std::uint32_t> alignments_;
  std::vector<std::uint64_t> constant_offsets_;
  std::vector<std::uint64_t> mutable_offsets_;
  std::vector<std::uint32_t> named_segments_;
  std::uint64_t data_size_ = 0;
  std::uint64_t base_alignment_ = 1;
  bool has_inline_payload_ = false;
};

}  // namespace

Status encode(const ProgramToWrite& program, const ByteSink& sink) { return Encoder(program).run(sink); }

Status encode(const ProgramToWrite& program, FileWriter& file) {
  return encode(program, [&](Bytes bytes) { return file.write(bytes); });
}

Result<std::vector<std::byte>> encode_to_bytes(const ProgramToWrite& program) {
  std::vector<std::byte> out;
  ETALON_CHECKED(encode(program, [&](Bytes bytes) -> Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  }));
  return out;
}

}  // namespace etalon::formats::pte
