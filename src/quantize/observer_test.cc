#include "quantize/observer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace etalon::quantize {
namespace {

std::vector<float> bell(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> out;
  // The sum of twelve uniform numbers: the standard distributions differ between libraries, the engine does
  // not.
  for (std::size_t i = 0; i < count; ++i) {
    double sum = -6;
    for (int k = 0; k < 12; ++k) sum += static_cast<double>(engine()) / 4294967296.0;
    out.push_back(static_cast<float>(sum));
  }
  return out;
}

double squared_error(const std::vector<float>& values, Range range) {
  const Params params = activation_params(range);
  double sum = 0;
  for (const float x : values) {
    const double error = dequantised(quantised(x, params, kActivationLow), params) - static_cast<double>(x);
    sum += error * error;
  }
  return sum;
}

Range range_after(const ObserverOptions& options, const std::vector<std::vector<float>>& samples) {
  Observer observer(options);
  for (const auto& sample : samples) observer.add(sample);
  return observer.range().value();
}

TEST(Observer, MinMaxHoldsEverythingItSaw) {
  EXPECT_EQ(range_after({.kind = ObserverKind::kMinMax}, {{1, -2}, {0.5f, 3}}), (Range{-2, 3}));
  EXPECT_EQ(range_after({.kind = ObserverKind::kMinMax}, {{4, 5}}), (Range{4, 5}));
}

TEST(Observer, TheMovingAverageIsTorchs) {
  const Range range =
      range_after({.kind = ObserverKind::kMovingAverage, .averaging_constant = 0.1}, {{-1, 1}, {-2, 3}});
  EXPECT_DOUBLE_EQ(range.low, -1.1);
  EXPECT_DOUBLE_EQ(range.high, 1.2);
}

TEST(Observer, APercentileLeavesOutliersOutside) {
  std::vector<float> values = bell(100'000, 1);
  values[7] = 1000;
  const Range range = range_after({.kind = ObserverKind::kPercentile, .percentile = 99.9}, {values});
  EXPECT_LT(range.high, 5);
  EXPECT_GT(range.high, 2.5);
  EXPECT_NEAR(range.low, -range.high, 0.7);
}

TEST(Observer, TheRangeOfLeastErrorBeatsTheExtremesOnOutliers) {
  std::vector<float> values = bell(400'000, 2);
  values[3] = 30;
  const Range full = range_after({.kind = ObserverKind::kMinMax}, {values});
  const Range best = range_after({.kind = ObserverKind::kMse}, {values});
  EXPECT_LT(best.high, 30);
  EXPECT_LT(squared_error(values, best), 0.8 * squared_error(values, full));
}

TEST(Observer, TheRangeOfLeastErrorIsTheWholeOneWithoutTails) {
  std::vector<float> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(i) / 500 - 1);
  EXPECT_EQ(range_after({.kind = ObserverKind::kMse}, {values}), (Range{-1, 1}));
}

TEST(Observer, ExactZerosDoNotNarrowTheRange) {
  std::vector<float> values(100'000, 0.0f);
  for (int i = 0; i <= 1000; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(i) / 1000;
  EXPECT_EQ(range_after({.kind = ObserverKind::kMse}, {values}), (Range{0, 1}));
}

TEST(Observer, TheOrderOfSamplesDoesNotMatter) {
  const auto a = bell(1000, 3);
  auto b = bell(1000, 4);
  for (float& x : b) x *= 37;
  for (const ObserverKind kind : {ObserverKind::kMinMax, ObserverKind::kPercentile, ObserverKind::kMse}) {
    EXPECT_EQ(range_after({.kind = kind}, {a, b}), range_after({.kind = kind}, {b, a})) << name_of(kind);
  }
}

TEST(Observer, NanAndInfinityAreReportedNotAveraged) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Observer observer({});
    observer.add(std::vector<float>{1, bad, 2});
    observer.add(std::vector<float>{1, 2});
    const auto range = observer.range();
    ASSERT_FALSE(range.ok());
    EXPECT_EQ(range.error().message(), "has 1 NaN or infinite elements on the calibration data");
  }
}

TEST(Observer, WithoutDataThereIsNoRange) {
  Observer observer({});
  observer.add({});
  EXPECT_FALSE(observer.range().ok());
}

TEST(Observer, EveryKindTakesAConstantValue) {
  for (const ObserverKind kind :
       {ObserverKind::kMinMax, ObserverKind::kMovingAverage, ObserverKind::kPercentile, ObserverKind::kMse}) {
    for (const float constant : {0.0f, 2.5f, -1e-30f, 3e38f}) {
      const Range range = range_after({.kind = kind}, {std::vector<float>(100, constant)});
      const Params params = activation_params(range);
      ASSERT_GT(params.scale, 0) << name_of(kind) << " " << constant;
      ASSERT_TRUE(std::isfinite(params.scale)) << name_of(kind) << " " << constant;
      EXPECT_NEAR(dequantised(quantised(constant, params, kActivationLow), params), constant,
                  std::abs(constant) * 0.02 + 1e-10)
          << name_of(kind) << " " << constant;
    }
  }
}

TEST(Observer, NamesAreReadAndWritten) {
  for (const std::string_view name : {"minmax", "moving-average", "percentile", "mse"}) {
    ASSERT_TRUE(observer_from_name(name)) << name;
    EXPECT_EQ(name_of(*observer_from_name(name)), name);
  }
  EXPECT_EQ(observer_from_name("histogram"), ObserverKind::kPercentile);
  EXPECT_FALSE(observer_from_name("entropy"));
}

TEST(Params, ZeroIsAlwaysExact) {
  for (const Range range :
       {Range{0.3, 1.7}, Range{-5, -1}, Range{-0.1, 3}, Range{-1e-20, 1e-20}, Range{0, 0}}) {
    const Params params = activation_params(range);
    EXPECT_EQ(dequantised(quantised(0, params, kActivationLow), params), 0)
        << range.low << ".." << range.high;
    EXPECT_GE(params.zero_point, kActivationLow);
    EXPECT_LE(params.zero_point, kHigh);
  }
}

}  // namespace
}  // namespace etalon::quantize
