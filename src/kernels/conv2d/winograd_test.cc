// How far Winograd convolutions are from double precision, and that they are chosen where they win.
#include <gtest/gtest.h>

#include <random>

#include "kernels/conv2d/conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

using testing::FloatBuffer;

Conv2dShape square(std::int64_t size, std::int64_t in_c, std::int64_t out_c) {
  Conv2dShape s;
  s.in_h = s.in_w = s.out_h = s.out_w = size;
  s.in_c = s.in_pixel_stride = in_c;
  s.out_c = s.out_pixel_stride = out_c;
  s.kernel_h = s.kernel_w = 3;
  s.pad_top = s.pad_left = 1;
  return s;
}

enum class Values { kNormal, kRectified, kOffset, kUniform };

void fill(Values values, std::mt19937& random, FloatBuffer& out) {
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform;
  for (std::size_t i = 0; i < out.size(); ++i) {
    switch (values) {
      case Values::kNormal: out[i] = normal(random); break;
      case Values::kRectified: out[i] = std::max(0.0f, normal(random)); break;
      case Values::kOffset: out[i] = normal(random) + 3; break;
      case Values::kUniform: out[i] = uniform(random); break;
    }
  }
}

struct Problem {
  Problem(const Conv2dShape& shape, Values values)
      : s(shape), input(static_cast<std::size_t>(s.in_h * s.in_w * s.in_c)),
        filter(static_cast<std::size_t>(s.out_c * 9 * s.in_c)) {
    std::mt19937 random(static_cast<unsigned>(s.in_c * 31 + s.in_h));
    fill(values, random, input);
    fill(Values::kNormal, random, filter);
    for (std::int64_t i = 0; i < s.out_h * s.out_w * s.out_c; ++i) want.push_back(output_at(i));
    for (const double x : want) largest = std::max(largest, std::abs(x));
  }

  double output_at(std::int64_t index) const {
    const std::int64_t o = index % s.out_c, y = index / s.out_c / s.out_w, x = index / s.out_c % s.out_w;
    double sum = 0;
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      const std::int64_t in_y = y - 1 + tap / 3, in_x = x - 1 + tap % 3;
      if (in_y < 0 || in_y >= s.in_h || in_x < 0 || in_x >= s.in_w) continue;
      const float* pixel = input.data() + (in_y * s.in_w + in_x) * s.in_c;
      const float* weights = filter.data() + (o * 9 + tap) * s.in_c;
      for (std::int64_t c = 0; c < s.in_c; ++c) sum += static_cast<double>(pixel[c]) * weights[c];
    }
    return sum;
  }

  // The largest error over the largest output.
  double error_of(const Conv2dAlgorithm& a) const {
    FloatBuffer packed(a.packed_bytes(s) / sizeof(float)), scratch(a.scratch_bytes(s, {}) / sizeof(float));
    FloatBuffer output(want.size());
    a.pack(s, filter.data(), nullptr, packed.data());
    const Conv2dCall call{.input = input.data(), .output = output.data(), .packed = packed.data(),
                          .scratch = reinterpret_cast<std::byte*>(scratch.data())};
    a.run(s, {}, {}, call, 0, 1);
    double error = 0;
    for (std::size_t i = 0; i < want.size(); ++i) error = std::max(error, std::abs(want[i] - output[i]));
    return error / largest;
  }

  Conv2dShape s;
  FloatBuffer input, filter;
  std::vector<double> want;
  double largest = 0;
};

TEST(Winograd, ErrorsStayBelowTheDocumentedBounds) {
  for (const std::int64_t channels : {1, 8, 64, 512}) {
    for (const std::int64_t size : {7, 12}) {
      for (const Values values : {Values::kNormal, Values::kRectified, Values::kOffset, Values::kUniform}) {
        const Problem problem(square(size, channels, 12), values);
        for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
          if (!a->tile.starts_with("F(") || !testing::cpu_runs(a->isa)) continue;
          const double bound = a->tile == "F(4x4,3x3)" ? 8e-6 : 3e-6;
          EXPECT_LT(problem.error_of(*a), bound) << a->name << ", " << channels << " channels, values "
                                                 << static_cast<int>(values);
        }
      }
    }
  }
}

#if defined(__x86_64__)
std::string_view chosen(const Conv2dShape& s) {
  return choose_conv2d(s, {}, Isa::kAvx512, MathMode::kExact, {}).algorithm->tile;
}

TEST(Winograd, IsChosenWhereItWins) {
  EXPECT_EQ(chosen(square(56, 64, 64)), "F(4x4,3x3)");
  EXPECT_EQ(chosen(square(28, 128, 128)), "F(4x4,3x3)");
  EXPECT_EQ(chosen(square(14, 256, 256)), "F(4x4,3x3)");
  // The transformed weights are four times as large and would come from memory for few pixels.
  EXPECT_NE(chosen(square(7, 512, 512)), "F(4x4,3x3)");
  EXPECT_EQ(chosen(square(1, 512, 512)).starts_with("F("), false);
  EXPECT_EQ(chosen(square(3, 512, 512)).starts_with("F("), false);
  EXPECT_EQ(chosen(square(56, 3, 8)).starts_with("F("), false);
}
#endif

}  // namespace
}  // namespace etalon::kernels
