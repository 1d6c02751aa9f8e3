#include "kernels/ceilings/ceilings.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

bool cpu_has(std::string_view feature) {
  if (feature.empty()) return true;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (feature == "avx_vnni") return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
  if (feature == "avx512_fp16") return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & 1u << 23) != 0;
#elif defined(__aarch64__) && defined(__linux__)
  if (feature == "asimdhp") return (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0;
  if (feature == "asimddp") return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  if (feature == "i8mm") return (getauxval(AT_HWCAP2) & (1ul << 13)) != 0;
  if (feature == "bf16") return (getauxval(AT_HWCAP2) & (1ul << 14)) != 0;
#endif
  return false;
}

bool runs_here(const ComputeLoop& loop) {
#if defined(__aarch64__)
  for (Isa isa = loop.isa; isa != Isa::kScalar && isa != Isa::kNeon; isa = info_of(isa).base) {
    if (!cpu_has(info_of(isa).features)) return false;
  }
  return cpu_has(loop.features);
#else
  return testing::cpu_runs(loop.isa) && cpu_has(loop.features);
#endif
}

std::string name_of(const ComputeLoop& loop) {
  return std::string(info_of(loop.isa).name) + " " + std::string(loop.dtype) + " " + std::string(loop.method);
}

TEST(ComputeLoops, do_the_arithmetic_that_they_count) {
  std::size_t tried = 0;
  for (const ComputeLoop* loop : compute_loops()) {
    if (!runs_here(*loop)) continue;
    ++tried;
    for (const std::int64_t rounds : {1, 2, 7, 500}) {
      EXPECT_EQ(loop->run(rounds), loop->gain * static_cast<double>(rounds)) << name_of(*loop) << ", " << rounds;
    }
  }
  EXPECT_GE(tried, 1u);
}

TEST(ComputeLoops, do_nothing_in_no_rounds) {
  for (const ComputeLoop* loop : compute_loops()) {
    if (runs_here(*loop)) EXPECT_EQ(loop->run(0), 0) << name_of(*loop);
  }
}

TEST(ComputeLoops, are_told_apart_by_isa_dtype_and_method) {
  std::set<std::tuple<Isa, std::string_view, std::string_view>> seen;
  for (const ComputeLoop* loop : compute_loops()) {
    EXPECT_TRUE(seen.insert({loop->isa, loop->dtype, loop->method}).second) << name_of(*loop);
    EXPECT_GT(loop->operations, 0);
    EXPECT_FALSE(loop->method.empty());
  }
}

TEST(ComputeLoops, every_isa_has_one) {
  for (const IsaInfo& info : all_isas()) {
    bool found = false;
    for (const ComputeLoop* loop : compute_loops()) found = found || loop->isa == info.isa;
    EXPECT_TRUE(found) << info.name;
  }
}

std::vector<std::uint64_t> pattern(std::size_t words) {
  std::vector<std::uint64_t> out(words);
  std::uint64_t x = 88172645463325252ull;
  for (std::uint64_t& word : out) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    word = x;
  }
  return out;
}

TEST(StreamLoops, read_every_block_and_copy_every_byte) {
  for (const Isa isa : testing::isas_to_test()) {
    const StreamLoop& loop = stream_loop(isa);
    for (const std::size_t blocks : {1u, 2u, 9u}) {
      const std::size_t bytes = blocks * kStreamBlock;
      const std::vector<std::uint64_t> from = pattern(bytes / 8);
      std::uint64_t expected = 0;
      for (std::size_t at = 0; at < bytes; at += loop.width) expected ^= from[at / 8];
      EXPECT_EQ(loop.read(reinterpret_cast<const std::byte*>(from.data()), bytes), expected) << info_of(isa).name;
      std::vector<std::uint64_t> to(bytes / 8 + 8, 7);
      loop.copy(reinterpret_cast<std::byte*>(to.data()), reinterpret_cast<const std::byte*>(from.data()), bytes);
      EXPECT_EQ(std::memcmp(to.data(), from.data(), bytes), 0) << info_of(isa).name;
      EXPECT_EQ(to[bytes / 8], 7u) << info_of(isa).name << " wrote too far";
    }
  }
}

TEST(StreamLoops, wider_isas_use_wider_registers) {
  EXPECT_EQ(stream_loop(Isa::kScalar).width, 16u);
#if defined(__x86_64__)
  EXPECT_EQ(stream_loop(Isa::kAvx2).width, 32u);
  EXPECT_EQ(stream_loop(Isa::kAmx).width, 64u);
#endif
}

}  // namespace
}  // namespace etalon::kernels
