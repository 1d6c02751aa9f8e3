// Wilcoxon's signed-rank test, and the estimate and interval of Hodges and Lehmann that belong to it.
//
// Used on logarithms of ratios: under "no difference" each is as likely to be x as -x, which is what drawing
// the order of the arms guarantees. Nothing is assumed about the shape of the noise, and a few wild blocks
// move neither the test nor the estimate. Hollander and Wolfe, Nonparametric Statistical Methods, chapter 3.
#pragma once

#include <cstddef>
#include <span>

namespace etalon::measure {

struct Interval {
  double low = 0;
  double high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
  bool inside(double bound_low, double bound_high) const { return low > bound_low && high < bound_high; }
};

struct SignedRank {
  std::size_t count = 0;      // without differences that are exactly 0, as scipy's default
  double positive_ranks = 0;  // W+
  double p_value = 1;         // two-sided
  bool exact = true;
};

// Exact (also with ties, by the distribution over all signs of the ranks at hand) up to 200 differences, then
// the normal approximation with corrections for ties and continuity.
SignedRank signed_rank_test(std::span<const double> differences);

// The median of the averages of all pairs, each value also with itself; 0 for no value. At most 5000 values:
// more are thinned evenly, as the quadratic number of averages would not fit.
double hodges_lehmann(std::span<const double> values);

// The values that the test at 1 - confidence would not reject as the centre. With too few values for the
// confidence (5 or fewer at 95 %) there is no such interval and it is infinite on both sides.
Interval signed_rank_interval(std::span<const double> values, double confidence);

// The smallest number of values from which a two-sided test can reach `alpha` at all: 6 for 5 %.
std::size_t fewest_for_signed_rank(double alpha);

}  // namespace etalon::measure
