// The bfloat16 tile algorithms, with the tile unit emulated: everything but its seven instructions is what runs on the
// machines that have one.
#include <gtest/gtest.h>

#include "kernels/conv2d/conv2d_cases_test.h"
#include "kernels/testing.h"

#if defined(__x86_64__)
namespace etalon::kernels {

extern const Conv2dAlgorithm kSplitGemmEmulatedAvx512, kSplitIgemmEmulatedAvx512, kFastGemmEmulatedAvx512, kFastIgemmEmulatedAvx512;
extern const Conv2dAlgorithm kBf16GemmEmulatedAvx512, kBf16IgemmEmulatedAvx512, kBf16GemmEmulatedScalar, kBf16IgemmEmulatedScalar;
extern const Conv2dAlgorithm kSplitGemmEmulatedScalar, kSplitIgemmEmulatedScalar, kFastGemmEmulatedScalar, kFastIgemmEmulatedScalar;

namespace {

using testing::Conv2dCase;
using testing::Conv2dTensors;
using testing::FloatBuffer;

constexpr const Conv2dAlgorithm* kEmulated[] = {
    &kSplitGemmEmulatedAvx512, &kSplitIgemmEmulatedAvx512, &kFastGemmEmulatedAvx512, &kFastIgemmEmulatedAvx512,
    &kSplitGemmEmulatedScalar, &kSplitIgemmEmulatedScalar, &kFastGemmEmulatedScalar, &kFastIgemmEmulatedScalar,
    &kBf16GemmEmulatedAvx512,  &kBf16IgemmEmulatedAvx512,  &kBf16GemmEmulatedScalar, &kBf16IgemmEmulatedScalar};

bool applies(const Conv2dAlgorithm& a, const Conv2dCase& c) {
  return testing::cpu_runs(a.isa) && !c.shape.is_depthwise() && a.refusal(c.shape, c.epilogue) == nullptr;
}

TEST(SplitConv2d, AgreesWithDoublePrecisionOnEveryCase) {
  const Machine tiny{.l1_bytes = 1 << 10, .l2_bytes = 64 << 10};
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    Conv2dTensors t = testing::make_tensors(c, seed++);
    if (c.shape.is_depthwise()) continue;
    // Every second case with each splitting code: emulation takes its time.
    const Isa isa = seed % 2 == 0 && testing::cpu_runs(Isa::kAvx512) ? Isa::kAvx512 : Isa::kScalar;
    testing::compute_reference(c, t);
    for (const Conv2dAlgorithm* a : kEmulated) {
      if (a->isa != isa || !applies(*a, c)) continue;
      for (const unsigned workers : {1u, 3u}) {
        EXPECT_EQ(testing::run_case(*a, c, t, workers, workers == 1 ? Machine{} : tiny, false), "") << a->name << " on " << c.name;
      }
      if (c.epilogue.residual != Epilogue::Residual::kNone) {
        EXPECT_EQ(testing::run_case(*a, c, t, 1, {}, true), "") << a->name << " on " << c.name;
      }
    }
  }
}

TEST(SplitConv2d, OnePartIsBfloat16ArithmeticOnEveryCase) {
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    Conv2dTensors t = testing::make_tensors(c, seed++);
    if (c.shape.is_depthwise()) continue;
    const Isa isa = seed % 2 == 0 && testing::cpu_runs(Isa::kAvx512) ? Isa::kAvx512 : Isa::kScalar;
    testing::compute_rounded_reference(c, t, MathMode::kBf16);
    for (const Conv2dAlgorithm* a : kEmulated) {
      if (a->isa != isa || a->math != MathMode::kBf16 || !applies(*a, c)) continue;
      EXPECT_EQ(testing::run_case(*a, c, t, 1, {}, false, nullptr, 1e-6), "") << a->name << " on " << c.name;
    }
  }
}

Conv2dCase matmul_case(std::int64_t rows, std::int64_t k, std::int64_t n) {
  Conv2dCase c{"matmul", {}, {}};
  c.shape.in_h = c.shape.out_h = rows;
  c.shape.in_c = c.shape.in_pixel_stride = k, c.shape.out_c = c.shape.out_pixel_stride = n;
  return c;
}

