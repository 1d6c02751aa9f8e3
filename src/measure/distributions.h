// The probability distributions that the statistics of this layer need. A thin front of Boost.Math, so that
// its templates are compiled once. Arguments out of range give NaN, never an exception.
#pragma once

#include <cstddef>

namespace etalon::measure {

double normal_cdf(double x);
double normal_quantile(double probability);
double student_quantile(double probability, double degrees);
// P(|T| >= |t|) of Student's t.
double student_two_sided(double t, double degrees);
// P(at most `successes` of `trials`).
double binomial_cdf(std::size_t successes, std::size_t trials, double probability);

// An interval for the probability behind `successes` of `trials` (Clopper and Pearson 1934; exact, so never
// too narrow): for the error bars of a table of rates.
struct ProbabilityInterval {
  double low = 0;
  double high = 1;
};
ProbabilityInterval binomial_interval(std::size_t successes, std::size_t trials, double confidence);

// Power of a two-sided one-sample t test: the true mean is `effect`, of observations with standard deviation
// `deviation`.
double t_test_power(double effect, double deviation, std::size_t count, double alpha);

}  // namespace etalon::measure
