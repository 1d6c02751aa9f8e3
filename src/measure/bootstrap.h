// Bootstrap intervals over independent units (launches or blocks, never single iterations: those depend on
// each other). Efron and Tibshirani, An Introduction to the Bootstrap, chapters 13 and 14.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "measure/signed_rank.h"

namespace etalon::measure {

enum class BootstrapKind : std::uint8_t {
  kPercentile,
  kBca,  // corrected for bias and skew; wants about 20 units before its corrections can be estimated
};

struct BootstrapOptions {
  BootstrapKind kind = BootstrapKind::kPercentile;
  std::size_t resamples = 2000;
  std::uint64_t seed = 0;  // the interval is a function of the values and of this alone
};

// May reorder the span it is given, which is a copy of its own.
using Statistic = std::function<double(std::span<double>)>;

// The resampled values of a statistic, from which intervals of any confidence are read.
class BootstrapDistribution {
 public:
  BootstrapDistribution(std::span<const double> values, const Statistic& statistic,
                        const BootstrapOptions& options);

  // One value, or none, gives an interval without width (callers must not call that precise; the verdicts do
  // not).
  Interval interval(double confidence) const;
  double estimate() const { return estimate_; }

 private:
  std::vector<double> sorted_;
  double estimate_ = 0;
  double bias_ = 0;  // z0 and a of BCa; 0 otherwise
  double skew_ = 0;
};

inline Interval bootstrap_interval(std::span<const double> values, double confidence,
                                   const Statistic& statistic, const BootstrapOptions& options) {
  return BootstrapDistribution(values, statistic, options).interval(confidence);
}

}  // namespace etalon::measure
