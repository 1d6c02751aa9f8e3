#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

enum class MaskKind { kNone, kPerQuery, kOneRow };

struct Case {
  std::int64_t queries, keys, depth, value_depth;
  MaskKind mask = MaskKind::kNone;
  float spread = 1;     // of queries and keys
  std::int64_t gap = 0;  // floats between tokens
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const std::int64_t n : {1, 2, 3, 5, 7, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33, 50, 55, 56, 57, 64}) {
    out.push_back({n, n, 16, 16});
    out.push_back({n, 70 - n, 33, 20, MaskKind::kPerQuery});
    out.push_back({71 - n, n, 7, 40, MaskKind::kOneRow, 3});
  }
  for (const std::int64_t depth : {1, 2, 8, 15, 17, 24, 31, 32, 48, 64, 65, 80, 128}) {
    out.push_back({19, 23, depth, depth, MaskKind::kNone, 1, 5});
    out.push_back({20, 40, 16, depth, MaskKind::kPerQuery});
  }
  for (const std::int64_t keys : {197, 255, 256, 257, 271, 287, 300, 512, 513, 700}) {
    out.push_back({61, keys, 64, 64, MaskKind::kNone, 2, 128});
    out.push_back({15, keys, 32, 32, MaskKind::kPerQuery, 8});
  }
  return out;
}

class Tensor {
 public:
  Tensor(std::int64_t rows, std::int64_t columns, std::int64_t stride, float spread, unsigned seed) : stride_(stride) {
    values.assign(static_cast<std::size_t>(rows * stride + 1), std::nanf(""));
    unsigned state = seed * 7919 + 1;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        state = state * 1664525u + 1013904223u;
        at(r, c) = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31f * spread;
      }
    }
  }
  float& at(std::int64_t r, std::int64_t c) { return values[static_cast<std::size_t>(r * stride_ + c)]; }
  std::vector<float> values;

 private:
  std::int64_t stride_;
};

struct Problem {
  explicit Problem(const Case& c)
      : q(c.queries, c.depth, c.depth + c.gap, c.spread, 1), k(c.keys, c.depth, c.depth + 2 * c.gap, c.spread, 2),
        v(c.keys, c.value_depth, c.value_depth + c.gap, 1, 3), mask(c.queries, c.keys, c.keys + 3, 4, 4) {
    shape.queries = c.queries, shape.keys = c.keys, shape.depth = c.depth, shape.value_depth = c.value_depth;
    shape.q_stride = c.depth + c.gap, shape.k_stride = c.depth + 2 * c.gap, shape.v_stride = c.value_depth + c.gap;
    shape.out_stride = c.value_depth + c.gap;
    shape.mask_stride = c.mask == MaskKind::kPerQuery ? c.keys + 3 : 0;
    shape.scale = 1 / std::sqrt(static_cast<float>(c.depth));
    masked = c.mask != MaskKind::kNone;
  }
  double score(std::int64_t query, std::int64_t key) {
    double sum = 0;
    for (std::int64_t d = 0; d < shape.depth; ++d) sum += static_cast<double>(q.at(query, d)) * k.at(key, d);
    sum *= shape.scale;
    return masked ? sum + mask.values[static_cast<std::size_t>(query * shape.mask_stride + key)] : sum;
  }
  std::vector<double> want(std::int64_t query) {
    std::vector<double> p, out(static_cast<std::size_t>(shape.value_depth));
    double top = -std::numeric_limits<double>::infinity(), total = 0;
    for (std::int64_t key = 0; key < shape.keys; ++key) p.push_back(score(query, key)), top = std::max(top, p.back());
    for (double& x : p) x = std::exp(x - top), total += x;
    for (std::int64_t key = 0; key < shape.keys; ++key) {
      for (std::int64_t d = 0; d < shape.value_depth; ++d) {
        out[static_cast<std::size_t>(d)] += p[static_cast<std::size_t>(key)] / total * v.at(key, d);
      }
    }
    return out;
  }
  // `parts` calls; the first packs.
  std::vector<float> run(const AttentionKernel& kernel, std::int64_t parts) {
    const std::size_t bytes = kernel.scratch_bytes(shape);
    std::unique_ptr<std::byte, decltype(&std::free)> scratch(
        static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64)), std::free);
    std::memset(scratch.get(), 0xff, bytes);
    scratch.get()[bytes] = std::byte{42};
    std::vector<float> out(static_cast<std::size_t>(shape.queries * shape.out_stride), -7.5f);
    for (std::int64_t i = 0; i < parts; ++i) {
      kernel.run(shape, q.values.data(), k.values.data(), v.values.data(), masked ? mask.values.data() : nullptr,
                 out.data(), shape.queries * i / parts, shape.queries * (i + 1) / parts, i > 0, scratch.get());
    }
    EXPECT_EQ(scratch.get()[bytes], std::byte{42}) << "writes beyond the scratch";
    return out;
  }

  AttentionShape shape;
  Tensor q, k, v, mask;
  bool masked = false;
};

