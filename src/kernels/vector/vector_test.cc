#include "kernels/vector/vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kGuard = -12345.0f;

class VectorKernelsTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!testing::cpu_runs(GetParam())) GTEST_SKIP() << "this CPU lacks " << info_of(GetParam()).name;
  }
  const VectorKernels& kernels() const { return vector_kernels(GetParam()); }

  std::vector<float> random(std::size_t n, float low, float high) {
    std::uniform_real_distribution<float> uniform(low, high);
    std::vector<float> out(n);
    for (float& x : out) x = uniform(random_);
    return out;
  }
  std::mt19937 random_{7};
};

// `n` results with a guard element behind them.
struct Guarded {
  explicit Guarded(std::size_t n) : values(n + 1, kGuard) {}
  ~Guarded() { EXPECT_EQ(values.back(), kGuard) << "wrote behind the end"; }
  float* data() { return values.data(); }
  float operator[](std::size_t i) const { return values[i]; }
  std::vector<float> values;
};

double exact(Unary op, double x, double alpha) {
  switch (op) {
    case Unary::kAbs: return std::fabs(x);
    case Unary::kApproximateGelu:
      if (std::fabs(x) > 1e12) return x > 0 ? x : std::isinf(x) ? std::nan("") : -0.0;
      return x * 0.5 * (1 + std::tanh(M_SQRT2 / std::sqrt(M_PI) * (x + 0.044715 * x * x * x)));
    case Unary::kCeiling: return std::ceil(x);
    case Unary::kClamp: return x;
    case Unary::kCopy: return x;
    case Unary::kCos: return std::cos(x);
    case Unary::kElu: return x < 0 ? alpha * std::expm1(x) : x;
    case Unary::kExp: return std::exp(x);
    case Unary::kFloor: return std::floor(x);
    case Unary::kGelu: return x * 0.5 * std::erfc(-x * M_SQRT1_2);
    case Unary::kHardsigmoid: return std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case Unary::kHardswish: return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case Unary::kLeakyRelu: return x < 0 ? alpha * x : x;
    case Unary::kLog: return std::log(x);
    case Unary::kNegate: return -x;
    case Unary::kReciprocalSqrt: return 1 / std::sqrt(x);
    case Unary::kRound: return std::nearbyint(x);
    case Unary::kSigmoid: return 1 / (1 + std::exp(-x));
    case Unary::kSilu: return x / (1 + std::exp(-x));
    case Unary::kSin: return std::sin(x);
    case Unary::kSqrt: return std::sqrt(x);
    case Unary::kSquare: return x * x;
    case Unary::kTanh: return std::tanh(x);
  }
  return 0;
}

// The bounds that math_impl.h states, in units in the last place; GELU's is relative to |x|.
double allowed_ulps(Unary op) {
  switch (op) {
    case Unary::kExp: return 1.3;
    case Unary::kLog: return 1.0;
    case Unary::kSin: case Unary::kCos: return 2.0;
    case Unary::kElu: return 1.8;
    case Unary::kSigmoid: return 2.8;
    case Unary::kSilu: return 3.6;
    case Unary::kTanh: return 3.1;
    case Unary::kHardswish: case Unary::kHardsigmoid: return 2.6;
    case Unary::kReciprocalSqrt: return 1.5;
    default: return 0.51;
  }
}
double ulp(double x) {
  int e = 0;
  std::frexp(x, &e);
  return std::ldexp(1.0, std::max(e - 24, -149));
}

std::vector<float> interesting_arguments(std::mt19937& random) {
  std::vector<float> out = {0.0f, -0.0f, 1.0f, -1.0f, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f, 3.0f, -3.0f, 6.0f, 1e-45f, -1e-45f,
                            1e-40f, -1e-40f, 1.17549435e-38f, 3e38f, -3e38f, 88.0f, 88.72f, 88.73f, 89.5f, 100.0f, -87.0f,
                            -88.0f, -100.0f, -103.9f, -104.5f, -1000.0f, 1e5f, -1e5f, 99999.9f, 1.5e5f, -3.3e7f, 1e10f,
                            8388607.5f, 5.3f, -5.3f, -5.31f, kInf, -kInf, kNan};
  std::uniform_real_distribution<float> exponent(-45.0f, 38.0f), near(-10.0f, 10.0f), wide(-110.0f, 110.0f);
  for (int i = 0; i < 20000; ++i) {
    out.push_back(near(random));
    out.push_back(wide(random));
    out.push_back(std::pow(10.0f, exponent(random)) * (i % 2 == 0 ? 1.0f : -1.0f));
  }
  return out;
}

