// From recorded events to exclusive times: what each event took itself, without the events inside it.
//
// A runtime writes an event when it ENDS, so inner events stand before outer ones. Delegate events carry
// synthetic start times (XNNPACK: whole microseconds laid end to end), so nesting follows the instruction and
// the order of the file, and the clock only where kernels call kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/etdump/view.h"

namespace etalon::analysis {

enum class Part : std::uint8_t {
  kOperator,   // a kernel, a delegate's operator, or an instruction nobody looked inside of
  kFramework,  // dispatch around a kernel, a delegate's own overhead, jumps and moves
  kExecute,    // the whole run; its exclusive time lies in no instruction
  kLoad,       // loading and initialising
};

struct TimedEvent {
  formats::etdump::ProfileEventView event;  // its text is borrowed from the dump
  Part part = Part::kOperator;
  std::uint64_t start_ns = 0;
  std::int64_t duration_ns = 0;
  std::int64_t exclusive_ns = 0;  // may be slightly negative where a delegate rounds its own times up

  std::string_view name() const;  // the delegate's label, or the event's name
};

struct TimedRun {
  std::string_view name;      // of the block; borrowed
  bool is_execution = false;                      // else loading
  std::vector<TimedEvent> events;                 // in file order
  std::optional<std::int64_t> execute_ns;         // Method::execute
  std::size_t unusable_events = 0;                // end before start; left out

  // The whole run: Method::execute, else the sum of exclusive times (a dump that was cut short).
  std::int64_t total_ns() const;
};

TimedRun time_run(const formats::etdump::RunData& run);

// The same of events in place. `timed` is overwritten and keeps its memory, so that many runs need that of one.
void time_run(std::string_view name, const std::vector<formats::etdump::ProfileEventView>& events, TimedRun& timed);

}  // namespace etalon::analysis
