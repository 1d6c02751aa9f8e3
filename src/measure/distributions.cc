#include "measure/distributions.h"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace etalon::measure {
namespace {

using boost::math::policies::ignore_error;
using Quiet = boost::math::policies::policy<
    boost::math::policies::domain_error<ignore_error>, boost::math::policies::pole_error<ignore_error>,
    boost::math::policies::overflow_error<ignore_error>,
    boost::math::policies::evaluation_error<ignore_error>, boost::math::policies::promote_double<false>>;
using Normal = boost::math::normal_distribution<double, Quiet>;
using Student = boost::math::students_t_distribution<double, Quiet>;
using NoncentralT = boost::math::non_central_t_distribution<double, Quiet>;
using Binomial = boost::math::binomial_distribution<double, Quiet>;
using Beta = boost::math::beta_distribution<double, Quiet>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The noncentral t loses its digits far out, where the answer is 1 to all of them.
constexpr double kCertainNoncentrality = 30;

}  // namespace

double normal_cdf(double x) { return boost::math::cdf(Normal(), x); }

double normal_quantile(double probability) {
  if (!(probability > 0 && probability < 1)) return kNan;
  return boost::math::quantile(Normal(), probability);
}

double student_quantile(double probability, double degrees) {
  if (!(probability > 0 && probability < 1) || !(degrees > 0)) return kNan;
  return boost::math::quantile(Student(degrees), probability);
}

double student_two_sided(double t, double degrees) {
  if (!(degrees > 0) || std::isnan(t)) return kNan;
  return 2 * boost::math::cdf(boost::math::complement(Student(degrees), std::fabs(t)));
}

double binomial_cdf(std::size_t successes, std::size_t trials, double probability) {
  if (!(probability >= 0 && probability <= 1)) return kNan;
  if (successes >= trials) return 1;
  return boost::math::cdf(Binomial(static_cast<double>(trials), probability), static_cast<double>(successes));
}

ProbabilityInterval binomial_interval(std::size_t successes, std::size_t trials, double confidence) {
  if (trials == 0 || successes > trials || !(confidence > 0 && confidence < 1)) return {};
  const double tail = (1 - confidence) / 2;
  const auto hits = static_cast<double>(successes);
  const auto misses = static_cast<double>(trials - successes);
  ProbabilityInterval interval;
  if (successes > 0) interval.low = boost::math::quantile(Beta(hits, misses + 1), tail);
  if (successes < trials) interval.high = boost::math::quantile(Beta(hits + 1, misses), 1 - tail);
  return interval;
}

double t_test_power(double effect, double deviation, std::size_t count, double alpha) {
  if (count < 2 || !(deviation > 0) || !(alpha > 0 && alpha < 1)) return kNan;
  const auto n = static_cast<double>(count);
  const double noncentrality = std::fabs(effect) / deviation * std::sqrt(n);
  const double critical = student_quantile(1 - alpha / 2, n - 1);
  if (noncentrality < 1e-9) return alpha;
  if (noncentrality > kCertainNoncentrality + critical) return 1;
  const NoncentralT distribution(n - 1, noncentrality);
  return boost::math::cdf(boost::math::complement(distribution, critical)) +
         boost::math::cdf(distribution, -critical);
}

}  // namespace etalon::measure