std::string describe(const Case& c, const AttentionKernel& kernel) {
  return std::string(kernel.name) + " queries " + std::to_string(c.queries) + " keys " + std::to_string(c.keys) +
         " depth " + std::to_string(c.depth) + " value depth " + std::to_string(c.value_depth) + " mask " +
         std::to_string(static_cast<int>(c.mask));
}

std::vector<const AttentionKernel*> kernels_to_test() {
  std::vector<const AttentionKernel*> out;
  for (const Isa isa : testing::isas_to_test()) {
    for (const MathMode math : {MathMode::kExact, MathMode::kBf16}) {
      const AttentionKernel& kernel = attention_kernel(isa, math);
      if (kernel.isa == isa) out.push_back(&kernel);
    }
  }
  return out;
}

// A score's error is relative to the sum of its products, and changes its power by as much.
double tolerance_of(const AttentionKernel& kernel, const Case& c) {
  const double products = c.spread * c.spread * std::sqrt(static_cast<double>(c.depth));
  // Two rounded factors in a score and two more in a result, each of half a unit of eight bits.
  return kernel.math == MathMode::kBf16 ? 0x1p-8 * (1 + products / 2) : 1e-6 * (1 + products);
}

void check_all_cases(const AttentionKernel& kernel) {
  for (const Case& c : cases()) {
    Problem problem(c);
    const std::vector<float> got = problem.run(kernel, 1);
    for (std::int64_t query = 0; query < c.queries; ++query) {
      const std::vector<double> want = problem.want(query);
      for (std::int64_t d = 0; d < problem.shape.out_stride; ++d) {
        const float x = got[static_cast<std::size_t>(query * problem.shape.out_stride + d)];
        if (d < c.value_depth) {
          ASSERT_NEAR(x, want[static_cast<std::size_t>(d)], tolerance_of(kernel, c)) << describe(c, kernel) << " query " << query;
        } else {
          ASSERT_EQ(x, -7.5f) << "writes between tokens";
        }
      }
    }
  }
}

TEST(Attention, AgreesWithDoublePrecision) {
  for (const AttentionKernel* kernel : kernels_to_test()) check_all_cases(*kernel);
}

// Numbers that bfloat16 holds, and values that differ in the last bit it has: whoever loses one of them, or takes a
// neighbour's, is off by more than rounding.
TEST(Attention, Bfloat16RoundsNothingThatNeedsNoRounding) {
  for (const Isa isa : testing::isas_to_test()) {
    const AttentionKernel& kernel = attention_kernel(isa, MathMode::kBf16);
    if (kernel.math != MathMode::kBf16) continue;
    for (const std::int64_t keys : {1, 2, 3, 15, 16, 17, 31, 32, 33, 255, 256, 257, 511, 515}) {
      Problem problem({3, keys, 5, 40});
      for (std::int64_t query = 0; query < 3; ++query) {
        for (std::int64_t d = 0; d < 5; ++d) problem.q.at(query, d) = 0;  // all powers are one
      }
      for (std::int64_t key = 0; key < keys; ++key) {
        for (std::int64_t d = 0; d < 40; ++d) problem.v.at(key, d) = static_cast<float>((key * 37 + d * 11) % 129 + 128) / 256;
      }
      const std::vector<float> got = problem.run(kernel, 1);
      for (std::size_t d = 0; d < 40; ++d) EXPECT_NEAR(got[d], problem.want(0)[d], 1e-6) << keys << " keys";
    }
  }
}

