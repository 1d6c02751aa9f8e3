#include "quantize/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace etalon::quantize {
namespace {

TEST(Agreement, SnrIsTheRatioOfSignalToErrorInDecibels) {
  Agreement agreement;
  agreement.add(std::vector<float>{3, 4}, std::vector<float>{3, 4.5f});
  EXPECT_NEAR(agreement.snr_db().value(), 10 * std::log10(25 / 0.25), 1e-12);
  EXPECT_NEAR(agreement.max_error(), 0.5, 1e-12);
  EXPECT_NEAR(agreement.cosine().value(), (9 + 18) / (5 * std::sqrt(9 + 20.25)), 1e-12);
}

TEST(Agreement, EqualTensorsHaveNoFiniteSnrAndZerosHaveNone) {
  Agreement equal, zeros;
  equal.add(std::vector<float>{1, 2}, std::vector<float>{1, 2});
  EXPECT_TRUE(std::isinf(equal.snr_db().value()));
  zeros.add(std::vector<float>{0, 0}, std::vector<float>{0, 1});
  EXPECT_FALSE(zeros.snr_db().has_value());
  EXPECT_FALSE(zeros.cosine().has_value());
}

TEST(Agreement, NanShows) {
  Agreement agreement;
  agreement.add(std::vector<float>{1, 2}, std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 2});
  EXPECT_TRUE(std::isnan(agreement.max_error()));
  EXPECT_TRUE(std::isnan(agreement.snr_db().value()));
}

TEST(Agreement, Top1IsTheFirstOfEquals) { EXPECT_EQ(top1(std::vector<float>{1, 5, 5}), 1u); }

}  // namespace
}  // namespace etalon::quantize
