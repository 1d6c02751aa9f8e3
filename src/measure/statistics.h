// Describing samples: order statistics and moments, as numpy computes them.
#pragma once

#include <cstddef>
#include <span>

namespace etalon::measure {

struct Summary {
  std::size_t count = 0;
  double median = 0;
  double mean = 0;
  double min = 0;
  double max = 0;
  double p95 = 0;
  double stdev = 0;       // n - 1 in the denominator; 0 for one sample
  double cv_percent = 0;  // stdev / mean
};

// Of at least one sample (any order); no sample gives zeros and count 0, which callers must not print.
Summary summarize(std::span<const double> samples);

// Linear interpolation between order statistics, as numpy.percentile; `fraction` in [0, 1].
double quantile(std::span<const double> sorted, double fraction);

}  // namespace etalon::measure
