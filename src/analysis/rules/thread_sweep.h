// One experiment at several numbers of threads, as two rules look at it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {

struct SweepPoint {
  std::uint32_t threads = 1;
  double ms = 0;  // median end to end
};

struct ThreadSweep {
  std::string experiment;
  std::vector<SweepPoint> points;  // by threads, ascending

  const SweepPoint& last() const { return points.back(); }
};

// One per experiment, those with a single point included.
std::vector<ThreadSweep> thread_sweeps(const Report& report);

// Logical processors of the machine that ran it; 0: unknown.
std::uint32_t logical_cpus(const Report& report);

// The profile whose run a point is, for findings; a profile that only has a name where nothing was recorded.
Profile profile_of_point(const Report& report, const ThreadSweep& sweep, const SweepPoint& point);

}  // namespace etalon::analysis
