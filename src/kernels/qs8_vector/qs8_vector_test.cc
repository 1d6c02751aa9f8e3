#include "kernels/qs8_vector/qs8_vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/qs8_vector/qs8_vector_test.h"

namespace etalon::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class Qs8VectorKernelsTest : public Qs8VectorOnIsa {};

int clamped(std::int64_t x, int low, int high) {
  return static_cast<int>(std::min<std::int64_t>(std::max<std::int64_t>(x, low), high));
}
int expected(int a, int b, const Qs8Sum& s) {
  const std::int64_t exact = std::int64_t{s.bias} + std::int64_t{a} * s.left + std::int64_t{b} * s.right;
  const auto wrapped = static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(exact)));
  const std::int64_t unit = std::int64_t{1} << s.shift, remainder = ((wrapped % unit) + unit) % unit;
  return clamped((wrapped - remainder) / unit + s.zero_point, s.min, s.max);
}
int expected(int a, int b, const Qs8Product& p) {
  const float exact = static_cast<float>((a - p.left_zero) * (b - p.right_zero));
  return rounded_within(exact * p.scale, p.min - p.zero_point, p.max - p.zero_point) + p.zero_point;
}

std::vector<Qs8Sum> sums() {
  constexpr std::int32_t kMost = (1 << 22) - 1;
  return {{.bias = 1 << 19, .left = 1 << 20, .right = 1 << 20, .shift = 20},
          {.bias = (1 << 20) + 3 * 1234567 - 5 * 2000001, .left = 1234567, .right = 2000001, .shift = 21,
           .zero_point = -7, .min = -100, .max = 90},
          {.bias = 1 << 19, .left = 1048576, .right = -917777, .shift = 20, .zero_point = 4},
          {.bias = 0, .left = -1, .right = 255, .shift = 12, .zero_point = 127},
          {.bias = -5, .left = 256, .right = -257, .shift = 12, .zero_point = -128, .min = 0},
          {.bias = 1 << 11, .left = kMost, .right = kMost, .shift = 12, .zero_point = -128},
          {.bias = 1 << 11, .left = -kMost, .right = -kMost, .shift = 12, .zero_point = 127},
          {.bias = 1 << 30, .left = kMost, .right = -kMost, .shift = 31},
          {.bias = 0x7fffffff, .left = kMost, .right = kMost, .shift = 13, .zero_point = 1},
          {.bias = 1 << 24, .left = 1999999, .right = 3, .shift = 25, .zero_point = 9, .min = 5, .max = 5}};
}
std::vector<Qs8Product> products() {
  return {{.scale = 0.5f},
          {.left_zero = -128, .right_zero = -128, .scale = 1.0f / 255, .zero_point = -128},
          {.left_zero = 127, .right_zero = -128, .scale = 0.0078431f, .zero_point = 127},
          {.left_zero = 3, .right_zero = -5, .scale = 0.0123f, .zero_point = 11, .min = -50, .max = 77},
          {.left_zero = -1, .right_zero = 1, .scale = 0.25f, .zero_point = -1, .min = 20, .max = 20},
          {.left_zero = 10, .right_zero = 20, .scale = 1e-6f},
          {.left_zero = 10, .right_zero = 20, .scale = 1e-42f, .zero_point = 3},
          {.left_zero = 10, .right_zero = 20, .scale = 0x1.fffffep14f, .zero_point = -128},
          {.left_zero = -128, .right_zero = 127, .scale = 0x1p15f, .zero_point = 5},
          {.left_zero = -128, .right_zero = -128, .scale = 1e5f, .zero_point = 5, .max = 126},
          {.left_zero = 0, .right_zero = 1, .scale = 3e38f, .zero_point = -3, .min = -9, .max = 9}};
}

template <class Params, class Function>
void expect_every_pair(const std::vector<Params>& all, Function run) {
  std::vector<std::int8_t> a(65536), b(65536), out(65536);
  for (int i = 0; i < 65536; ++i) {
    a[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i);
    b[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i >> 8);
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    run(a.data(), b.data(), out.data(), out.size(), all[k]);
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_EQ(int{out[i]}, expected(a[i], b[i], all[k])) << "parameters " << k << ": " << +a[i] << ", " << +b[i];
    }
  }
}