TEST_P(VectorKernelsTest, unary_functions_are_as_exact_as_stated_for_all_kinds_of_arguments) {
  const std::vector<float> x = interesting_arguments(random_);
  for (std::size_t k = 0; k < kernels().unary.size(); ++k) {
    const Unary op = static_cast<Unary>(k);
    const UnaryParams params{0.3f, -kInf, kInf};
    Guarded out(x.size());
    kernels().unary[k](x.data(), out.data(), x.size(), params);
    int wrong = 0;
    for (std::size_t i = 0; i < x.size() && wrong < 5; ++i) {
      const double want = exact(op, x[i], params.alpha);
      const float as_float = static_cast<float>(want);
      bool good = false;
      if (std::isnan(want)) {
        good = std::isnan(out[i]);
      } else if (op == Unary::kGelu || op == Unary::kApproximateGelu) {
        good = std::fabs(out[i] - want) <= 4e-7 * std::fabs(x[i]) || as_float == out[i];
      } else if (std::isinf(as_float) || std::isinf(out[i])) {
        good = as_float == out[i];
      } else {
        good = std::fabs(out[i] - want) <= allowed_ulps(op) * ulp(want) ||
               (op == Unary::kSilu && x[i] < -87 && std::fabs(out[i] - want) < 1e-36);
      }
      if (!good) {
        ++wrong;
        ADD_FAILURE() << name_of(op) << "(" << x[i] << ") is " << out[i] << ", wanted " << want;
      }
    }
  }
}

TEST_P(VectorKernelsTest, unary_functions_treat_every_length_and_in_place_alike) {
  const std::vector<float> all = random(150, 0.1f, 4.0f);
  for (std::size_t k = 0; k < kernels().unary.size(); ++k) {
    const UnaryParams params{0.25f, 0.2f, 3.0f};
    std::vector<float> want(all.size());
    kernels().unary[k](all.data(), want.data(), all.size(), params);
    for (std::size_t n = 0; n <= 70; ++n) {
      Guarded out(n);
      std::copy_n(all.begin(), n, out.data());
      kernels().unary[k](out.data(), out.data(), n, params);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(out[i], want[i]) << name_of(static_cast<Unary>(k)) << " n " << n;
    }
    if (static_cast<Unary>(k) == Unary::kCopy) continue;
    EXPECT_GE(*std::min_element(want.begin(), want.end()), 0.2f);
    EXPECT_LE(*std::max_element(want.begin(), want.end()), 3.0f);
  }
}

TEST_P(VectorKernelsTest, a_copy_keeps_the_bits_of_integers) {
  std::vector<std::uint32_t> x = {0x7f800001u, 0xffc12345u, 1u, 0x80000000u, 0xffffffffu};
  std::vector<std::uint32_t> out(x.size());
  kernels().unary[static_cast<std::size_t>(Unary::kCopy)](reinterpret_cast<const float*>(x.data()),
                                                          reinterpret_cast<float*>(out.data()), x.size(), {});
  EXPECT_EQ(out, x);
}

float exact(Binary op, float a, float b) {
  switch (op) {
    case Binary::kAdd: return a + b;
    case Binary::kSubtract: return a - b;
    case Binary::kMultiply: return a * b;
    case Binary::kDivide: return a / b;
    case Binary::kMaximum: return std::isnan(a) || std::isnan(b) ? kNan : std::max(a, b);
    case Binary::kMinimum: return std::isnan(a) || std::isnan(b) ? kNan : std::min(a, b);
    case Binary::kPRelu: return a < 0 ? a * b : a;
  }
  return 0;
}
void expect_same(float got, float want, const std::string& what) {
  if (std::isnan(want)) {
    EXPECT_TRUE(std::isnan(got)) << what << ": " << got;
  } else {
    EXPECT_EQ(got, want) << what;
  }
}

