// Bootstrap intervals over independent units (launches or blocks, never single iterations: those depend on each
// other). Efron and Tibshirani, An Introduction to the Bootstrap, chapters 13 and 14.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "measure/signed_rank.h"

namespace etalon::measure {

enum class BootstrapKind : std::uint8_t {
  kPercentile,
  kBca,  // corrected for bias and skew; wants about 20 units before its corrections can be estimated
};

struct BootstrapOptions {
  BootstrapKind kind = BootstrapKind::kPercentile;
  double confidence = 0.95;
  std::size_t resamples = 2000;
  std::uint64_t seed = 0;  // the interval is a function of the values and of this alone
};

// May reorder the span it is given, which is a copy of its own.
using Statistic = std::function<double(std::span<double>)>;

// Of a statistic of one sample. One value, or none, gives an interval without width (callers must not call that
// precise; the verdicts do not).
Interval bootstrap_interval(std::span<const double> values, const Statistic& statistic,
                            const BootstrapOptions& options);

}  // namespace etalon::measure
