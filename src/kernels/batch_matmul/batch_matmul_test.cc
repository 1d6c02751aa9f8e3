#include "kernels/batch_matmul/batch_matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

// What computing C = scale * A x B gives, with NaN wherever nothing should be read.
struct Problem {
  MatmulShape shape;
  std::vector<float> a, b;

  explicit Problem(const MatmulShape& s) : shape(s) {
    const std::int64_t b_rows = s.b_is_transposed ? s.n : s.k, b_columns = s.b_is_transposed ? s.k : s.n;
    a = filled(s.m, s.k, s.a_stride, 3), b = filled(b_rows, b_columns, s.b_stride, 7);
  }
  static std::vector<float> filled(std::int64_t rows, std::int64_t columns, std::int64_t stride, std::int64_t seed) {
    std::vector<float> out(static_cast<std::size_t>(rows * stride), std::nanf(""));
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        out[static_cast<std::size_t>(i * stride + j)] = static_cast<float>((i * 31 + j * 17 + seed) % 29 - 14) / 7;
      }
    }
    return out;
  }
  // Kernels that round their factors scale the second one before.
  double want(std::int64_t i, std::int64_t j, MathMode math) const {
    const bool rounds = math != MathMode::kExact;
    double sum = 0;
    for (std::int64_t k = 0; k < shape.k; ++k) {
      const std::int64_t at = shape.b_is_transposed ? j * shape.b_stride + k : k * shape.b_stride + j;
      const float x = a[static_cast<std::size_t>(i * shape.a_stride + k)], y = b[static_cast<std::size_t>(at)];
      sum += rounds ? static_cast<double>(testing::rounded_for(math, x)) * testing::rounded_for(math, y * shape.scale)
                    : static_cast<double>(x) * y * shape.scale;
    }
    return sum;
  }
};

constexpr float kUntouched = -9.5f;

void check(const BatchMatmulKernel& kernel, const Problem& p, const std::vector<float>& c, std::int64_t first) {
  const MatmulShape& s = p.shape;
  for (std::int64_t i = 0; i < s.m; ++i) {
    for (std::int64_t j = 0; j < s.c_stride; ++j) {
      const float got = c[static_cast<std::size_t>(i * s.c_stride + j)];
      if (i < first || j >= s.n) {
        ASSERT_EQ(got, kUntouched) << kernel.name << " row " << i << " column " << j;
      } else {
        ASSERT_NEAR(got, p.want(i, j, kernel.math), 2 * testing::tolerance_of_sums(kernel.math) * static_cast<double>(s.k + 1))
            << kernel.name << " " << s.m << "x" << s.n << "x" << s.k << " row " << i << " column " << j;
      }
    }
  }
}

void run_both_ways(const BatchMatmulKernel& kernel, const MatmulShape& s) {
  const Problem p(s);
  const std::size_t bytes = (kernel.scratch_bytes(s) + 63) / 64 * 64 + 64;
  std::unique_ptr<std::byte, decltype(&std::free)> scratch(static_cast<std::byte*>(std::aligned_alloc(64, bytes)), std::free);
  std::fill_n(scratch.get(), bytes, std::byte{0xA5});
  std::vector<float> c(static_cast<std::size_t>(s.m * s.c_stride), kUntouched);
  const std::int64_t middle = s.m / 3;
  kernel.run(s, p.a.data(), p.b.data(), c.data(), middle, s.m, false, scratch.get());
  check(kernel, p, c, middle);
  kernel.run(s, p.a.data(), nullptr, c.data(), 0, middle, true, scratch.get());
  check(kernel, p, c, 0);
  for (std::size_t i = kernel.scratch_bytes(s); i < bytes; ++i) ASSERT_EQ(scratch.get()[i], std::byte{0xA5});
}

TEST(BatchMatmul, EveryIsaAgreesWithDoublePrecision) {
  for (const Isa isa : testing::isas_to_test()) {
    const BatchMatmulKernel& kernel = batch_matmul_kernel(isa);
    for (const bool transposed : {false, true}) {
      for (const std::int64_t m : {1, 2, 7, 8, 9, 50}) {
        for (const std::int64_t n : {1, 3, 8, 16, 17, 33, 70}) {
          for (const std::int64_t k : {0, 1, 5, 16, 37, 64}) {
            run_both_ways(kernel, {.m = m, .n = n, .k = k, .a_stride = k + 3, .b_stride = (transposed ? k : n) + 2,
                                   .c_stride = n + 5, .b_is_transposed = transposed, .scale = 0.75f});
          }
        }
      }
    }
    run_both_ways(kernel, {.m = 1100, .n = 20, .k = 9, .a_stride = 9, .b_stride = 9, .c_stride = 20, .b_is_transposed = true});
  }
}

void check_rounding_kernel(const BatchMatmulKernel& kernel) {
  for (const bool transposed : {false, true}) {
    for (const std::int64_t m : {1, 7, 9, 50}) {
      for (const std::int64_t n : {1, 8, 17, 33, 70}) {
        for (const std::int64_t k : {0, 1, 2, 5, 31, 32, 33, 64, 97}) {
          run_both_ways(kernel, {.m = m, .n = n, .k = k, .a_stride = k + 3, .b_stride = (transposed ? k : n) + 2,
                                 .c_stride = n + 5, .b_is_transposed = transposed, .scale = 0.7f});
        }
      }
    }
  }
  run_both_ways(kernel, {.m = 1100, .n = 20, .k = 9, .a_stride = 9, .b_stride = 9, .c_stride = 20, .b_is_transposed = true});
}

TEST(BatchMatmul, KernelsOf16BitsRoundBothFactors) {
  for (const Isa isa : testing::isas_to_test()) {
    for (const MathMode math : {MathMode::kBf16, MathMode::kFp16}) {
      const BatchMatmulKernel& kernel = batch_matmul_kernel(isa, math);
      if (kernel.math == math) check_rounding_kernel(kernel);
    }
  }
}

TEST(BatchMatmul, TheKernelIsTheBestWithinTheCap) {
  EXPECT_EQ(batch_matmul_kernel(Isa::kScalar).isa, Isa::kScalar);
#if defined(__x86_64__)
  EXPECT_EQ(batch_matmul_kernel(Isa::kAvx2).isa, Isa::kAvx2);
  EXPECT_EQ(batch_matmul_kernel(Isa::kAmx).isa, Isa::kAvx512);
  EXPECT_EQ(batch_matmul_kernel(Isa::kAmx, MathMode::kFast).isa, Isa::kAvx512);
  EXPECT_EQ(batch_matmul_kernel(Isa::kAmx, MathMode::kBf16).isa, Isa::kAvx512Bf16);
  EXPECT_EQ(batch_matmul_kernel(Isa::kAmx, MathMode::kBf16, {.bf16_dots_are_slow = true}).isa, Isa::kAvx512);
  EXPECT_EQ(batch_matmul_kernel(Isa::kAvx2, MathMode::kBf16).isa, Isa::kAvx2);
#endif
}

}  // namespace
}  // namespace etalon::kernels