TEST_P(VectorKernelsTest, binary_functions_are_exact_for_every_length_and_form) {
  std::vector<float> a = random(75, -4.0f, 4.0f);
  std::vector<float> b = random(75, -4.0f, 4.0f);
  a[3] = kNan, b[5] = kNan, a[7] = kInf, b[7] = -kInf, b[9] = 0.0f, a[40] = kNan, b[41] = kNan;
  for (std::size_t k = 0; k < kernels().binary.size(); ++k) {
    const Binary op = static_cast<Binary>(k);
    const std::string name(name_of(op));
    for (std::size_t n = 0; n <= 75; ++n) {
      Guarded rows(n), scalar_b(n), scalar_a(n);
      kernels().binary[k](a.data(), b.data(), rows.data(), n, -5.0f, 6.0f);
      kernels().binary_scalar[k](a.data(), &b[1], scalar_b.data(), n, -kInf, kInf);
      kernels().binary_by_scalar[k](&a[1], b.data(), scalar_a.data(), n, -kInf, kInf);
      for (std::size_t i = 0; i < n; ++i) {
        const float want = exact(op, a[i], b[i]);
        expect_same(rows[i], std::isnan(want) ? want : std::clamp(want, -5.0f, 6.0f), name + " of rows");
        expect_same(scalar_b[i], exact(op, a[i], b[1]), name + " by a scalar");
        expect_same(scalar_a[i], exact(op, a[1], b[i]), name + " of a scalar");
      }
    }
  }
}

TEST_P(VectorKernelsTest, softmax_adds_up_to_one_and_is_near_to_exact) {
  for (std::size_t n = 1; n <= 200; n += n < 70 ? 1 : 13) {
    for (float scale : {1.0f, 0.125f, -2.0f, 0.0f}) {
      std::vector<float> x = random(n, -20.0f, 20.0f);
      if (n > 4) x[n / 2] = scale < 0 ? kInf : scale == 0 ? 1.0f : -kInf;
      Guarded out(n);
      kernels().softmax_row(x.data(), out.data(), n, scale);
      double largest = -kInf, total = 0;
      for (float v : x) largest = std::max(largest, static_cast<double>(v) * scale);
      for (float v : x) total += std::exp(static_cast<double>(v) * scale - largest);
      for (std::size_t i = 0; i < n; ++i) {
        const double want = std::exp(static_cast<double>(x[i]) * scale - largest) / total;
        EXPECT_NEAR(out[i], want, 4e-6 * want + 1e-30) << "n " << n << " scale " << scale << " i " << i;
      }
    }
  }
  Guarded none(0);
  kernels().softmax_row(none.data(), none.data(), 0, 1.0f);
}

TEST_P(VectorKernelsTest, softmax_of_a_row_with_a_nan_or_without_a_finite_element_is_nan) {
  for (float odd : {kNan, kInf}) {
    std::vector<float> x = random(37, -1.0f, 1.0f);
    x[11] = odd;
    kernels().softmax_row(x.data(), x.data(), x.size(), 1.0f);
    EXPECT_TRUE(std::isnan(x[11]));
  }
  std::vector<float> x(21, -kInf);
  kernels().softmax_row(x.data(), x.data(), x.size(), 1.0f);
  for (float v : x) EXPECT_TRUE(std::isnan(v));
}

