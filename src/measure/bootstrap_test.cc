#include "measure/bootstrap.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "measure/random.h"
#include "measure/statistics.h"

namespace etalon::measure {
namespace {

const std::vector<double> kTwenty = {4.2, 5.1, 3.9, 6.0, 5.5, 4.8, 5.0, 7.3, 4.4, 5.2,
                                     4.9, 5.7, 6.1, 4.6, 5.3, 4.1, 5.8, 4.7, 5.4, 9.0};

double mean(std::span<double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// scipy.stats.bootstrap of the mean with 200,000 resamples: percentile [4.895, 5.890], BCa [4.960, 6.025].
TEST(Bootstrap, agrees_with_scipy) {
  const BootstrapOptions options{.resamples = 100000, .seed = 1};
  const Interval percentile = bootstrap_interval(kTwenty, 0.95, mean, options);
  EXPECT_NEAR(percentile.low, 4.895, 0.01);
  EXPECT_NEAR(percentile.high, 5.890, 0.01);
  BootstrapOptions corrected = options;
  corrected.kind = BootstrapKind::kBca;
  const Interval bca = bootstrap_interval(kTwenty, 0.95, mean, corrected);
  EXPECT_NEAR(bca.low, 4.960, 0.01);
  EXPECT_NEAR(bca.high, 6.025, 0.01);
}

TEST(Bootstrap, depends_on_the_values_and_the_seed_alone) {
  const BootstrapOptions options{.resamples = 500, .seed = 7};
  const Interval first = bootstrap_interval(kTwenty, 0.95, mean, options);
  const Interval again = bootstrap_interval(kTwenty, 0.95, mean, options);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  const Interval other = bootstrap_interval(kTwenty, 0.95, mean, {.resamples = 500, .seed = 8});
  EXPECT_NE(first.low, other.low);
}

TEST(Bootstrap, a_middle_value_that_repeats_itself_gives_a_sane_interval) {
  const std::vector<double> values = {1, 1, 1, 1, 1, 1, 1, 1, 2, 3};
  const Interval interval =
      bootstrap_interval(values, 0.95, [](std::span<double> v) { return median_in_place(v); },
                         {.kind = BootstrapKind::kBca, .resamples = 2000, .seed = 3});
  EXPECT_GE(interval.low, 1);
  EXPECT_LE(interval.high, 3);
  EXPECT_LE(interval.low, interval.high);
}

TEST(Bootstrap, values_that_are_all_equal_have_an_interval_without_width) {
  const std::vector<double> values(12, 0.25);
  for (const BootstrapKind kind : {BootstrapKind::kPercentile, BootstrapKind::kBca}) {
    const Interval interval = bootstrap_interval(values, 0.95, mean, {.kind = kind, .seed = 3});
    EXPECT_DOUBLE_EQ(interval.low, 0.25);
    EXPECT_DOUBLE_EQ(interval.high, 0.25);
  }
  EXPECT_EQ(bootstrap_interval({}, 0.95, mean, {}).high, 0);
}

TEST(Bootstrap, more_confidence_is_a_wider_interval_of_the_same_draws) {
  const BootstrapDistribution drawn(kTwenty, mean, {.kind = BootstrapKind::kBca, .seed = 5});
  EXPECT_LT(drawn.interval(0.95).low, drawn.interval(0.90).low);
  EXPECT_GT(drawn.interval(0.95).high, drawn.interval(0.90).high);
  EXPECT_NEAR(drawn.estimate(), 5.35, 1e-12);
}

TEST(Bootstrap, covers_the_mean_of_normal_values_about_as_often_as_it_says) {
  Random random(2);
  int covered = 0;
  constexpr int kTrials = 600;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(30);
    for (double& value : values) value = random.normal();
    const BootstrapOptions options{.kind = BootstrapKind::kBca, .resamples = 400, .seed = random.next()};
    covered += bootstrap_interval(values, 0.95, mean, options).contains(0) ? 1 : 0;
  }
  EXPECT_NEAR(covered / double{kTrials}, 0.94, 0.03);
}

}  // namespace
}  // namespace etalon::measure
