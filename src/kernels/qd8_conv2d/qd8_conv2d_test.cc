#include "kernels/qd8_conv2d/qd8_conv2d.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/qs8_conv2d/qs8_conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {

#if defined(__x86_64__)
extern const Qd8Conv2dAlgorithm kQd8DenseEmulatedAvx512;
#endif
extern const Qd8Conv2dAlgorithm kQd8DenseEmulatedScalar;

namespace {

using testing::ByteBuffer;
using testing::count;
using testing::Dice;
using testing::Qs8Case;

struct Case {
  std::string name;
  Conv2dShape shape;
  Qd8Conv2dParams params;
  bool scale_is_per_channel, has_bias, is_extreme;
};

struct Tensors {
  ByteBuffer input, filter;
  std::vector<Qd8Row> rows;
  std::vector<float> bias, scales;
  std::vector<double> want, tolerance;  // [pixel][out_c]
};

bool has_one_tap(const Conv2dShape& s) { return s.kernel_h * s.kernel_w == 1 && s.pad_top == 0 && s.pad_left == 0; }

// The shapes of int8 convolutions; limits and the length of rows take turns.
std::vector<Case> cases() {
  std::vector<Case> out;
  for (const Qs8Case& c : testing::qs8_cases()) {
    const Conv2dShape& s = c.shape;
    const std::size_t i = out.size();
    Qd8Conv2dParams p{.pixels_per_row = s.in_h * s.in_w};
    if (i % 3 == 1) p.min = 0;
    if (i % 4 == 1) p.max = 1.5f;
    if (has_one_tap(s) && i % 5 < 3) p.pixels_per_row = 1;
    if (has_one_tap(s) && i % 5 == 3) p.pixels_per_row = 2;
    if (s.batch > 1 && i % 2 == 0) p.pixels_per_row *= s.batch;
    out.push_back({c.name, s, p, c.scale_is_per_channel, c.has_bias, c.is_extreme});
  }
  return out;
}

Tensors make_tensors(const Case& c, std::uint32_t seed) {
  const Conv2dShape& s = c.shape;
  const std::int64_t taps = s.kernel_h * s.kernel_w * (s.in_c / s.groups);
  const std::int64_t pixels = s.batch * s.in_h * s.in_w;
  Tensors t{ByteBuffer(count(pixels * s.in_pixel_stride)), ByteBuffer(count(s.out_c * taps)), {}, {}, {}, {}, {}};
  Dice dice(seed);
  const auto byte = [&] { return static_cast<std::int8_t>(c.is_extreme ? -128 : dice.next(-128, 127)); };
  for (std::size_t i = 0; i < t.input.size(); ++i) t.input.as<std::int8_t>()[i] = byte();
  for (std::size_t i = 0; i < t.filter.size(); ++i) t.filter.as<std::int8_t>()[i] = byte();
  for (std::int64_t i = 0; i * c.params.pixels_per_row < pixels; ++i) {
    const std::int32_t zero = c.is_extreme ? 127 : dice.next(-128, 127);
    t.rows.push_back({static_cast<float>(dice.next(1, 1000)) * 1e-4f, zero});
  }
  for (std::int64_t o = 0; o < s.out_c; ++o) {
    t.bias.push_back(static_cast<float>(dice.next(-1000, 1000)) * 0.002f);
    t.scales.push_back(static_cast<float>(dice.next(1, 1000)) * 1e-6f);
  }
  return t;
}

std::int32_t sum_at(const Conv2dShape& s, const Tensors& t, std::int32_t zero, std::int64_t pixel, std::int64_t o) {
  const std::int64_t in_per_group = s.in_c / s.groups, group = o / (s.out_c / s.groups);
  const std::int64_t image = pixel / (s.out_h * s.out_w), y = pixel / s.out_w % s.out_h, x = pixel % s.out_w;
  std::int64_t sum = 0;
  for (std::int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
    const std::int64_t in_y = y * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
    const std::int64_t in_x = x * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
    if (in_y < 0 || in_y >= s.in_h || in_x < 0 || in_x >= s.in_w) continue;
    for (std::int64_t k = 0; k < in_per_group; ++k) {
      const std::int64_t w = s.is_depthwise() ? tap * s.out_c + o
                                              : (o * s.kernel_h * s.kernel_w + tap) * in_per_group + k;
      const std::int64_t at = ((image * s.in_h + in_y) * s.in_w + in_x) * s.in_pixel_stride + group * in_per_group + k;
      sum += (t.input.as<std::int8_t>()[at] - zero) * t.filter.as<std::int8_t>()[w];
    }
  }
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
}

// What rounding may add to a sum that is exact: to float32 of the sum, of both scales, of their product and with the
// bias, each half a unit in the last place of what is rounded.
void compute_reference(const Case& c, Tensors& t) {
  const Conv2dShape& s = c.shape;
  constexpr double kHalfUnit = std::numeric_limits<float>::epsilon() / 2;
  for (std::int64_t pixel = 0; pixel < s.batch * s.out_h * s.out_w; ++pixel) {
    const std::int64_t image = pixel / (s.out_h * s.out_w), y = pixel / s.out_w % s.out_h, x = pixel % s.out_w;
    const std::int64_t in_pixel = (image * s.in_h + (has_one_tap(s) ? y * s.stride_h : 0)) * s.in_w +
                                  (has_one_tap(s) ? x * s.stride_w : 0);
    const Qd8Row& row = t.rows[count(in_pixel / c.params.pixels_per_row)];
    for (std::int64_t o = 0; o < s.out_c; ++o) {
      const double scale = static_cast<double>(row.scale) * t.scales[c.scale_is_per_channel ? count(o) : 0];
      const double product = sum_at(s, t, row.zero_point, pixel, o) * scale;
      const double real = product + (c.has_bias ? t.bias[count(o)] : 0);
      t.want.push_back(std::fmin(std::fmax(real, c.params.min), c.params.max));
      t.tolerance.push_back(kHalfUnit * 1.01 * (3 * std::abs(product) + std::abs(real)));
    }
  }
}

std::string difference(const Conv2dShape& s, const Tensors& t, const ByteBuffer& output, float untouched) {
  for (std::int64_t p = 0; p < s.batch * s.out_h * s.out_w; ++p) {
    for (std::int64_t o = 0; o < s.out_pixel_stride; ++o) {
      const float got = output.as<float>()[p * s.out_pixel_stride + o];
      const double want = o < s.out_c ? t.want[count(p * s.out_c + o)] : untouched;
      const double tolerance = o < s.out_c ? t.tolerance[count(p * s.out_c + o)] : 0;
      if (std::abs(got - want) <= tolerance) continue;
      return "pixel " + std::to_string(p) + " channel " + std::to_string(o) + " is " + std::to_string(got) + ", wanted " +
             std::to_string(want);
    }
  }
  return "";
}

// Empty if the algorithm gives every float of the case with this many workers.
std::string run_case(const Qd8Conv2dAlgorithm& a, const Case& c, const Tensors& t, unsigned workers,
                     const Machine& machine) {
  const Conv2dShape& s = c.shape;
  ByteBuffer packed(a.packed_bytes(s), 7), again(a.packed_bytes(s), 9);
  const Qd8Conv2dWeights weights{t.filter.as<std::int8_t>(), c.has_bias ? t.bias.data() : nullptr, t.scales.data(),
                                 c.scale_is_per_channel};
  a.pack(s, weights, packed.as<void>());
  a.pack(s, weights, again.as<void>());
  if (std::memcmp(packed.as<char>(), again.as<char>(), packed.size()) != 0) return "packing leaves gaps";
  ByteBuffer output(count(s.batch * s.out_h * s.out_w * s.out_pixel_stride) * sizeof(float), 0x42);
  const float untouched = output.as<float>()[0];
  for (unsigned worker = 0; worker < workers; ++worker) {
    ByteBuffer scratch(a.scratch_bytes(s, machine), 0x5b);
    const Qd8Conv2dCall call{t.input.as<std::int8_t>(), t.rows.data(), output.as<float>(), packed.as<void>(),
                             scratch.as<std::byte>()};
    a.run(s, c.params, machine, call, worker, workers);
    if (!scratch.guard_is_whole()) return "writes beyond the scratch";
  }
  if (!output.guard_is_whole() || !packed.guard_is_whole()) return "writes beyond the end";
  return difference(s, t, output, untouched);
}

bool takes(const Qd8Conv2dAlgorithm& a, const Case& c) {
  return a.is_depthwise == c.shape.is_depthwise() && a.refusal(c.shape, c.params) == nullptr;
}

class Qd8Conv2dOn : public ::testing::TestWithParam<const Qd8Conv2dAlgorithm*> {
 protected:
  void SetUp() override {
    if (!testing::cpu_runs(GetParam()->isa)) GTEST_SKIP() << "this CPU lacks " << info_of(GetParam()->isa).name;
  }
};

TEST_P(Qd8Conv2dOn, GivesEveryFloatOfEveryCaseItTakes) {
  const Qd8Conv2dAlgorithm& a = *GetParam();
  std::uint32_t seed = 1;
  int taken = 0;
  for (const Case& c : cases()) {
    ++seed;
    if (!takes(a, c)) continue;
    ++taken;
    Tensors t = make_tensors(c, seed);
    compute_reference(c, t);
    EXPECT_EQ(run_case(a, c, t, 1, {}), "") << c.name;
    const unsigned workers = seed % 2 == 0 ? 2 : 5;
    EXPECT_EQ(run_case(a, c, t, workers, {}), "") << c.name << ", workers " << workers;
    const Machine tiny{.l1_bytes = 1 << 10, .l2_bytes = 8 << 10};
    EXPECT_EQ(run_case(a, c, t, 2, tiny), "") << c.name << " with tiny caches";
  }
  EXPECT_GT(taken, 10);
}

TEST_P(Qd8Conv2dOn, SumsWrapAroundAtThirtyTwoBits) {
  const Qd8Conv2dAlgorithm& a = *GetParam();
  // 255 * 128 * 66049 is more than 2^31.
  Case c{"wraps", {}, {}, true, true, true};
  c.shape.in_c = c.shape.in_pixel_stride = a.is_depthwise ? 2 : 66049;
  c.shape.out_c = c.shape.out_pixel_stride = a.is_depthwise ? 2 : 18;
  if (a.is_depthwise) {
    c.shape.groups = 2;
    c.shape.kernel_h = c.shape.kernel_w = c.shape.in_h = c.shape.in_w = 257;
    c.params.pixels_per_row = 257 * 257;
  }
  ASSERT_TRUE(takes(a, c));
  Tensors t = make_tensors(c, 3);
  compute_reference(c, t);
  EXPECT_LT(t.want[0], 0) << "the sum should have wrapped";
  EXPECT_EQ(run_case(a, c, t, 1, {}), "");
}

TEST_P(Qd8Conv2dOn, RefusesWindowsAcrossRowsOfScales) {
  const Qd8Conv2dAlgorithm& a = *GetParam();
  Case c{"across", {}, {}, true, true, false};
  c.shape.in_c = c.shape.in_pixel_stride = c.shape.out_c = c.shape.out_pixel_stride = 8;
  c.shape.groups = a.is_depthwise ? 8 : 1;
  c.shape.in_h = c.shape.in_w = c.shape.kernel_h = c.shape.kernel_w = 3;
  EXPECT_FALSE(takes(a, c));
  c.params.pixels_per_row = 9;
  EXPECT_TRUE(takes(a, c));
}

INSTANTIATE_TEST_SUITE_P(, Qd8Conv2dOn, ::testing::ValuesIn(qd8_conv2d_algorithms().begin(), qd8_conv2d_algorithms().end()),
                         [](const auto& instance) { return std::string(instance.param->name); });

// The tile unit emulated: everything but its five instructions is what runs on the machines that have one.
constexpr const Qd8Conv2dAlgorithm* kEmulated[] = {
#if defined(__x86_64__)
    &kQd8DenseEmulatedAvx512,
#endif
    &kQd8DenseEmulatedScalar};

INSTANTIATE_TEST_SUITE_P(EmulatedTiles, Qd8Conv2dOn, ::testing::ValuesIn(kEmulated),
                         [](const auto& instance) { return std::string(info_of(instance.param->isa).name); });

TEST(Qd8Conv2d, EveryShapeFindsAnAlgorithmUnderEveryCap) {
  for (const Case& c : cases()) {
    for (const IsaInfo& cap : all_isas()) {
      const Qd8Conv2dChoice choice = choose_qd8_conv2d(c.shape, c.params, cap.isa, {});
      ASSERT_NE(choice.algorithm, nullptr) << c.name;
      EXPECT_TRUE(is_within(choice.algorithm->isa, cap.isa));
      EXPECT_TRUE(takes(*choice.algorithm, c)) << c.name;
      EXPECT_EQ(choice.refusals.empty(), choice.algorithm->isa == best_qd8_isa(cap.isa)) << c.name;
    }
  }
}

TEST(Qd8Conv2d, PlanesFindNoAlgorithm) {
  Conv2dShape shape;
  shape.input_is_nchw = true;
  EXPECT_EQ(choose_qd8_conv2d(shape, {}, all_isas().back().isa, {}).algorithm, nullptr);
}

}  // namespace
}  // namespace etalon::kernels
