// The recorded part of a comparison: operators of every run, from processes of their own in a drawn order.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/compare/compared_arm.h"

namespace etalon::cli {

struct RecordingOptions {
  double seconds = 7;  // for all arms, about
  std::uint64_t seed = 1;
  std::function<void(std::string_view what, std::size_t done, std::size_t all)> progress;
};

// For each arm: an .etdump of all its processes, a _kernels.csv and a log in `run_dir`, named in its result,
// whose untraced times must be known. Errors: kRunFailed (naming the arm), kIo.
Status record_operators(const std::string& run_dir, const RecordingOptions& options,
                        std::vector<ComparedArm>& arms);

}  // namespace etalon::cli