TEST_P(Qs8VectorKernelsTest, sums_are_exact_for_every_pair_of_bytes) { expect_every_pair(sums(), kernels().add); }
TEST_P(Qs8VectorKernelsTest, products_are_exact_for_every_pair_of_bytes) {
  expect_every_pair(products(), kernels().multiply);
}
TEST_P(Qs8VectorKernelsTest, a_scalar_is_added_or_multiplied_as_a_row_of_it) {
  const auto by_scalar = [](auto function) {
    return [function](const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const auto& p) {
      for (std::size_t i = 0; i < n; i += 256) function(a + i, b + i, out + i, 256, p);
    };
  };
  expect_every_pair(sums(), by_scalar(kernels().add_scalar));
  expect_every_pair(products(), by_scalar(kernels().multiply_scalar));
}

TEST_P(Qs8VectorKernelsTest, every_length_stays_within_its_arrays) {
  const Qs8Sum sum = sums()[1];
  const Qs8Product product = products()[3];
  for (std::size_t n = 0; n <= 200; ++n) {
    std::int8_t *a = a_.last(n), *b = b_.last(n);
    fill(a, n);
    fill(b, n);
    std::int8_t* out = fresh_output(n);
    kernels().add(a, b, out, n, sum);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, expected(a[i], b[i], sum)) << n;
    kernels().multiply(a, b, out, n, product);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, expected(a[i], b[i], product)) << n;
    const std::int8_t* one = b_.last(1);
    kernels().add_scalar(a, one, out, n, sum);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, expected(a[i], *one, sum)) << n;
    kernels().multiply_scalar(a, one, out, n, product);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, expected(a[i], *one, product)) << n;
    expect_nothing_before(n);
  }
}

TEST_P(Qs8VectorKernelsTest, results_may_take_the_place_of_an_operand) {
  for (std::size_t n : {1u, 63u, 64u, 65u, 200u, 1000u}) {
    std::vector<std::int8_t> a(n), b(n);
    fill(a.data(), n);
    fill(b.data(), n);
    std::vector<std::int8_t> in_a = a, in_b = b, translated = a;
    kernels().add(in_a.data(), b.data(), in_a.data(), n, sums()[2]);
    kernels().multiply(a.data(), in_b.data(), in_b.data(), n, products()[1]);
    std::uint8_t table[256];
    for (int i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(i * 7 + 3);
    kernels().translate(translated.data(), translated.data(), n, table);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(int{in_a[i]}, expected(a[i], b[i], sums()[2]));
      ASSERT_EQ(int{in_b[i]}, expected(a[i], b[i], products()[1]));
      ASSERT_EQ(static_cast<std::uint8_t>(translated[i]), table[static_cast<std::uint8_t>(a[i])]);
    }
  }
}

TEST_P(Qs8VectorKernelsTest, a_row_takes_part_with_each_row_of_its_length) {
  for (std::size_t columns : {0u, 1u, 2u, 3u, 7u, 8u, 15u, 16u, 17u, 24u, 31u, 32u, 33u, 40u, 63u, 64u, 65u, 100u,
                              128u, 130u, 300u, 511u, 512u, 513u, 515u, 1152u}) {
    for (std::size_t rows : {0u, 1u, 2u, 7u, 8u, 9u, 49u, 300u}) {
      const std::size_t n = rows * columns;
      if (n > 8000) continue;
      std::int8_t *a = a_.last(n), *b = b_.last(columns), *out = fresh_output(n);
      fill(a, n);
      fill(b, columns);
      kernels().add_columns(a, b, out, rows, columns, sums()[2]);
      const Qs8Sum sum = sums()[2];
      const Qs8Product product = products()[3];
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, expected(a[i], b[i % columns], sum)) << columns;
      std::memcpy(out, a, n);
      kernels().multiply_columns(out, b, out, rows, columns, product);
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, expected(a[i], b[i % columns], product)) << columns;
      expect_nothing_before(n);
    }
  }
}

