// The algorithm on int8 tiles, with the tile unit emulated: everything but its five instructions is what runs on the
// machines that have one.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <limits>

#include "kernels/qs8_conv2d/qs8_conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {

#if defined(__x86_64__)
extern const Qs8Conv2dAlgorithm kQs8DenseEmulatedAmx;
#endif
extern const Qs8Conv2dAlgorithm kQs8DenseEmulatedScalar;

namespace {

using testing::Qs8Case;
using testing::Qs8Tensors;
using testing::run_case;

constexpr const Qs8Conv2dAlgorithm* kEmulated[] = {
#if defined(__x86_64__)
    &kQs8DenseEmulatedAmx,
#endif
    &kQs8DenseEmulatedScalar};

class EmulatedTilesOn : public ::testing::TestWithParam<const Qs8Conv2dAlgorithm*> {
 protected:
  void SetUp() override {
#if defined(__x86_64__)
    const bool needs_vectors = GetParam() == &kQs8DenseEmulatedAmx;
    const bool has_vectors = testing::cpu_runs(Isa::kAvx512Bf16) && __builtin_cpu_supports("avx512vbmi");
    if (needs_vectors && !has_vectors) GTEST_SKIP() << "this CPU lacks avx512bf16 or avx512vbmi";
#endif
  }
};

TEST_P(EmulatedTilesOn, GiveEveryByteOfEveryCase) {
  const Qs8Conv2dAlgorithm& a = *GetParam();
  std::uint32_t seed = 1;
  for (Qs8Case& c : testing::qs8_cases()) {
    ++seed;
    if (c.shape.is_depthwise()) continue;
    ASSERT_EQ(a.refusal(c.shape, c.params), nullptr) << c.name;
    Qs8Tensors t = testing::make_tensors(c, seed);
    testing::compute_reference(c, t);
    EXPECT_EQ(run_case(a, c, t, 1, {}), "") << c.name;
    const unsigned workers = seed % 2 == 0 ? 2 : 5;
    EXPECT_EQ(run_case(a, c, t, workers, {}), "") << c.name << ", workers " << workers;
    const Machine tiny{.l1_bytes = 1 << 10, .l2_bytes = 8 << 10};
    EXPECT_EQ(run_case(a, c, t, 2, tiny), "") << c.name << " with tiny caches";
  }
}

Conv2dShape image_of(std::int64_t size, std::int64_t in_c, std::int64_t out_c, std::int64_t kernel, std::int64_t dilation) {
  Conv2dShape s;
  s.in_h = s.in_w = s.out_h = s.out_w = size;
  s.in_c = s.in_pixel_stride = in_c, s.out_c = s.out_pixel_stride = out_c;
  s.kernel_h = s.kernel_w = kernel, s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = kernel / 2 * dilation;
  return s;
}

// Images whose channels fill chunks are read from a padded copy; the common cases are too small for that.
TEST_P(EmulatedTilesOn, ReadWholeChannelsFromPaddedLines) {
  const Qs8Conv2dAlgorithm& a = *GetParam();
  std::uint32_t seed = 1;
  for (const std::int64_t channels : {64, 80, 128}) {
    for (const std::int64_t kernel : {3, 5}) {
      for (const std::int64_t dilation : {1, 2}) {
        Qs8Case c{"image", image_of(9, channels, 40, kernel, dilation), {}};
        c.params.input_zero_point = -7, c.params.output_zero_point = 4;
        c.shape.batch = 2, c.shape.in_pixel_stride += channels == 80 ? 3 : 0;
        Qs8Tensors t = testing::make_tensors(c, ++seed);
        testing::compute_reference(c, t);
        const Machine small{.l1_bytes = 16 << 10, .l2_bytes = 64 << 10};
        EXPECT_EQ(run_case(a, c, t, 1, {}), "") << channels << " channels, kernel " << kernel << ", dilation " << dilation;
        EXPECT_EQ(run_case(a, c, t, 3, small), "") << channels << " channels, kernel " << kernel << ", dilation " << dilation;
      }
    }
  }
}

TEST_P(EmulatedTilesOn, SumsWrapAroundAndScaledSumsAreCut) {
  const Qs8Conv2dAlgorithm& a = *GetParam();
  for (const std::int64_t columns : {40, 12}) {
    Qs8Case c{"wraps", image_of(5, 70, columns, 1, 1), {}};
    Qs8Tensors t = testing::make_tensors(c, 3);
    for (std::size_t i = 0; i < t.bias.size(); ++i) {
      t.bias[i] = i % 2 == 0 ? std::numeric_limits<std::int32_t>::max() - 100 : std::numeric_limits<std::int32_t>::min() + 100;
      t.scales[i] = 1e-7f;
    }
    testing::compute_reference(c, t);
    EXPECT_EQ(run_case(a, c, t, 1, {}), "") << columns;
    for (float& scale : t.scales) scale = 1e20f;
    t.want.clear();
    testing::compute_reference(c, t);
    EXPECT_EQ(run_case(a, c, t, 1, {}), "") << columns;
  }
}

// Bytes behind which nothing may be read.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t size) : size_(size) {
    all_ = static_cast<std::uint8_t*>(mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(all_ + kBytes, kBytes, PROT_NONE);
  }
  ~GuardedBytes() { munmap(all_, 2 * kBytes); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  std::int8_t* data() const { return reinterpret_cast<std::int8_t*>(all_ + kBytes - size_); }

 private:
  static constexpr std::size_t kBytes = 1 << 16;
  std::size_t size_;
  std::uint8_t* all_;
};

// Tiles are read in place with more channels than there are; behind the last pixel there may be no memory.
TEST_P(EmulatedTilesOn, ReadNothingBehindTheTensor) {
  const Qs8Conv2dAlgorithm& a = *GetParam();
  for (const std::int64_t channels : {1, 3, 16, 63, 64, 65, 130}) {
    for (const std::int64_t rows : {1, 5, 17, 50, 150}) {
      Qs8Case c{"rows", image_of(1, channels, 20, 1, 1), {}};
      c.shape.in_h = c.shape.out_h = rows;
      Qs8Tensors t = testing::make_tensors(c, 9);
      testing::compute_reference(c, t);
      GuardedBytes input(t.input.size());
      std::memcpy(input.data(), t.input.as<std::int8_t>(), t.input.size());
      testing::ByteBuffer packed(a.packed_bytes(c.shape)), scratch(a.scratch_bytes(c.shape, {}));
      a.pack(c.shape, c.params, {t.filter.as<std::int8_t>(), t.bias.data(), t.scales.data(), true}, packed.as<void>());
      testing::ByteBuffer output(testing::count(rows * 20));
      a.run(c.shape, c.params, {}, {input.data(), output.as<std::int8_t>(), packed.as<void>(), scratch.as<std::byte>()}, 0, 1);
      EXPECT_EQ(testing::difference(c.shape, t, output, 0), "") << rows << " rows of " << channels;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, EmulatedTilesOn, ::testing::ValuesIn(kEmulated),
                         [](const auto& instance) { return std::string(info_of(instance.param->isa).name); });

}  // namespace
}  // namespace etalon::kernels
