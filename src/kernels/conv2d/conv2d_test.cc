#include "kernels/conv2d/conv2d.h"

#include <gtest/gtest.h>

#include <utility>

#include "kernels/conv2d/conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

using testing::Conv2dCase;
using testing::Conv2dTensors;
using testing::FloatBuffer;
using testing::run_case;

bool applies(const Conv2dAlgorithm& a, const Conv2dCase& c) {
  return testing::cpu_runs(a.isa) && a.is_depthwise == c.shape.is_depthwise() &&
         a.refusal(c.shape, c.epilogue) == nullptr;
}

TEST(Conv2d, EveryAlgorithmAgreesWithDoublePrecisionOnEveryCaseItTakes) {
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    Conv2dTensors t = testing::make_tensors(c, seed++);
    testing::compute_reference(c, t);
    for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
      if (!applies(*a, c)) continue;
      std::vector<float> alone, together;
      EXPECT_EQ(run_case(*a, c, t, 1, {}, false, &alone), "") << a->name << " on " << c.name;
      const unsigned workers = seed % 2 == 0 ? 2 : 5;
      EXPECT_EQ(run_case(*a, c, t, workers, {}, false, &together), "") << a->name << " on " << c.name << ", workers " << workers;
      // Not a bit depends on the number of workers.
      EXPECT_EQ(std::memcmp(alone.data(), together.data(), alone.size() * sizeof(float)), 0)
          << a->name << " on " << c.name << ", workers " << workers;
    }
  }
}

// Both factors, to nearest even.
void expect_only_factors_are_rounded(MathMode math) {
  const Machine tiny{.l1_bytes = 1 << 10, .l2_bytes = 8 << 10};
  const double tolerance = testing::tolerance_of_sums(math);
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    Conv2dTensors t = testing::make_tensors(c, seed++);
    bool has_reference = false;
    for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
      if (a->math != math || !applies(*a, c)) continue;
      if (!std::exchange(has_reference, true)) testing::compute_rounded_reference(c, t, math);
      EXPECT_EQ(run_case(*a, c, t, 1, {}, false, nullptr, tolerance), "") << a->name << " on " << c.name;
      EXPECT_EQ(run_case(*a, c, t, 2, tiny, false, nullptr, tolerance), "") << a->name << " on " << c.name;
    }
  }
}
TEST(Conv2d, Bfloat16AlgorithmsRoundTheFactorsAndNothingElse) { expect_only_factors_are_rounded(MathMode::kBf16); }
TEST(Conv2d, HalfPrecisionAlgorithmsRoundTheFactorsAndTheirSums) { expect_only_factors_are_rounded(MathMode::kFp16); }

TEST(Conv2d, BlockingForTinyCachesChangesNothing) {
  const Machine tiny{.l1_bytes = 1 << 10, .l2_bytes = 8 << 10};
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    Conv2dTensors t = testing::make_tensors(c, seed++);
    if (seed % 3 != 0) continue;
    testing::compute_reference(c, t);
    for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
      if (applies(*a, c)) EXPECT_EQ(run_case(*a, c, t, 2, tiny, false), "") << a->name << " on " << c.name;
    }
  }
}

TEST(Conv2d, TheResidualMayBeTheOutput) {
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    Conv2dTensors t = testing::make_tensors(c, seed++);
    if (c.epilogue.residual == Epilogue::Residual::kNone) continue;
    testing::compute_reference(c, t);
    for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
      if (applies(*a, c)) EXPECT_EQ(run_case(*a, c, t, 1, {}, true), "") << a->name << " on " << c.name;
    }
  }
}

