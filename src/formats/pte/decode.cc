// Container of a .pte: extended header, segments, constants; the plans are read in decode_plan.cc.
#include "base/checked.h"
#include "formats/pte/check.h"
#include "formats/pte/decode_plan.h"
#include "formats/pte/pte.h"

namespace etalon::formats::pte {
namespace {

constexpr std::size_t kHeaderOffset = 8;
constexpr std::uint32_t kMinHeaderLength = 24;
constexpr std::uint32_t kFullHeaderLength = 32;

Status check_identifier(Bytes file) {
  const auto identifier = slice(file, 4, 4);
  if (!identifier) return invalid_input(fmt::format("{} bytes are too few for a program", file.size()));
  const std::string_view found = as_text(*identifier);
  if (found == "ET12") return {};
  if (found.starts_with("ET")) {
    return unsupported(fmt::format("the program has schema '{}', want 'ET12'", found));
  }
  return invalid_input("not an ExecuTorch program: bytes 4 to 7 are not 'ET12'");
}

// Fills the header fields of `out`; a file without extended header is all flatbuffer.
Status read_header(Bytes file, Program& out) {
  out.program_size = file.size();
  const auto magic = slice(file, kHeaderOffset, 4);
  if (!magic || as_text(*magic) != "eh00") return {};
  const auto length = read_le<std::uint32_t>(file, kHeaderOffset + 4);
  const auto program_size = read_le<std::uint64_t>(file, kHeaderOffset + 8);
  const auto base = read_le<std::uint64_t>(file, kHeaderOffset + 16);
  if (!length || !program_size || !base || *length < kMinHeaderLength) {
    return invalid_input(
        fmt::format("extended header of {} bytes, want at least {}", length.value_or(0), kMinHeaderLength));
  }
  const auto data_size = *length >= kFullHeaderLength ? read_le<std::uint64_t>(file, kHeaderOffset + 24) : 0;
  if (*program_size > file.size()) {
    return invalid_input(
        fmt::format("the file has {} bytes, the program alone wants {}", file.size(), *program_size));
  }
  if (!slice(file, *base, data_size.value_or(0))) {
    return invalid_input(fmt::format("the file has {} bytes, its segments want {} from {} on", file.size(),
                                     data_size.value_or(0), *base));
  }
  out.has_extended_header = true;
  out.program_size = *program_size;
  out.segment_base_offset = *base;
  return {};
}

class Decoder {
 public:
  Decoder(Bytes file, Program& out)
      : file_(file),
        out_(out),
        buffer_(file.first(static_cast<std::size_t>(out.program_size))),
        reader_(buffer_.size()) {}

  Status run() {
    if (!buffer_.fits()) return invalid_input("the flatbuffer has 2 GiB or more");
    flatbuffers::Verifier verifier = buffer_.verifier();
    if (!fb::pte::VerifyProgramBuffer(verifier)) {
      return invalid_input("the program is damaged: its flatbuffer does not verify");
    }
    table_ = fb::pte::GetProgram(buffer_.data());
    out_.version = table_->version();
    ETALON_CHECKED(read_segments());
    ETALON_CHECKED(read_constants());
    ETALON_CHECKED(read_named_data());
    if (table_->execution_plan() == nullptr) return TableReader::missing("list of methods");
    ETALON_TRY(out_.plans, reader_.tables<ExecutionPlan>(table_->execution_plan(), "method",
                                                         [&](const auto& plan) { return read_plan(plan); }));
    return {};
  }

 private:
  Result<Segment> read_segment(const fb::pte::DataSegment& table) {
    Segment out{table.offset(), table.size(), {}};
    if (out.size == 0) return out;
    const auto start = checked_add(out_.segment_base_offset, out.offset);
    const auto data = start && out_.segment_base_offset != 0 ? slice(file_, *start, out.size) : std::nullopt;
    if (!data) {
      return invalid_input(fmt::format("{} bytes at {} + {} leave the file of {} bytes", out.size,
                                       out_.segment_base_offset, out.offset, file_.size()));
    }
    out.data = *data;
    return out;
  }

