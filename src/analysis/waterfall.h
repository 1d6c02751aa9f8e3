// The difference of two runs, taken apart into steps that add up to it exactly.
//
// The residual step closes the sum: it is what the operators and the framework do not explain. Intervals come
// from the medians of the traced launches, resampled; steps of which no launch was recorded carry none. Pure
// functions, thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "analysis/comparison.h"
#include "analysis/graph_matching.h"

namespace etalon::analysis {

// Two profiles whose times were brought to those of a comparison: multiply by these.
struct Scales {
  double baseline = 1;
  double candidate = 1;
};

// `matches` are the groups as operators of a comparison (kernel_changed and category are read),
// `difference_ms` is what the steps add up to. `paired`: launch i of both profiles was measured at the same
// time.
std::vector<WaterfallStep> make_waterfall(const Profile& baseline, const Profile& candidate,
                                          const Scales& scales, const std::vector<OperatorMatch>& matches,
                                          double difference_ms, bool paired);

// Sum over rows of each launch's median, scaled; empty when a row does not have the launches of the others.
std::vector<double> launch_sums(const Profile& profile, const std::vector<std::size_t>& rows, double scale);

}  // namespace etalon::analysis
