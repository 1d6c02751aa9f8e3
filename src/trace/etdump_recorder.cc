#include "trace/etdump_recorder.h"

#include <algorithm>
#include <limits>

#include "base/file.h"

namespace etalon::trace {

namespace etdump = formats::etdump;

EtdumpRecorder::EtdumpRecorder(runtime::TraceDetail detail, std::size_t events_per_run)
    : detail_(detail), events_per_run_(events_per_run) {}

void EtdumpRecorder::begin_block(std::string_view name) {
  // The last run of the same kind is the best guess for the next one.
  std::size_t expected = events_per_run_;
  if (!blocks_.empty() && blocks_.back().name == name) expected = std::max<std::size_t>(blocks_.back().events.size(), 1);
  Block& block = blocks_.emplace_back();
  block.name = name;
  block.events.resize(expected);  // touches the pages now rather than while something is timed
  block.events.clear();
}

void EtdumpRecorder::record(const runtime::Event& event) {
  if (blocks_.empty()) begin_block(runtime::event_names::kDefaultBlock);
  blocks_.back().events.push_back(event);
}

std::size_t EtdumpRecorder::event_count() const {
  std::size_t count = 0;
  for (const Block& block : blocks_) count += block.events.size();
  return count;
}

std::uint64_t EtdumpRecorder::first_start_ns() const {
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
  for (const Block& block : blocks_) {
    for (const runtime::Event& event : block.events) first = std::min(first, event.start_ns);
  }
  return first;
}

std::vector<std::byte> EtdumpRecorder::metadata_of(const runtime::Event& event) const {
  const auto found = kernels_.find({event.instruction, event.name});
  if (found == kernels_.end()) return {};
  const auto bytes = as_byte_span(found->second);
  return {bytes.begin(), bytes.end()};
}

etdump::EtDump EtdumpRecorder::dump() const {
  const std::uint64_t origin = first_start_ns();
  etdump::EtDump out;
  for (const Block& block : blocks_) {
    etdump::RunData& run = out.runs.emplace_back();
    run.name = std::string(block.name);
    for (const runtime::Event& event : block.events) {
      etdump::ProfileEvent profile;
      profile.chain_index = event.chain;
      profile.instruction_id = event.instruction;
      profile.start_time = event.start_ns - origin;
      profile.end_time = event.end_ns - origin;
      if (event.is_delegate_event) {
        profile.delegate_debug_name = std::string(event.name);
        profile.delegate_metadata = metadata_of(event);
      } else {
        profile.name = std::string(event.name);
      }
      run.events.emplace_back(std::move(profile));
    }
  }
  return out;
}

Status EtdumpRecorder::write(const std::string& path) const {
  ETALON_TRY(const auto bytes, etdump::encode(dump()), path);
  return write_file(path, Bytes(bytes));
}

}  // namespace etalon::trace