  Status read_segments() {
    ETALON_TRY(out_.segments, reader_.tables<Segment>(table_->segments(), "segment",
                                                      [&](const auto& item) { return read_segment(item); }));
    return {};
  }

  Result<Bytes> segment_data(std::uint32_t index) const {
    if (index < out_.segments.size()) return out_.segments[index].data;
    return invalid_input(fmt::format("segment {} does not exist, there are {}", index, out_.segments.size()));
  }

  Result<Subsegments> read_subsegments(const fb::pte::SubsegmentOffsets& table) {
    Subsegments out;
    out.segment_index = table.segment_index();
    ETALON_TRY(out.offsets, reader_.optional_numbers(table.offsets()));
    if (out.offsets.size() > 1) {
      ETALON_TRY(out.data, segment_data(out.segment_index));
    }
    return out;
  }

  Status read_constants() {
    if (const auto* table = table_->constant_segment()) {
      ETALON_TRY(out_.constants, read_subsegments(*table), "constant segment");
    }
    if (out_.constants.offsets.empty()) {
      ETALON_TRY(out_.inline_constants, reader_.tables<Bytes>(table_->constant_buffer(), "constant",
                                                              [&](const auto& item) -> Result<Bytes> {
                                                                return buffer_.original(item.storage());
                                                              }));
    }
    ETALON_TRY(out_.mutable_data,
               reader_.tables<Subsegments>(table_->mutable_data_segments(), "mutable data segment",
                                           [&](const auto& item) { return read_subsegments(item); }));
    return {};
  }

  Status read_named_data() {
    const auto read = [&](const fb::pte::NamedData& table) -> Result<NamedData> {
      NamedData out;
      ETALON_TRY(out.key, reader_.text(table.key(), "key"));
      out.segment_index = table.segment_index();
      ETALON_TRY(out.data, segment_data(out.segment_index));
      return out;
    };
    ETALON_TRY(out_.named_data, reader_.tables<NamedData>(table_->named_data(), "named data", read));
    return {};
  }

  Status resolve_payload(Delegate& delegate) {
    if (delegate.in_segment) {
      ETALON_TRY(delegate.payload, segment_data(delegate.index));
      return {};
    }
    const auto* payloads = table_->backend_delegate_data();
    const std::size_t count = payloads == nullptr ? 0 : payloads->size();
    if (delegate.index >= count) {
      return invalid_input(
          fmt::format("inline payload {} does not exist, there are {}", delegate.index, count));
    }
    delegate.payload = buffer_.original(payloads->Get(delegate.index)->data());
    return {};
  }

  // What the plan refers to outside of itself.
  Status check_outside(ExecutionPlan& plan) {
    for (std::size_t i = 0; i < plan.delegates.size(); ++i) {
      ETALON_CHECKED(resolve_payload(plan.delegates[i]), fmt::format("delegate {}", i));
    }
    for (std::size_t i = 0; i < plan.values.size(); ++i) {
      const auto* tensor = std::get_if<Tensor>(&plan.values[i]);
      if (tensor == nullptr || !(tensor->is_constant() || tensor->is_initialised_state())) continue;
      ETALON_TRY([[maybe_unused]] const Bytes data, tensor_data(out_, *tensor), fmt::format("value {}", i));
    }
    return {};
  }

  Result<ExecutionPlan> read_plan(const fb::pte::ExecutionPlan& table) {
    ETALON_TRY(ExecutionPlan plan, decode_plan(reader_, table));
    ETALON_CHECKED(check_plan(plan), plan.name);
    ETALON_CHECKED(check_outside(plan), plan.name);
    return plan;
  }

  Bytes file_;
  Program& out_;
  AlignedFlatbuffer buffer_;
  TableReader reader_;
  const fb::pte::Program* table_ = nullptr;
};

}  // namespace

Result<Program> decode(Bytes file) {
  ETALON_CHECKED(check_identifier(file));
  Program out;
  ETALON_CHECKED(read_header(file, out));
  ETALON_CHECKED(Decoder(file, out).run());
  return out;
}

}  // namespace etalon::formats::pte