// Largest error relative to the largest output.
double error_of(const Conv2dAlgorithm& a, const Conv2dCase& c, const Conv2dTensors& t, std::vector<float>& out) {
  const Conv2dShape& s = c.shape;
  FloatBuffer packed(a.packed_bytes(s) / sizeof(float)), scratch(a.scratch_bytes(s, {}) / sizeof(float) + 1);
  FloatBuffer output(static_cast<std::size_t>(s.out_h * s.out_w * s.out_c));
  a.pack(s, t.filter.data(), t.bias.data(), packed.data());
  const Conv2dCall call{.input = t.input.data(), .output = output.data(), .packed = packed.data(),
                        .scratch = reinterpret_cast<std::byte*>(scratch.data())};
  a.run(s, c.epilogue, {}, call, 0, 1);
  out.assign(output.data(), output.data() + output.size());
  double error = 0, largest = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(output[i]) - t.want[i]));
    largest = std::max(largest, std::abs(t.want[i]));
  }
  return error / largest;
}

TEST(SplitConv2d, SixProductsAreAsAccurateAsFloat32AndThreeAreOnePerHundredThousand) {
  for (const std::int64_t k : {32, 300, 2000}) {
    const Conv2dCase c = matmul_case(40, k, 40);
    Conv2dTensors t = testing::make_tensors(c, 5);
    testing::compute_reference(c, t);
    std::vector<float> out;
    EXPECT_LT(error_of(kSplitGemmEmulatedScalar, c, t, out), 1e-6) << k;
    EXPECT_LT(error_of(kFastGemmEmulatedScalar, c, t, out), 1e-5) << k;
    EXPECT_GT(error_of(kFastGemmEmulatedScalar, c, t, out), 1e-7) << k;
  }
}

TEST(SplitConv2d, InputsThatCannotBeSplitAreSummedInFloat32) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const float odd : {inf, -inf, std::nanf(""), 1e30f, 3.4e38f}) {
    const Conv2dCase c = matmul_case(35, 50, 40);
    Conv2dTensors t = testing::make_tensors(c, 5);
    t.input[3 * 50 + 7] = odd;
    t.want.clear();
    testing::compute_reference(c, t);
    for (const Conv2dAlgorithm* a : {&kSplitGemmEmulatedAvx512, &kSplitGemmEmulatedScalar, &kFastGemmEmulatedScalar}) {
      if (!testing::cpu_runs(a->isa)) continue;
      std::vector<float> out;
      error_of(*a, c, t, out);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto want = static_cast<float>(t.want[i]);
        if (std::isfinite(want)) {
          EXPECT_NEAR(out[i], want, 1e-5 * t.magnitude[i]) << a->name << " with " << odd << " at " << i;
        } else {
          EXPECT_EQ(std::isnan(out[i]), std::isnan(want)) << a->name << " with " << odd << " at " << i;
          if (!std::isnan(want)) EXPECT_EQ(out[i], want) << a->name << " with " << odd << " at " << i;
        }
      }
    }
  }
}

TEST(SplitConv2d, WeightsThatCannotBeSplitAreLeftToTheVectorUnit) {
  for (const float factor : {1e-38f, 1e-25f, 1e30f}) {
    const Conv2dCase c = matmul_case(35, 50, 40);
    Conv2dTensors t = testing::make_tensors(c, 5);
    for (std::size_t i = 0; i < t.filter.size(); ++i) t.filter[i] *= factor;
    for (std::size_t i = 0; i < t.bias.size(); ++i) t.bias[i] = 0;
    testing::compute_reference(c, t);
    for (const Conv2dAlgorithm* a : {&kSplitGemmEmulatedAvx512, &kSplitGemmEmulatedScalar, &kFastGemmEmulatedScalar}) {
      if (!testing::cpu_runs(a->isa)) continue;
      std::vector<float> out;
      EXPECT_LT(error_of(*a, c, t, out), 1e-5) << a->name << " with weights of " << factor;
    }
  }
}

TEST(SplitConv2d, TinyInputsKeepTheirPrecision) {
  const Conv2dCase c = matmul_case(35, 50, 40);
  Conv2dTensors t = testing::make_tensors(c, 5);
  for (std::size_t i = 0; i < t.input.size(); ++i) t.input[i] *= 1e-30f;
  for (std::size_t i = 0; i < t.bias.size(); ++i) t.bias[i] = 0;
  testing::compute_reference(c, t);
  std::vector<float> out;
  EXPECT_LT(error_of(kSplitGemmEmulatedScalar, c, t, out), 1e-6);
}

}  // namespace
}  // namespace etalon::kernels
#endif
