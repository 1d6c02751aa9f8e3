// The evidence part of a profiling session: runs with events recorded, over several processes whose recordings are
// joined into one file, and runs that tell which kernels were chosen. None of them counts for latency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "cli/profile_context.h"

namespace etalon::cli {

// How a unit is traced: enough processes for a claim about operators, few enough runs that nobody waits for them.
struct TracePlan {
  std::uint32_t launches = 1;
  std::uint32_t runs = 1;    // of each
  std::uint32_t warmup = 0;  // of each, in its process
};
TracePlan trace_plan_of(const ProfileUnit& unit);

// Interleaved: a round starts every unit once, in a drawn order. Units that have failed are left out; a unit whose run
// fails is marked. A runner that records nothing leaves a timed unit without a recording.
Status trace_units(ProfileContext& context, const std::vector<ProfileUnit*>& units);

// One process; what it tells of its kernels, or its log names, goes to <stem>_kernels.csv.
Status record_kernels(ProfileContext& context, ProfileUnit& unit);

}  // namespace etalon::cli