TEST(Conv2d, EveryShapeFindsAnAlgorithmUnderEveryCap) {
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    for (const IsaInfo& cap : all_isas()) {
      const Conv2dChoice choice = choose_conv2d(c.shape, c.epilogue, cap.isa, MathMode::kExact, {});
      ASSERT_NE(choice.algorithm, nullptr) << c.name;
      EXPECT_TRUE(is_within(choice.algorithm->isa, cap.isa));
      EXPECT_EQ(choice.algorithm->is_depthwise, c.shape.is_depthwise());
      EXPECT_EQ(choice.algorithm->math, MathMode::kExact);
      EXPECT_EQ(choice.refusals.empty(), choice.algorithm->isa == best_float_isa(cap.isa)) << c.name;
    }
  }
}

TEST(Conv2d, AModeAllowsWhatItSays) {
  constexpr MathMode kModes[] = {MathMode::kExact, MathMode::kFast, MathMode::kBf16, MathMode::kFp16};
  for (const MathMode mode : kModes) {
    EXPECT_TRUE(allows(mode, mode));
    EXPECT_TRUE(allows(mode, MathMode::kExact));
    EXPECT_EQ(allows(MathMode::kExact, mode), mode == MathMode::kExact);
  }
  EXPECT_TRUE(allows(MathMode::kBf16, MathMode::kFast));
  EXPECT_FALSE(allows(MathMode::kFast, MathMode::kBf16));
  EXPECT_FALSE(allows(MathMode::kFp16, MathMode::kBf16));
  EXPECT_FALSE(allows(MathMode::kFp16, MathMode::kFast));
  EXPECT_FALSE(allows(MathMode::kBf16, MathMode::kFp16));
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    for (const MathMode mode : kModes) {
      for (const IsaInfo& cap : all_isas()) {
        const Conv2dChoice choice = choose_conv2d(c.shape, c.epilogue, cap.isa, mode, {});
        EXPECT_TRUE(allows(mode, choice.algorithm->math)) << c.name;
        EXPECT_EQ(choice.refusals.empty(), choice.algorithm->isa == best_float_isa(cap.isa, mode)) << c.name;
      }
    }
  }
}

#if defined(__x86_64__)
TEST(Conv2d, SlowBfloat16DotProductsAreLeftAlone) {
  Conv2dShape s;
  s.in_w = s.out_w = 784;
  s.in_c = s.in_pixel_stride = 192, s.out_c = s.out_pixel_stride = 192;
  const auto chosen = [&](Isa cap, MathMode math, bool slow) {
    return choose_conv2d(s, {}, cap, math, {.bf16_dots_are_slow = slow}).algorithm->isa;
  };
  EXPECT_EQ(chosen(Isa::kAvx512Bf16, MathMode::kBf16, false), Isa::kAvx512Bf16);
  EXPECT_EQ(chosen(Isa::kAvx512Bf16, MathMode::kBf16, true), Isa::kAvx512);
  EXPECT_EQ(chosen(Isa::kAvx512Bf16, MathMode::kExact, false), Isa::kAvx512);
  EXPECT_EQ(chosen(Isa::kAmx, MathMode::kBf16, true), Isa::kAmx);
}
#endif

TEST(Conv2d, NotANumberPassesThroughTheClamp) {
  Conv2dCase c{"nan", {}, {}};
  c.shape.in_c = c.shape.in_pixel_stride = 5;
  c.shape.out_c = c.shape.out_pixel_stride = 20;
  c.epilogue.min = 0, c.epilogue.max = 6;
  Conv2dTensors t = testing::make_tensors(c, 3);
  t.input[2] = std::nanf("");
  for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
    if (!applies(*a, c)) continue;
    FloatBuffer packed(a->packed_bytes(c.shape) / sizeof(float)), output(20);
    FloatBuffer scratch((a->scratch_bytes(c.shape, {}) + 3) / 4);
    a->pack(c.shape, t.filter.data(), nullptr, packed.data());
    const Conv2dCall call{.input = t.input.data(), .output = output.data(), .packed = packed.data(),
                          .scratch = reinterpret_cast<std::byte*>(scratch.data())};
    a->run(c.shape, c.epilogue, {}, call, 0, 1);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(std::isnan(output[i])) << a->name << " channel " << i;
  }
}

}  // namespace
}  // namespace etalon::kernels