TEST_P(Qs8VectorKernelsTest, tables_give_every_byte_for_every_length) {
  std::uint8_t tables[3][256];
  for (int i = 0; i < 256; ++i) {
    tables[0][i] = static_cast<std::uint8_t>(i);
    tables[1][i] = static_cast<std::uint8_t>(255 - i);
    tables[2][i] = static_cast<std::uint8_t>(random_());
  }
  for (const auto& table : tables) {
    for (std::size_t n = 0; n <= 600; n += n < 200 ? 1 : 29) {
      std::int8_t *x = a_.last(n), *out = fresh_output(n);
      for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<std::int8_t>(i * 5 + 1);
      kernels().translate(x, out, n, table);
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], static_cast<std::int8_t>(table[(i * 5 + 1) % 256])) << n;
      expect_nothing_before(n);
    }
  }
}

std::vector<float> interesting_floats(std::mt19937& random) {
  std::vector<float> out = {0.0f, -0.0f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, 126.5f, 127.5f, -127.5f, -128.5f, 254.5f,
                            255.5f, -255.5f, 1e-45f, -1e-45f, 1e-38f, 2147483520.0f, 2147483648.0f, -2147483648.0f, 3e9f,
                            -3e9f, 3.4e38f, -3.4e38f, kInf, -kInf, kNan, -kNan,
                            std::numeric_limits<float>::signaling_NaN()};
  std::uniform_real_distribution<float> near(-300.0f, 300.0f), exponent(-45.0f, 38.5f);
  for (int i = 0; i < 3000; ++i) {
    out.push_back(near(random));
    out.push_back(std::round(near(random)) + 0.5f);
    out.push_back(std::pow(10.0f, exponent(random)) * (i % 2 == 0 ? 1.0f : -1.0f));
  }
  return out;
}

TEST_P(Qs8VectorKernelsTest, floats_are_quantised_to_the_nearest_and_within_limits) {
  const std::vector<float> x = interesting_floats(random_);
  for (float inverse : {1.0f, 0.1f, 12.345f, 1e-30f, 3e38f, 1e-40f, kInf, 0.0f}) {
    for (int zero : {0, 1, -128, 127, -7}) {
      std::vector<std::int8_t> out(x.size());
      kernels().quantise(x.data(), out.data(), x.size(), inverse, zero);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const int want = rounded_within(x[i] * inverse, -128 - zero, 127 - zero) + zero;
        ASSERT_EQ(int{out[i]}, want) << x[i] << " * " << inverse << ", zero point " << zero;
      }
    }
  }
}

TEST_P(Qs8VectorKernelsTest, conversions_of_every_length_stay_within_their_arrays) {
  for (std::size_t n = 0; n <= 200; ++n) {
    float* x = a_.last_floats(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 77) * 3.3f - 120.0f;
    std::int8_t* out = fresh_output(n);
    kernels().quantise(x, out, n, 1.0f, 3);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(int{out[i]}, rounded_within(x[i], -131, 124) + 3) << n;
    expect_nothing_before(n);

    std::int8_t* bytes = b_.last(n);
    fill(bytes, n);
    float* real = out_.last_floats(n);
    std::memset(real - 1, 0x5a, sizeof *real);
    kernels().dequantise(bytes, real, n, 0.37f, -9);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(real[i], 0.37f * static_cast<float>(bytes[i] + 9)) << n;
    EXPECT_EQ(reinterpret_cast<const std::int8_t*>(real)[-1], 0x5a) << "wrote before the beginning";
  }
}

TEST_P(Qs8VectorKernelsTest, every_byte_stands_for_its_real_number) {
  std::vector<std::int8_t> x(256);
  for (int i = 0; i < 256; ++i) x[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i);
  for (float scale : {1.0f, 0.0235f, 1e-44f, 3e38f}) {
    for (int zero : {0, -128, 127, 5}) {
      std::vector<float> out(256);
      kernels().dequantise(x.data(), out.data(), 256, scale, zero);
      for (std::size_t i = 0; i < 256; ++i) ASSERT_EQ(out[i], scale * static_cast<float>(x[i] - zero));
    }
  }
}