TEST_P(VectorKernelsTest, layer_norm_is_near_to_exact_even_with_a_large_mean) {
  for (std::size_t n = 1; n <= 400; n += n < 70 ? 1 : 31) {
    for (float offset : {0.0f, 1000.0f}) {
      for (int form = 0; form < 4; ++form) {
        const std::vector<float> x = random(n, offset - 1.0f, offset + 1.0f);
        const std::vector<float> gamma = random(n, 0.5f, 2.0f), beta = random(n, -1.0f, 1.0f);
        double mean = 0, variance = 0;
        for (float v : x) mean += v;
        mean /= static_cast<double>(n);
        for (float v : x) variance += (v - mean) * (v - mean);
        const double rstd = 1 / std::sqrt(variance / static_cast<double>(n) + 1e-5);
        Guarded out(n);
        float got_mean = 0, got_rstd = 0;
        kernels().layer_norm_row(x.data(), form & 1 ? gamma.data() : nullptr, form & 2 ? beta.data() : nullptr,
                                 out.data(), n, 1e-5f, &got_mean, form == 0 ? nullptr : &got_rstd);
        EXPECT_NEAR(got_mean, mean, 2e-7 * (std::fabs(mean) + 1));
        if (form != 0) EXPECT_NEAR(got_rstd, rstd, rstd * (offset == 0 ? 1e-6 : 1e-4));
        if (n == 1) continue;
        for (std::size_t i = 0; i < n; ++i) {
          const double want = (x[i] - mean) * rstd * (form & 1 ? gamma[i] : 1) + (form & 2 ? beta[i] : 0);
          EXPECT_NEAR(out[i], want, offset == 0 ? 4e-6 : 1e-3) << "n " << n << " form " << form << " i " << i;
        }
      }
    }
  }
}

TEST_P(VectorKernelsTest, sums_and_maxima_of_rows_cover_every_element) {
  EXPECT_EQ(kernels().sum_row(nullptr, 0), 0.0f);
  EXPECT_EQ(kernels().max_row(nullptr, 0), -kInf);
  for (std::size_t n = 1; n <= 150; ++n) {
    std::vector<float> x = random(n, -3.0f, -1.0f);
    EXPECT_NEAR(kernels().sum_row(x.data(), n), std::accumulate(x.begin(), x.end(), 0.0), 1e-5 * n);
    x[(n * 7) % n] = -0.5f;
    x[n - 1] = -0.25f;
    EXPECT_EQ(kernels().max_row(x.data(), n), -0.25f);
    x[n - 1] = -2.0f, x[n / 2] = -0.125f;
    EXPECT_EQ(kernels().max_row(x.data(), n), -0.125f);
  }
}

TEST_P(VectorKernelsTest, sums_of_columns_are_scaled_and_clamped) {
  for (std::size_t rows : {0u, 1u, 2u, 3u, 5u, 49u, 127u, 128u, 129u, 300u}) {
    for (std::size_t columns : {1u, 3u, 4u, 7u, 8u, 15u, 16u, 17u, 31u, 32u, 63u, 64u, 65u, 80u, 97u, 130u}) {
      const std::size_t stride = columns + 3;
      const std::vector<float> x = random(rows * stride + 1, -1.0f, 2.0f);
      Guarded out(columns);
      kernels().sum_columns(x.data(), rows, stride, columns, 0.5f, -10.0f, 60.0f, out.data());
      for (std::size_t c = 0; c < columns; ++c) {
        double want = 0;
        for (std::size_t r = 0; r < rows; ++r) want += x[r * stride + c];
        want = std::clamp(want * 0.5, -10.0, 60.0);
        EXPECT_NEAR(out[c], want, 1e-6 * (rows + 1)) << rows << " x " << columns;
      }
    }
  }
}

TEST_P(VectorKernelsTest, a_row_times_a_matrix_in_both_orders) {
  for (std::size_t rows : {0u, 1u, 7u, 8u, 9u, 30u}) {
    for (std::size_t columns : {1u, 4u, 7u, 15u, 16u, 17u, 33u, 80u}) {
      const std::size_t stride = columns + 5;
      const std::vector<float> x = random(rows * stride + 1, -1.0f, 1.0f), weight = random(rows + 1, -1.0f, 1.0f);
      Guarded out(columns);
      kernels().weighted_sum_columns(weight.data(), x.data(), rows, stride, columns, out.data());
      for (std::size_t c = 0; c < columns; ++c) {
        double want = 0;
        for (std::size_t r = 0; r < rows; ++r) want += static_cast<double>(weight[r]) * x[r * stride + c];
        EXPECT_NEAR(out[c], want, 1e-5) << rows << " x " << columns;
      }
    }
  }
  for (std::size_t n = 0; n <= 150; ++n) {
    const std::vector<float> a = random(n, -1.0f, 1.0f), b = random(n, -1.0f, 1.0f);
    EXPECT_NEAR(kernels().dot_row(a.data(), b.data(), n), std::inner_product(a.begin(), a.end(), b.begin(), 0.0), 1e-5);
  }
}

