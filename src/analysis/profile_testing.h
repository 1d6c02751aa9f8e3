// Building recordings and profiles with known answers, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/profile.h"
#include "formats/etdump/etdump.h"

namespace etalon::analysis {

// One run under construction; times in nanoseconds, events in the order in which they end.
class Recording {
 public:
  explicit Recording(std::string block) { run_.name = std::move(block); }

  Recording& event(const std::string& name, int instruction, std::uint64_t start, std::uint64_t end,
                   int chain = 0) {
    formats::etdump::ProfileEvent event;
    event.name = name;
    event.instruction_id = instruction;
    event.chain_index = chain;
    event.start_time = start;
    event.end_time = end;
    run_.events.emplace_back(std::move(event));
    return *this;
  }
  Recording& delegate(const std::string& label, int instruction, std::uint64_t start, std::uint64_t end) {
    formats::etdump::ProfileEvent event;
    event.delegate_debug_name = label;
    event.instruction_id = instruction;
    event.start_time = start;
    event.end_time = end;
    event.delegate_metadata.emplace();
    run_.events.emplace_back(std::move(event));
    return *this;
  }
  Recording& execute(std::uint64_t start, std::uint64_t end) {
    return event("Method::execute", 0, start, end, -1);
  }
  formats::etdump::RunData run() const { return run_; }

 private:
  formats::etdump::RunData run_;
};

// 100 ns in all: convolution 50, relu 10, dispatch 14, nothing 26; everything times `scale`.
inline formats::etdump::RunData portable_run(std::uint64_t scale = 1) {
  return Recording("Execute")
      .event("native_call_convolution.out", 0, 10 * scale, 60 * scale)
      .event("OPERATOR_CALL", 0, 5 * scale, 65 * scale)
      .event("native_call_relu.out", 1, 70 * scale, 80 * scale)
      .event("OPERATOR_CALL", 1, 68 * scale, 82 * scale)
      .execute(0, 100 * scale)
      .run();
}

inline formats::etdump::EtDump dump_of(std::vector<formats::etdump::RunData> runs) {
  formats::etdump::EtDump dump;
  dump.runs = std::move(runs);
  return dump;
}

}  // namespace etalon::analysis
