// Conversions between float32 and IEEE binary16, against tensor/half.h.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/testing.h"
#include "kernels/vector/vector.h"
#include "tensor/half.h"

namespace etalon::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class HalvesTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!testing::cpu_runs(GetParam())) GTEST_SKIP() << "this CPU lacks " << info_of(GetParam()).name;
  }
  const VectorKernels& kernels() const { return vector_kernels(GetParam()); }
};

std::vector<float> drawn(std::size_t n) {
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>((i * 2654435761u) % 16001) / 1000.0f - 8.0f;
  return out;
}

TEST_P(HalvesTest, every_half_widens_exactly) {
  std::vector<std::uint16_t> halves(65536 + 1);
  std::iota(halves.begin(), halves.end() - 1, std::uint16_t{0});
  std::vector<float> out(65536);
  // One byte further on: constants of a program lie anywhere.
  std::vector<std::byte> moved(65536 * sizeof(std::uint16_t) + 1);
  std::memcpy(moved.data() + 1, halves.data(), moved.size() - 1);
  kernels().half_to_float(reinterpret_cast<const std::uint16_t*>(moved.data() + 1), out.data(), 65536);
  for (std::size_t i = 0; i < 65536; ++i) {
    const float expected = Half::to_float(halves[i]);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(out[i])) << i;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(expected)) << i;
    }
  }
}

TEST_P(HalvesTest, narrowing_rounds_to_nearest_even_between_all_halves) {
  std::vector<float> x = {kInf, -kInf, 0.0f, -0.0f, 65519.996f, 65520.0f, 1e30f, -1e30f, 1e-30f, 1e-42f, -1e-9f};
  for (std::uint16_t half = 0; half < 0x7bff; ++half) {
    const float low = Half::to_float(half), high = Half::to_float(static_cast<std::uint16_t>(half + 1));
    const float middle = low + (high - low) / 2;
    for (const float value : {low, middle, std::nextafter(middle, low), std::nextafter(middle, high)}) {
      x.push_back(half % 3 == 0 ? -value : value);
    }
  }
  std::vector<std::uint16_t> out(x.size() + 1, 77);
  kernels().float_to_half(x.data(), out.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(out[i], Half::from_float(x[i])) << x[i];
  EXPECT_EQ(out.back(), 77) << "wrote behind the end";
}

TEST_P(HalvesTest, halves_of_every_length_are_converted_and_nothing_behind_them) {
  for (std::size_t n = 0; n <= 40; ++n) {
    const std::vector<float> x = drawn(n);
    std::vector<std::uint16_t> halves(n + 1, 77);
    kernels().float_to_half(x.data(), halves.data(), n);
    EXPECT_EQ(halves.back(), 77) << "wrote behind the end";
    std::vector<float> back(n + 1, 77.0f);
    kernels().half_to_float(halves.data(), back.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(halves[i], Half::from_float(x[i]));
      ASSERT_EQ(back[i], Half::to_float(halves[i]));
    }
    EXPECT_EQ(back.back(), 77.0f) << "wrote behind the end";
  }
  std::uint16_t nan = 0;
  kernels().float_to_half(&kNan, &nan, 1);
  EXPECT_TRUE(std::isnan(Half::to_float(nan)));
}

std::vector<Isa> every_isa() {
  std::vector<Isa> out;
  for (const IsaInfo& info : all_isas()) {
    if (vector_kernels(info.isa).isa == info.isa) out.push_back(info.isa);
  }
  return out;
}
INSTANTIATE_TEST_SUITE_P(EveryIsa, HalvesTest, ::testing::ValuesIn(every_isa()),
                         [](const auto& instance) { return std::string(info_of(instance.param).name); });

}  // namespace
}  // namespace etalon::kernels