TEST_P(VectorKernelsTest, columns_are_scaled_and_offset) {
  for (std::size_t columns = 1; columns <= 70; ++columns) {
    const std::size_t rows = 3;
    const std::vector<float> x = random(rows * columns, -1.0f, 1.0f), row = random(columns, -2.0f, 2.0f);
    Guarded scaled(rows * columns), offset(rows * columns);
    kernels().scale_columns(x.data(), row.data(), scaled.data(), rows, columns);
    kernels().add_columns(x.data(), row.data(), offset.data(), rows, columns, -0.5f, 2.0f);
    for (std::size_t i = 0; i < rows * columns; ++i) {
      EXPECT_EQ(scaled[i], x[i] * row[i % columns]);
      EXPECT_EQ(offset[i], std::clamp(x[i] + row[i % columns], -0.5f, 2.0f));
    }
  }
}

std::vector<PoolShape> pool_shapes() {
  std::vector<PoolShape> out;
  for (std::int64_t channels : {1, 3, 4, 8, 15, 16, 17, 64, 67, 130}) {
    PoolShape s;
    s.in_h = 7, s.in_w = 9, s.channels = channels;
    s.kernel_h = s.kernel_w = 3, s.stride_h = s.stride_w = 2, s.pad_top = s.pad_left = 1;
    s.out_h = 4, s.out_w = 5;
    out.push_back(s);
    s.kernel_h = 2, s.kernel_w = 4, s.stride_h = 1, s.stride_w = 3, s.pad_top = 1, s.pad_left = 2, s.dilation_h = 3;
    s.dilation_w = 2, s.out_h = 6, s.out_w = 3;
    out.push_back(s);
    s = PoolShape{};
    s.in_h = s.in_w = s.kernel_h = s.kernel_w = 5, s.channels = channels;
    s.min = -0.25f, s.max = 0.5f;
    out.push_back(s);
  }
  return out;
}

TEST_P(VectorKernelsTest, pooling_counts_only_what_is_inside_the_image) {
  for (const PoolShape& s : pool_shapes()) {
    std::vector<float> x = random(static_cast<std::size_t>(s.in_h * s.in_w * s.channels), -1.0f, 1.0f);
    const std::size_t size = static_cast<std::size_t>(s.out_h * s.out_w * s.channels);
    Guarded largest(size), mean(size);
    for (std::int64_t row = 0; row < s.out_h; ++row) {
      kernels().max_pool_rows(s, x.data(), largest.data(), row, row + 1);
    }
    kernels().average_pool_rows(s, x.data(), mean.data(), 0, s.out_h);
    for (std::size_t i = 0; i < size; ++i) {
      const auto flat = static_cast<std::int64_t>(i);
      const std::int64_t c = flat % s.channels, ow = flat / s.channels % s.out_w, oh = flat / s.channels / s.out_w;
      double most = -kInf, total = 0;
      int count = 0;
      for (std::int64_t kh = 0; kh < s.kernel_h; ++kh) {
        for (std::int64_t kw = 0; kw < s.kernel_w; ++kw) {
          const std::int64_t h = oh * s.stride_h - s.pad_top + kh * s.dilation_h;
          const std::int64_t w = ow * s.stride_w - s.pad_left + kw * s.dilation_w;
          if (h < 0 || w < 0 || h >= s.in_h || w >= s.in_w) continue;
          const float v = x[static_cast<std::size_t>((h * s.in_w + w) * s.channels + c)];
          most = std::max<double>(most, v);
          total += v;
          ++count;
        }
      }
      ASSERT_GT(count, 0);
      EXPECT_EQ(largest[i], std::clamp<double>(most, s.min, s.max));
      EXPECT_NEAR(mean[i], std::clamp<double>(total / count, s.min, s.max), 1e-6);
    }
  }
}

