// The events of one recorded run as slices that nest: what timelines need.
//
// A viewer of traces hides slices that overlap on one track, and delegates lay their events end to end with whole
// microseconds, so that the last may pass the end of its call. Slices are therefore cut at the end of the slice that
// holds them, and never begin before the one in front has ended; the recorded numbers stay in the row.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/profile.h"

namespace etalon::report {

struct Slice {
  const analysis::TimelineRow* row = nullptr;  // borrowed
  double start_us = 0;  // from the beginning of the run
  double end_us = 0;
  std::size_t depth = 0;
};

// One run: rows of one block and run index. In order of start, outer before inner.
struct SlicedRun {
  std::string block;
  std::size_t run_index = 0;
  double start_us = 0;  // on the clock of the recording
  std::vector<Slice> slices;
};

// Every run of a timeline, by time.
std::vector<SlicedRun> slice_runs(const std::vector<analysis::TimelineRow>& rows);

// Whether any two slices of a run overlap without one holding the other. For tests and for validation.
bool slices_nest(const std::vector<Slice>& slices);

}  // namespace etalon::report
