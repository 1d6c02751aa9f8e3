#include "kernels/conv2d/conv2d.h"

#include <gtest/gtest.h>

#include "kernels/conv2d/conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

using testing::Conv2dCase;
using testing::Conv2dTensors;
using testing::FloatBuffer;

// Relative to the sum of |products|. Winograd's transforms amplify rounding; the fast mode says what it allows.
double tolerance_of(const Conv2dAlgorithm& algorithm) {
  if (algorithm.math == MathMode::kFast) return 4e-5;
  return algorithm.tile.starts_with("F(") ? 1e-5 : 1e-6;
}

// Empty if the algorithm computes the case right with this many workers.
std::string run_case(const Conv2dAlgorithm& a, const Conv2dCase& c, const Conv2dTensors& t, unsigned workers,
                     const Machine& machine, bool residual_is_output) {
  const Conv2dShape& s = c.shape;
  FloatBuffer packed(a.packed_bytes(s) / sizeof(float), 7.0f), again(a.packed_bytes(s) / sizeof(float), 9.0f);
  a.pack(s, t.filter.data(), t.bias.data(), packed.data());
  a.pack(s, t.filter.data(), t.bias.data(), again.data());
  if (std::memcmp(packed.data(), again.data(), packed.size() * sizeof(float)) != 0) return "packing leaves gaps";
  const auto pixels = static_cast<std::size_t>(s.batch * s.out_h * s.out_w);
  const auto stride = static_cast<std::size_t>(s.out_pixel_stride), channels = static_cast<std::size_t>(s.out_c);
  const float untouched = -77.25f;
  FloatBuffer output(pixels * stride, untouched);
  const auto residual_stride = static_cast<std::size_t>(testing::residual_stride_of(s));
  Conv2dCall call{.input = t.input.data(), .output = output.data(), .packed = packed.data()};
  if (s.has_input_scale) call.input_scale = t.scale.data();
  if (c.epilogue.residual != Epilogue::Residual::kNone) {
    call.residual = t.residual.data(), call.residual_pixel_stride = static_cast<std::int64_t>(residual_stride);
    if (residual_is_output) {
      for (std::size_t p = 0; p < pixels; ++p) {
        std::copy_n(t.residual.data() + p * residual_stride, channels, output.data() + p * stride);
      }
      call.residual = output.data(), call.residual_pixel_stride = s.out_pixel_stride;
    }
  }
  for (unsigned worker = 0; worker < workers; ++worker) {
    FloatBuffer scratch((a.scratch_bytes(s, machine) + 3) / 4, std::nanf(""));
    call.scratch = reinterpret_cast<std::byte*>(scratch.data());
    a.run(s, c.epilogue, machine, call, worker, workers);
    if (!scratch.guard_is_whole()) return "writes beyond the scratch";
  }
  if (!output.guard_is_whole() || !packed.guard_is_whole()) return "writes beyond the end";
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t o = 0; o < stride; ++o) {
      const float got = output[p * stride + o];
      if (o >= channels) {
        if (got != untouched) return "writes between pixels";
        continue;
      }
      const double want = t.want[p * channels + o];
      if (!(std::abs(got - want) <= tolerance_of(a) * t.magnitude[p * channels + o])) {
        return "pixel " + std::to_string(p) + " channel " + std::to_string(o) + " is " + std::to_string(got) +
               ", wanted " + std::to_string(want);
      }
    }
  }
  return "";
}

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
      for (const unsigned workers : {1u, 2u, 5u}) {
        EXPECT_EQ(run_case(*a, c, t, workers, {}, false), "") << a->name << " on " << c.name << ", workers " << workers;
      }
    }
  }
}

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
      EXPECT_EQ(choice.refusals.empty(), choice.algorithm->isa == cap.isa);
    }
  }
}

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