TEST_P(VectorKernelsTest, a_nan_wins_a_maximum) {
  PoolShape s;
  s.in_w = s.kernel_w = 3, s.channels = 20;
  for (std::size_t at = 0; at < 3; ++at) {
    std::vector<float> x(60, 1.0f), out(20);
    x[at * 20 + 17] = kNan;
    kernels().max_pool_rows(s, x.data(), out.data(), 0, 1);
    EXPECT_TRUE(std::isnan(out[17]));
    EXPECT_EQ(out[16], 1.0f);
  }
}

TEST_P(VectorKernelsTest, transposition_keeps_every_bit_for_every_size) {
  for (std::size_t rows = 0; rows <= 40; rows += rows < 19 ? 1 : 5) {
    for (std::size_t columns = 0; columns <= 40; columns += columns < 19 ? 1 : 5) {
      const std::size_t stride = columns + 2, out_stride = rows + 1;
      std::vector<std::uint32_t> x(rows * stride + 1), out(columns * out_stride + 1, 77u);
      for (std::uint32_t& v : x) v = static_cast<std::uint32_t>(random_());
      if (!x.empty()) x[0] = 0x7f800001u;
      kernels().transpose_x32(x.data(), stride, out.data(), out_stride, rows, columns);
      for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t r = 0; r < rows; ++r) {
          ASSERT_EQ(out[c * out_stride + r], x[r * stride + c]) << rows << " x " << columns;
        }
        ASSERT_EQ(out[c * out_stride + rows], 77u) << "wrote between the rows";
      }
    }
  }
}

TEST_P(VectorKernelsTest, bilinear_rows_mix_four_pixels) {
  for (std::size_t channels = 1; channels <= 40; ++channels) {
    const std::vector<float> top = random(4 * channels, -1.0f, 1.0f), bottom = random(4 * channels, -1.0f, 1.0f);
    const auto step = static_cast<std::int64_t>(channels);
    const std::vector<std::int64_t> left = {0, 0, step, 2 * step, 3 * step};
    const std::vector<std::int64_t> right = {0, step, 2 * step, 3 * step, 3 * step};
    const std::vector<float> wx = {0.0f, 0.25f, 0.5f, 0.9f, 0.3f};
    const double wy = 0.375;
    Guarded out(left.size() * channels);
    kernels().bilinear_row(top.data(), bottom.data(), left.data(), right.data(), wx.data(), static_cast<float>(wy),
                           out.data(), left.size(), channels);
    for (std::size_t i = 0; i < left.size(); ++i) {
      for (std::size_t c = 0; c < channels; ++c) {
        const auto l = static_cast<std::size_t>(left[i]) + c, r = static_cast<std::size_t>(right[i]) + c;
        const double upper = top[l] * (1.0 - wx[i]) + top[r] * static_cast<double>(wx[i]);
        const double lower = bottom[l] * (1.0 - wx[i]) + bottom[r] * static_cast<double>(wx[i]);
        EXPECT_NEAR(out[i * channels + c], upper * (1 - wy) + lower * wy, 1e-6);
      }
    }
  }
}

TEST(VectorKernels, the_table_is_the_best_within_the_cap) {
  for (const IsaInfo& info : all_isas()) {
    EXPECT_TRUE(is_within(vector_kernels(info.isa).isa, info.isa));
    EXPECT_EQ(vector_kernels(info.isa).unary.size(), 23u);
    EXPECT_EQ(vector_kernels(info.isa).binary.size(), 7u);
  }
  EXPECT_EQ(vector_kernels(Isa::kScalar).isa, Isa::kScalar);
  EXPECT_EQ(name_of(Unary::kHardswish), "vhswish");
  EXPECT_EQ(name_of(Binary::kPRelu), "vprelu");
}

// Those that have vector kernels of their own; the others use what they extend.
std::vector<Isa> every_isa() {
  std::vector<Isa> out;
  for (const IsaInfo& info : all_isas()) {
    if (vector_kernels(info.isa).isa == info.isa) out.push_back(info.isa);
  }
  return out;
}
INSTANTIATE_TEST_SUITE_P(EveryIsa, VectorKernelsTest, ::testing::ValuesIn(every_isa()),
                         [](const auto& instance) { return std::string(info_of(instance.param).name); });

}  // namespace
}  // namespace etalon::kernels