TEST(Attention, QueriesMayBeSplitAnyWay) {
  for (const AttentionKernel* tested : kernels_to_test()) {
    const AttentionKernel& kernel = *tested;
    for (const Case& c : cases()) {
      Problem problem(c);
      const std::vector<float> whole = problem.run(kernel, 1);
      for (const std::int64_t parts : {2, 3}) {
        const std::vector<float> split = problem.run(kernel, parts);
        ASSERT_EQ(std::memcmp(whole.data(), split.data(), whole.size() * sizeof(float)), 0) << describe(c, kernel);
      }
    }
  }
}

TEST(Attention, KeysThatAreMaskedOutDoNotCount) {
  for (const AttentionKernel* tested : kernels_to_test()) {
    const AttentionKernel& kernel = *tested;
    const double tolerance = kernel.math == MathMode::kBf16 ? 0x1p-7 : 1e-5;
    for (const float out_of_reach : {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::lowest()}) {
      Problem problem({5, 600, 16, 16, MaskKind::kPerQuery});
      // Query i sees keys from 150 i on: whole blocks of keys are out of reach before its first.
      for (std::int64_t query = 0; query < 4; ++query) {
        for (std::int64_t key = 0; key < 150 * query; ++key) problem.mask.at(query, key) = out_of_reach;
      }
      for (std::int64_t key = 0; key < 600; ++key) problem.mask.at(4, key) = out_of_reach;
      const std::vector<float> got = problem.run(kernel, 1);
      for (std::int64_t query = 0; query < 4; ++query) {
        const std::vector<double> want = problem.want(query);
        for (std::size_t d = 0; d < 16; ++d) EXPECT_NEAR(got[static_cast<std::size_t>(query) * 16 + d], want[d], tolerance);
      }
      // As in PyTorch: nothing to choose from is not a number, and equally bad choices are averaged.
      for (std::size_t d = 0; d < 16; ++d) {
        if (std::isinf(out_of_reach)) {
          EXPECT_TRUE(std::isnan(got[64 + d])) << kernel.name;
          continue;
        }
        double mean = 0;
        for (std::int64_t key = 0; key < 600; ++key) mean += problem.v.at(key, static_cast<std::int64_t>(d)) / 600;
        EXPECT_NEAR(got[64 + d], mean, tolerance) << kernel.name;
      }
    }
  }
}

TEST(Attention, ANumberThatIsNoneReachesItsQueryOnly) {
  for (const AttentionKernel* tested : kernels_to_test()) {
    const AttentionKernel& kernel = *tested;
    Problem problem({20, 40, 16, 16});
    problem.q.at(7, 3) = std::nanf("");
    const std::vector<float> got = problem.run(kernel, 1);
    for (std::int64_t query = 0; query < 20; ++query) {
      EXPECT_EQ(std::isnan(got[static_cast<std::size_t>(query * 16)]), query == 7) << kernel.name;
    }
  }
}

TEST(Attention, EveryCapFindsAKernel) {
  for (const IsaInfo& cap : all_isas()) {
    EXPECT_TRUE(is_within(attention_kernel(cap.isa).isa, cap.isa));
    EXPECT_EQ(attention_kernel(cap.isa).math, MathMode::kExact);
    EXPECT_EQ(attention_kernel(cap.isa, MathMode::kBf16, {.bf16_dots_are_slow = true}).math, MathMode::kExact);
  }
}

}  // namespace
}  // namespace etalon::kernels
