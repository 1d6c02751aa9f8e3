// A recording reduced to one table of events and one time per execution, and which of the executions count. One pass over
// the file, in the memory of the table: what recordings of hundreds of megabytes need.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analysis/event_table.h"
#include "base/result.h"
#include "formats/etdump/etdump.h"
#include "formats/etdump/view.h"

namespace etalon::analysis {

struct TimedRecording {
  EventTable table;                // of the executions, in the order of the file
  std::vector<double> totals_ms;   // of each
  std::optional<double> load_ms;   // of Program::load_method, the first
  std::size_t unusable_events = 0;
};

// The text of rows is borrowed from what is read. Errors: kInvalidInput (no execution, a damaged event).
Result<TimedRecording> time_recording(const formats::etdump::EtDumpView& dump);
Result<TimedRecording> time_recording(const formats::etdump::EtDump& dump);

// Executions by place in the recording.
struct RunChoice {
  std::vector<std::vector<std::size_t>> launches;  // the steady ones of each process
  std::vector<std::size_t> steady;                 // all of these
  // Those whose time is usual: the middle half when there are eight or more, else all. Averages over them add up as those
  // over all runs do, and neither a run that was interrupted nor a lucky one decides where the time goes.
  std::vector<std::size_t> typical;
  std::size_t cold = 0;
};

// `launch_runs`: executions of each process; taken as one process where they do not add up. `warmup`: of each process;
// absent: one where there are several.
RunChoice choose_runs(const std::vector<double>& totals_ms, const std::vector<std::size_t>& launch_runs,
                      const std::optional<std::size_t>& warmup);

// Over the given executions; what a row does not hold is zero.
double mean_of(const std::vector<double>& values, const std::vector<std::size_t>& runs);
double median_of(const std::vector<double>& values, const std::vector<std::size_t>& runs);

}  // namespace etalon::analysis