struct ExpectedRow {
  float scale, multiplier;
  int zero_point;
};
ExpectedRow expected_row(const std::vector<float>& x) {
  float low = 0, high = 0;
  for (float v : x) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  ExpectedRow row{};
  row.multiplier = low == high ? 1.0f : 255.0f / (high - low);
  row.scale = 1.0f / row.multiplier;
  const float at_low = low * row.multiplier, at_high = high * row.multiplier;
  const float balance = (-128.0f + at_low) + (127.0f + at_high);
  row.zero_point = rounded_within(balance > 0 ? -128.0f - at_low : 127.0f - at_high, -128, 127);
  return row;
}

std::vector<std::vector<float>> rows_to_quantise(std::mt19937& random) {
  std::vector<std::vector<float>> out = {{}, {0.0f, -0.0f}, {kNan, kNan, kNan}, {kInf, 1.0f, -2.0f}, {-kInf, 0.0f},
                                         {kInf, -kInf, 3.0f}, {3e38f, -3e38f, 1.0f}, {1e-45f}, {-1e-45f, 1e-40f},
                                         {-0.0f}, {5.0f}, {-5.0f}, {kNan, 4.0f, -kNan, -1.0f}};
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  for (std::size_t n = 0; n <= 200; ++n) {
    std::vector<float> row(n);
    const float offset = static_cast<float>(n % 5) - 2.0f;
    for (float& v : row) v = uniform(random) + offset;
    if (n % 7 == 3) row[n / 2] = kNan;
    if (n > 0 && n % 3 == 0) row[n - 1] = offset < 0 ? -9.0f : 9.0f;
    out.push_back(row);
  }
  std::vector<float> large(1537);
  for (float& v : large) v = uniform(random) * 0.01f;
  out.push_back(large);
  return out;
}

TEST_P(Qs8VectorKernelsTest, a_row_is_quantised_by_its_own_range) {
  for (const std::vector<float>& row : rows_to_quantise(random_)) {
    float* x = a_.last_floats(row.size());
    if (!row.empty()) std::memcpy(x, row.data(), row.size() * sizeof(float));
    std::int8_t* out = fresh_output(row.size());
    const Qd8Row got = kernels().quantise_row(x, out, row.size());
    const ExpectedRow want = expected_row(row);
    ASSERT_EQ(got.scale, want.scale) << row.size();
    ASSERT_EQ(got.zero_point, want.zero_point) << row.size();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const int low = -128 - want.zero_point, high = 127 - want.zero_point;
      ASSERT_EQ(int{out[i]}, rounded_within(row[i] * want.multiplier, low, high) + want.zero_point)
          << row[i] << " of " << row.size();
    }
    expect_nothing_before(row.size());
  }
}

// Zero lies about halfway between two steps in each of these: products and sums that are rounded once instead of twice
// place it elsewhere.
TEST_P(Qs8VectorKernelsTest, ranges_of_all_kinds_have_the_scale_and_zero_point_of_the_formula) {
  std::uniform_int_distribution<int> half_steps(0, 510);
  std::uniform_real_distribution<float> exponent(-20.0f, 20.0f);
  for (int i = 0; i < 5000; ++i) {
    const float unit = std::pow(2.0f, exponent(random_));
    const int below = half_steps(random_);
    const std::vector<float> row = {unit * static_cast<float>(-below), unit * static_cast<float>(510 - below)};
    std::int8_t out[2];
    const Qd8Row got = kernels().quantise_row(row.data(), out, row.size());
    const ExpectedRow want = expected_row(row);
    ASSERT_EQ(got.scale, want.scale) << row[0] << ", " << row[1];
    ASSERT_EQ(got.zero_point, want.zero_point) << row[0] << ", " << row[1];
  }
}

TEST(Qs8VectorKernels, the_table_is_the_best_within_the_cap) {
  for (const IsaInfo& info : all_isas()) EXPECT_TRUE(is_within(qs8_vector_kernels(info.isa).isa, info.isa));
  EXPECT_EQ(qs8_vector_kernels(Isa::kScalar).isa, Isa::kScalar);
  EXPECT_EQ(qs8_vector_kernels(Isa::kScalar).suffix, "scalar");
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Qs8VectorKernelsTest, ::testing::ValuesIn(isas_with_qs8_vectors()),
                         [](const auto& instance) { return std::string(info_of(instance.param).name); });

}  // namespace
}  // namespace etalon::kernels
