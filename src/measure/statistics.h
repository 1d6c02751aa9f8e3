// Describing samples: order statistics and moments, as numpy computes them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

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

// Of any order; 0 for no value. The second form reorders its argument instead of copying it.
double median(std::span<const double> values);
double median_in_place(std::span<double> values);

// What order statistics alone say about a quantile, with at least the confidence asked for. Absent when the
// sample is too small to support it: a p99 needs 368 samples for 95 %, and is not to be printed from fewer.
struct QuantileBounds {
  double low = 0;
  double high = 0;
};
std::optional<QuantileBounds> quantile_bounds(std::span<const double> sorted, double fraction,
                                              double confidence);

// Which samples lie far above the rest (more than three interquartile ranges above the third quartile): they
// are counted and shown with their place in time, never taken out.
std::vector<std::size_t> far_outliers(std::span<const double> samples);

}  // namespace etalon::measure
