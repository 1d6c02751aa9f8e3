// What people do today, for comparison: tests that take single runs, or single blocks, as independent.
#pragma once

#include <cstdint>
#include <span>

#include "measure/protocol.h"

namespace etalon::bench {

// Two-sided p of Mann and Whitney's test, normal approximation with ties.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

// All runs of arm 0, then all of arm `candidate`, each in a process of its own after ten warm-up runs.
Result<double> sequential_p(const measure::LaunchWorker& launch, std::size_t candidate, std::uint32_t runs);

// The signed-rank test over all blocks, whatever launch they are of.
double block_p(const measure::ArmSamples& baseline, const measure::ArmSamples& candidate);

}  // namespace etalon::bench
