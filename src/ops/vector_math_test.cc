#include "ops/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace etalon::ops {
namespace {

// Distance in units in the last place of the exact value.
double ulps(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  if (std::isinf(nearest)) return got == nearest ? 0 : 1e9;
  const float magnitude = std::fabs(nearest);
  const double unit = static_cast<double>(magnitude) - std::nextafter(magnitude, -1.0f);
  return std::fabs(got - exact) / unit;
}

template <class Fast, class Exact>
double worst(Fast fast, Exact exact) {
  double most = 0;
  // Every float has the same chance in exponent and mantissa.
  for (std::uint32_t bits = 0; bits < 0x7f800000u; bits += 9973) {
    for (const float x : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)}) {
      most = std::max(most, ulps(fast(x), exact(static_cast<double>(x))));
    }
  }
  for (float x = -110.0f; x < 110.0f; x += 0.00137f)
    most = std::max(most, ulps(fast(x), exact(static_cast<double>(x))));
  return most;
}

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(VectorMath, exp_is_within_two_ulps) {
  EXPECT_LE(worst(exp_f32, [](double x) { return std::exp(x); }), 2.0);
  EXPECT_EQ(exp_f32(kInf), kInf);
  EXPECT_EQ(exp_f32(-kInf), 0.0f);
  EXPECT_TRUE(std::isnan(exp_f32(kNan)));
}

TEST(VectorMath, expm1_is_within_two_ulps) {
  EXPECT_LE(worst(expm1_f32, [](double x) { return std::expm1(x); }), 2.0);
  EXPECT_EQ(expm1_f32(kInf), kInf);
  EXPECT_EQ(expm1_f32(-kInf), -1.0f);
  EXPECT_TRUE(std::isnan(expm1_f32(kNan)));
}

TEST(VectorMath, tanh_is_within_two_ulps) {
  EXPECT_LE(worst(tanh_f32, [](double x) { return std::tanh(x); }), 2.0);
  EXPECT_EQ(tanh_f32(-kInf), -1.0f);
  EXPECT_TRUE(std::signbit(tanh_f32(-0.0f)));
  EXPECT_TRUE(std::isnan(tanh_f32(kNan)));
}

TEST(VectorMath, erf_is_within_two_ulps) {
  EXPECT_LE(worst(erf_f32, [](double x) { return std::erf(x); }), 2.0);
  EXPECT_EQ(erf_f32(kInf), 1.0f);
  EXPECT_EQ(erf_f32(-kInf), -1.0f);
  EXPECT_TRUE(std::isnan(erf_f32(kNan)));
}

TEST(VectorMath, rounding_is_exact) {
  for (std::uint32_t bits = 0; bits <= 0x7f800000u; bits += 0x8000u) {
    for (const float x : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)}) {
      const auto same = [&](float got, float want) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(got), std::bit_cast<std::uint32_t>(want)) << x;
      };
      same(round_even_f32(x), std::nearbyint(x));
      same(floor_f32(x), std::floor(x));
      same(ceil_f32(x), std::ceil(x));
      same(trunc_f32(x), std::trunc(x));
    }
  }
  EXPECT_EQ(round_even_f32(2.5f), 2.0f);
  EXPECT_TRUE(std::isnan(floor_f32(kNan)));
}

TEST(VectorMath, sigmoid_is_close_where_it_does_not_underflow) {
  double most = 0;
  for (float x = -80.0f; x < 80.0f; x += 0.00137f) {
    most = std::max(most, ulps(sigmoid_f32(x), 1.0 / (1.0 + std::exp(-static_cast<double>(x)))));
  }
  EXPECT_LE(most, 2.5);
  EXPECT_EQ(sigmoid_f32(-kInf), 0.0f);
  EXPECT_EQ(sigmoid_f32(kInf), 1.0f);
  EXPECT_TRUE(std::isnan(sigmoid_f32(kNan)));
}

}  // namespace
}  // namespace etalon::ops
