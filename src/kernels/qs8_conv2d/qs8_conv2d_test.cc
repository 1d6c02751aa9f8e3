#include "kernels/qs8_conv2d/qs8_conv2d.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "kernels/qs8_conv2d/qs8_conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

using testing::Qs8Case;
using testing::Qs8Tensors;
using testing::run_case;

bool takes(const Qs8Conv2dAlgorithm& a, const Qs8Case& c) {
  return a.is_depthwise == c.shape.is_depthwise() && (a.reads_planes || !c.shape.input_is_nchw) &&
         a.refusal(c.shape, c.params) == nullptr;
}

class Qs8Conv2dOn : public ::testing::TestWithParam<const Qs8Conv2dAlgorithm*> {
 protected:
  void SetUp() override {
    if (!testing::cpu_runs(GetParam()->isa)) GTEST_SKIP() << "this CPU lacks " << info_of(GetParam()->isa).name;
  }
};

TEST_P(Qs8Conv2dOn, GivesEveryByteOfEveryCaseItTakes) {
  const Qs8Conv2dAlgorithm& a = *GetParam();
  std::uint32_t seed = 1;
  int taken = 0;
  auto cases = testing::qs8_cases();
  std::ranges::move(testing::qs8_plane_cases(), std::back_inserter(cases));
  for (Qs8Case& c : cases) {
    ++seed;
    if (!takes(a, c)) continue;
    ++taken;
    Qs8Tensors t = testing::make_tensors(c, seed);
    testing::compute_reference(c, t);
    EXPECT_EQ(run_case(a, c, t, 1, {}), "") << c.name;
    const unsigned workers = seed % 2 == 0 ? 2 : 5;
    EXPECT_EQ(run_case(a, c, t, workers, {}), "") << c.name << ", workers " << workers;
    const Machine tiny{.l1_bytes = 1 << 10, .l2_bytes = 8 << 10};
    EXPECT_EQ(run_case(a, c, t, 2, tiny), "") << c.name << " with tiny caches";
  }
  EXPECT_GT(taken, 10);
}

// For algorithms that want few channels, and many rows.
void shape_for_few_channels(Conv2dShape& s) {
  s.in_c = s.in_pixel_stride = 4;
  s.batch = 17;
}

TEST_P(Qs8Conv2dOn, SumsWrapAroundAtThirtyTwoBits) {
  const Qs8Conv2dAlgorithm& a = *GetParam();
  Qs8Case c{"wraps", {}, {}};
  c.shape.in_c = c.shape.in_pixel_stride = a.is_depthwise ? 20 : 7;
  c.shape.out_c = c.shape.out_pixel_stride = 20;
  c.shape.groups = a.is_depthwise ? 20 : 1;
  c.shape.kernel_h = c.shape.kernel_w = a.is_depthwise ? 3 : 1;
  if (a.refusal(c.shape, c.params) != nullptr && !a.is_depthwise) shape_for_few_channels(c.shape);
  if (a.refusal(c.shape, c.params) != nullptr) c.shape.kernel_h = c.shape.kernel_w = 5;
  if (a.refusal(c.shape, c.params) != nullptr) c.shape.stride_h = c.shape.stride_w = 2;
  if (a.refusal(c.shape, c.params) != nullptr) c.shape.kernel_h = c.shape.kernel_w = 3;
  ASSERT_EQ(a.refusal(c.shape, c.params), nullptr);
  c.shape.in_h = c.shape.in_w = c.shape.kernel_h;
  Qs8Tensors t = testing::make_tensors(c, 3);
  for (std::size_t i = 0; i < t.bias.size(); ++i) {
    t.bias[i] = i % 2 == 0 ? std::numeric_limits<std::int32_t>::max() - 100 : std::numeric_limits<std::int32_t>::min() + 100;
    t.scales[i] = 1e-7f;
  }
  testing::compute_reference(c, t);
  EXPECT_EQ(run_case(a, c, t, 1, {}), "");
  // Scaled sums beyond every integer are cut, not wrapped.
  for (float& scale : t.scales) scale = 1e20f;
  t.want.clear();
  testing::compute_reference(c, t);
  EXPECT_EQ(run_case(a, c, t, 1, {}), "");
}

INSTANTIATE_TEST_SUITE_P(, Qs8Conv2dOn, ::testing::ValuesIn(qs8_conv2d_algorithms().begin(), qs8_conv2d_algorithms().end()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST(Qs8Conv2d, EveryShapeFindsAnAlgorithmUnderEveryCap) {
  for (const Qs8Case& c : testing::qs8_cases()) {
    for (const IsaInfo& cap : all_isas()) {
      const Qs8Conv2dChoice choice = choose_qs8_conv2d(c.shape, c.params, cap.isa, {});
      ASSERT_NE(choice.algorithm, nullptr) << c.name;
      EXPECT_TRUE(is_within(choice.algorithm->isa, cap.isa));
      EXPECT_TRUE(takes(*choice.algorithm, c)) << c.name;
      EXPECT_EQ(choice.refusals.empty(), choice.algorithm->isa == best_qs8_isa(cap.isa)) << c.name;
    }
  }
}

TEST(Qs8Conv2d, PlanesFindOnlyWhatReadsThem) {
  int read = 0;
  for (const Qs8Case& c : testing::qs8_plane_cases()) {
    EXPECT_EQ(choose_qs8_conv2d(c.shape, c.params, Isa::kScalar, {}).algorithm, nullptr) << c.name;
    for (const IsaInfo& cap : all_isas()) {
      const Qs8Conv2dAlgorithm* chosen = choose_qs8_conv2d(c.shape, c.params, cap.isa, {}).algorithm;
      if (chosen == nullptr) continue;
      ++read;
      EXPECT_TRUE(chosen->reads_planes && takes(*chosen, c)) << c.name;
    }
  }
#if defined(__x86_64__)
  EXPECT_GT(read, 0);
#endif
  Conv2dShape shape;
  shape.input_is_nchw = true;
  shape.in_c = shape.in_pixel_stride = 5;
  EXPECT_EQ(choose_qs8_conv2d(shape, {}, all_isas().back().isa, {}).algorithm, nullptr) << "too many planes";
}

}  // namespace
}  // namespace etalon::kernels
