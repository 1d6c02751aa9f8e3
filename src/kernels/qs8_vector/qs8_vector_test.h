// For tests of qs8_vector.h: memory whose end is guarded, and one test per ISA.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/qs8_vector/qs8_vector.h"
#include "kernels/testing.h"

namespace etalon::kernels {

// Memory that ends where the process may neither read nor write. Arrays are given out from its end, so they have all
// kinds of addresses.
class Fenced {
 public:
  static constexpr std::size_t kBytes = 1 << 21, kPage = 1 << 16;
  Fenced() {
    void* all = mmap(nullptr, kBytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(all, MAP_FAILED);
    begin_ = static_cast<std::int8_t*>(all);
    EXPECT_EQ(mprotect(begin_ + kBytes, kPage, PROT_NONE), 0);
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  ~Fenced() { munmap(begin_, kBytes + kPage); }

  std::int8_t* last(std::size_t n) { return begin_ + kBytes - n; }
  float* last_floats(std::size_t n) { return reinterpret_cast<float*>(last(n * sizeof(float))); }

 private:
  std::int8_t* begin_ = nullptr;
};

class Qs8VectorOnIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!testing::cpu_runs(GetParam())) GTEST_SKIP() << "this CPU lacks " << info_of(GetParam()).name;
  }
  const Qs8VectorKernels& kernels() const { return qs8_vector_kernels(GetParam()); }

  void fill(std::int8_t* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<std::int8_t>(random_());
  }
  // An output of n bytes behind a byte that must stay as it is.
  std::int8_t* fresh_output(std::size_t n) {
    std::memset(out_.last(n + 1), 0x5a, n + 1);
    return out_.last(n);
  }
  void expect_nothing_before(std::size_t n) { EXPECT_EQ(out_.last(n + 1)[0], 0x5a) << "wrote before the beginning"; }

  Fenced a_, b_, out_;
  std::mt19937 random_{7};
};

// NaN is the smallest.
inline int rounded_within(float x, int low, int high) {
  if (std::isnan(x) || x <= static_cast<float>(low)) return low;
  return x >= static_cast<float>(high) ? high : static_cast<int>(std::nearbyint(x));
}

// Those that have kernels of their own; the others use what they extend.
inline std::vector<Isa> isas_with_qs8_vectors() {
  std::vector<Isa> out;
  for (const IsaInfo& info : all_isas()) {
    if (qs8_vector_kernels(info.isa).isa == info.isa) out.push_back(info.isa);
  }
  return out;
}

}  // namespace etalon::kernels
