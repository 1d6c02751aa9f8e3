// The timing part of a profiling session: untraced runs of all its units, interleaved over fresh processes, with
// the raw times of each in a file of its own.
//
// Our runners are kept alive and asked for blocks of runs; any other executor_runner is a process per block. A run that
// fails is marked and the others go on without it. The files are written after every launch, and a session that was cut
// short goes on with what they hold.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/profile_context.h"

namespace etalon::cli {

// `units` are timed and not reused. `closed_sessions` are those of results that stay: what was measured then cannot be
// gone on with, since its partners are finished. Fills the latency and memory of each result, or its failure.
Status time_units(ProfileContext& context, std::vector<ProfileUnit*> units,
                  const std::set<std::string>& closed_sessions);

// How many steps of the progress bar that will take, about.
std::size_t timing_steps(const ProfileContext& context, const std::vector<ProfileUnit*>& units);

}  // namespace etalon::cli
