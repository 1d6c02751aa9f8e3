#include "kernels/qs8_attention/qs8_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
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
  float spread = 1;      // of scores: their standard deviation where zero points are zero
  std::int64_t gap = 0;  // bytes between tokens
  std::int32_t q_zero = 0, k_zero = 0, v_zero = 0, out_zero = 0;
  float gain = 1;  // scale of V over that of the result
};

std::string describe(const Case& c) {
  return "queries " + std::to_string(c.queries) + " keys " + std::to_string(c.keys) + " depth " +
         std::to_string(c.depth) + " value depth " + std::to_string(c.value_depth) + " mask " +
         std::to_string(static_cast<int>(c.mask)) + " spread " + std::to_string(c.spread) + " zero points " +
         std::to_string(c.q_zero) + " " + std::to_string(c.k_zero) + " " + std::to_string(c.v_zero) + " " +
         std::to_string(c.out_zero) + " gain " + std::to_string(c.gain);
}

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const std::int64_t n :
       {1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33, 50, 63, 64, 65}) {
    out.push_back({n, n, 16, 16, MaskKind::kNone, 1, 0, 3, -5, 7, -9});
    out.push_back({n, 70 - n, 33, 20, MaskKind::kPerQuery, 2, 1, -128, 127, -128, 127});
    out.push_back({71 - n, n, 7, 40, MaskKind::kOneRow, 3, 2, 127, -128, 127, -128});
  }
  for (std::int64_t depth = 1; depth <= 80; ++depth) {
    out.push_back({19, 23, depth, 81 - depth, MaskKind::kNone, 2, 5, 11, 5, -20, 0, 2});
    out.push_back({5, 40, 16, depth, MaskKind::kPerQuery, 1, 0, 0, 0, 0, 10, 3});
  }
  for (std::int64_t keys = 1; keys <= 300; keys += keys < 80 ? 1 : 13) {
    out.push_back(
        {3, keys, 20, 17, keys % 2 == 0 ? MaskKind::kNone : MaskKind::kOneRow, 2, 0, -3, 4, 1, -2, 4});
  }
  for (const std::int64_t keys : {197, 255, 256, 257, 300, 513, 1100}) {
    out.push_back({30, keys, 64, 64, MaskKind::kNone, 1, 128, -7, 9, 3, -4, 8});
    out.push_back({15, keys, 32, 32, MaskKind::kPerQuery, 30, 0, 40, -60, 30, 20});  // one key decides
  }
  for (const float spread : {0.0f, 0.01f, 10.0f, 100.0f, 230.0f, 240.0f, 1e4f}) {
    out.push_back({15, 90, 64, 64, MaskKind::kNone, spread, 0, 3, -5, 7, 9, 1});
  }
  for (const std::int64_t depth : {127, 128, 129, 200}) {
    out.push_back({15, 90, depth, 130, MaskKind::kNone, 2, 3, 3, -5, 7, 9, 2});
  }
  for (const std::int32_t zero : {-128, 127}) {
    for (const std::int32_t other : {-128, 127}) {
      out.push_back({15, 90, 64, 64, MaskKind::kNone, 1, 0, zero, other, other, zero, 2});
      out.push_back({15, 90, 64, 64, MaskKind::kPerQuery, 1, 0, zero, zero, other, other, 2});
    }
  }
  return out;
}

class Bytes {
 public:
  Bytes(std::int64_t rows, std::int64_t stride, unsigned seed) : stride_(stride) {
    values.resize(static_cast<std::size_t>(rows * stride + 1));
    for (std::int8_t& x : values) {
      seed = seed * 1664525u + 1013904223u;
      x = static_cast<std::int8_t>(seed >> 24);
    }
  }
  std::int8_t& at(std::int64_t r, std::int64_t c) {
    return values[static_cast<std::size_t>(r * stride_ + c)];
  }
  void fill(std::int8_t x) { std::fill(values.begin(), values.end(), x); }
  std::vector<std::int8_t> values;

 private:
  std::int64_t stride_;
};

constexpr std::int8_t kUntouched = 85;

struct Problem {
  explicit Problem(const Case& c)
      : q(c.queries, c.depth + c.gap, 1),
        k(c.keys, c.depth + 2 * c.gap, 2),
        v(c.keys, c.value_depth + c.gap, 3) {
    shape.queries = c.queries, shape.keys = c.keys, shape.depth = c.depth, shape.value_depth = c.value_depth;
    shape.q_stride = c.depth + c.gap, shape.k_stride = c.depth + 2 * c.gap,
    shape.v_stride = c.value_depth + c.gap;
    shape.out_stride = c.value_depth + c.gap;
    shape.mask_stride = c.mask == MaskKind::kPerQuery ? c.keys + 3 : 0;
    shape.scale = 1 / std::sqrt(static_cast<float>(c.depth));
    params = {c.q_zero, c.k_zero, c.v_zero, c.spread / 5461, 0.02f, c.gain / 0.02f, c.out_zero};
    if (c.mask == MaskKind::kNone) return;
    const Bytes random(1, c.queries * (c.keys + 3), 4);
    for (const std::int8_t x : random.values) mask.push_back(static_cast<float>(x) / 32);
  }
  const float* mask_of(std::int64_t query) const {
    return mask.empty() ? nullptr : mask.data() + query * shape.mask_stride;
  }

  // Before rounding and adding the zero point.
  std::vector<double> want(std::int64_t query) {
    std::vector<double> p, out(static_cast<std::size_t>(shape.value_depth));
    double top = -std::numeric_limits<double>::infinity(), total = 0;
    for (std::int64_t key = 0; key < shape.keys; ++key) {
      std::int64_t sum = 0;
      for (std::int64_t d = 0; d < shape.depth; ++d) {
        sum += (q.at(query, d) - params.q_zero) * (k.at(key, d) - params.k_zero);
      }
      p.push_back(static_cast<double>(sum) * params.qk_scale * shape.scale);
      if (!mask.empty()) p.back() += mask_of(query)[key];
      top = std::max(top, p.back());
    }
    for (double& x : p) x = std::exp(x - top), total += x;
    const double gain = static_cast<double>(params.v_scale) * params.inverse_out_scale;
    for (std::int64_t key = 0; key < shape.keys; ++key) {
      const double weight = p[static_cast<std::size_t>(key)] / total * gain;
      for (std::int64_t d = 0; d < shape.value_depth; ++d) {
        out[static_cast<std::size_t>(d)] += weight * (v.at(key, d) - params.v_zero);
      }
    }
    return out;
  }

  // `parts` calls.
  std::vector<std::int8_t> run(const Qs8AttentionKernel& kernel, std::int64_t parts = 1) {
    const std::size_t bytes = kernel.scratch_bytes(shape);
    std::unique_ptr<std::byte, decltype(&std::free)> scratch(
        static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64)), std::free);
    std::memset(scratch.get(), 0xff, bytes);
    scratch.get()[bytes] = std::byte{42};
    std::vector<std::int8_t> out(static_cast<std::size_t>(shape.queries * shape.out_stride), kUntouched);
    for (std::int64_t i = 0; i < parts; ++i) {
      kernel.run(shape, params, q.values.data(), k.values.data(), v.values.data(),
                 mask.empty() ? nullptr : mask.data(), out.data(), shape.queries * i / parts,
                 shape.queries * (i + 1) / parts, scratch.get());
    }
    EXPECT_EQ(scratch.get()[bytes], std::byte{42}) << "writes beyond the scratch";
    return out;
  }

  AttentionShape shape;
  Qs8AttentionParams params;
  Bytes q, k, v;
  std::vector<float> mask;
};

std::vector<const Qs8AttentionKernel*> kernels_to_test() {
  std::vector<const Qs8AttentionKernel*> out;
  for (const Isa isa : testing::isas_to_test()) {
    const Qs8AttentionKernel& kernel = qs8_attention_kernel(isa);
    if (kernel.isa == isa) out.push_back(&kernel);
  }
  return out;
}

// How results compare with those of double precision.
struct Agreement {
  std::int64_t results = 0, different = 0;
  double farthest = 0;  // from a half, of those that differ: by so many steps was a sum before rounding off

  void add(Problem& problem, const std::vector<std::int8_t>& got, std::int64_t query) {
    const AttentionShape& s = problem.shape;
    const std::vector<double> want = problem.want(query);
    for (std::int64_t d = 0; d < s.out_stride; ++d) {
      const std::int8_t found = got[static_cast<std::size_t>(query * s.out_stride + d)];
      if (d >= s.value_depth) {
        ASSERT_EQ(found, kUntouched);
        continue;
      }
      const double zero = problem.params.out_zero;
      const double exact = std::clamp(want[static_cast<std::size_t>(d)], -128 - zero, 127 - zero);
      const double rounded = std::nearbyint(exact) + zero;
      ++results;
      if (found == rounded) continue;
      ASSERT_EQ(std::abs(found - rounded), 1) << "query " << query << " element " << d << " is " << exact;
      ++different;
      farthest = std::max(farthest, std::abs(exact - (found + rounded) / 2 + zero));
    }
  }
  void add(Problem& problem, const std::vector<std::int8_t>& got) {
    for (std::int64_t query = 0; query < problem.shape.queries; ++query) {
      ASSERT_NO_FATAL_FAILURE(add(problem, got, query));
    }
  }
};

// What kernels promise besides that no result is off by more than one step.
struct Promise {
  double steps;  // by which a result may be off before it is rounded, where one step is one of the values
  double share;  // of results that differ, over cases()
};
Promise promise_of(const Qs8AttentionKernel& kernel) {
  // Float32 scores of up to some 50 cost 3e-6 of a weight.
  if (kernel.name.find("_f32_") != std::string_view::npos) return {1e-4, 1e-4};
  // A weight is off by up to 2^-17 of the largest. Those of some 100 keys of random values sum up to 10 * 74
  // * 2^-17 where one key outweighs the others, and to less where there are many to share in the total. 7e-4
  // of results were seen to differ.
  return {4e-3, 1.2e-3};
}

TEST(Qs8Attention, DiffersFromDoublePrecisionNextToHalvesOnly) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    const Promise promise = promise_of(*kernel);
    Agreement all;
    for (const Case& c : cases()) {
      Problem problem(c);
      Agreement one;
      ASSERT_NO_FATAL_FAILURE(one.add(problem, problem.run(*kernel))) << kernel->name << " " << describe(c);
      EXPECT_LE(one.farthest, promise.steps * c.gain) << kernel->name << " " << describe(c);
      all.results += one.results, all.different += one.different;
    }
    EXPECT_LE(static_cast<double>(all.different), promise.share * static_cast<double>(all.results))
        << kernel->name;
  }
}

TEST(Qs8Attention, PartsOfAHeadAreTheSameToTheBit) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const Case& c :
         {Case{61, 197, 64, 64, MaskKind::kNone, 2, 3, 1, 2, 3, 4},
          Case{500, 70, 33, 20, MaskKind::kPerQuery, 2}, Case{7, 9, 5, 3, MaskKind::kOneRow, 1}}) {
      Problem problem(c);
      const std::vector<std::int8_t> whole = problem.run(*kernel);
      for (const std::int64_t parts : {2, 3, 7}) {
        EXPECT_EQ(problem.run(*kernel, parts), whole) << kernel->name << " " << describe(c);
      }
    }
  }
}

TEST(Qs8Attention, EqualScoresAverageTheValues) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const std::int64_t keys : {1, 2, 3, 64, 197, 300, 4096}) {
      Problem problem({3, keys, 64, 50, MaskKind::kNone, 100, 0, -128, 5, 3, 0, 10});
      problem.q.fill(-128);
      Agreement agreement;
      ASSERT_NO_FATAL_FAILURE(agreement.add(problem, problem.run(*kernel)))
          << kernel->name << " keys " << keys;
      EXPECT_LE(agreement.farthest, 1e-3) << kernel->name << " keys " << keys;
    }
  }
}

TEST(Qs8Attention, TheLargestNumbersDoNotOverflow) {
  struct Size {
    std::int64_t keys, depth;
  };
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const Size size : {Size{4096, 80}, Size{40, 127}, Size{40, 128}, Size{40, 129}, Size{40, 1000},
                            Size{65536, 4}, Size{65537, 4}}) {
      for (const std::int8_t low : {std::int8_t{-128}, std::int8_t{127}}) {
        const auto high = static_cast<std::int8_t>(-1 - low);
        Problem problem({2, size.keys, size.depth, 20, MaskKind::kNone, 1, 0, high, high, high, 0, 0.5f});
        problem.q.fill(low), problem.k.fill(low), problem.v.fill(low);
        const int want = low < 0 ? -128 : 127;  // -127.5 to even, and 127.5 cut off
        for (const std::int8_t got : problem.run(*kernel)) {
          if (got != kUntouched) {
            ASSERT_EQ(got, want) << kernel->name << " keys " << size.keys << " depth " << size.depth;
          }
        }
      }
    }
  }
}

TEST(Qs8Attention, ScoresAtBothEndsOfTheirRangeAreExact) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const std::int64_t depth : {64, 127, 128, 129, 300, 1000}) {
      for (const std::int8_t q : {std::int8_t{-128}, std::int8_t{127}}) {
        for (const std::int32_t k_zero : {-128, 0, 127}) {
          Problem problem({3, 77, depth, 33, MaskKind::kNone, 1, 0, -1 - q, k_zero, 4, 0, 2});
          problem.q.fill(q);
          for (std::int64_t key = 0; key < 77; ++key) {
            for (std::int64_t d = 0; d < depth; ++d) {
              problem.k.at(key, d) = static_cast<std::int8_t>(d < key % 3 ? 0 : key % 2 == 0 ? -128 : 127);
            }
          }
          // From the largest score to the smallest a weight falls by e^3.
          problem.params.qk_scale = 3.0f / (255 * 255 * static_cast<float>(depth)) / problem.shape.scale;
          Agreement agreement;
          ASSERT_NO_FATAL_FAILURE(agreement.add(problem, problem.run(*kernel)))
              << kernel->name << " depth " << depth;
          EXPECT_LE(agreement.farthest, 2 * promise_of(*kernel).steps) << kernel->name << " depth " << depth;
        }
      }
    }
  }
}

TEST(Qs8Attention, OneDominantKeyGivesItsValue) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    Problem problem({16, 90, 8, 20, MaskKind::kNone, 1000});
    problem.q.fill(100), problem.k.fill(-100);
    for (std::int64_t d = 0; d < 8; ++d) problem.k.at(57, d) = 100;
    const std::vector<std::int8_t> got = problem.run(*kernel);
    for (std::int64_t query = 0; query < 16; ++query) {
      for (std::int64_t d = 0; d < 20; ++d) {
        ASSERT_EQ(got[static_cast<std::size_t>(query * 20 + d)], problem.v.at(57, d)) << kernel->name;
      }
    }
  }
}

TEST(Qs8Attention, ResultsAreCutAtTheEndsOfTheirType) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const float gain : {1e3f, 1e12f, 1e30f}) {
      for (const std::int32_t zero : {-128, 0, 127}) {
        Problem problem({4, 33, 8, 20, MaskKind::kNone, 1000, 0, 0, 0, 0, zero, gain});
        for (std::int64_t key = 0; key < 33; ++key) {
          for (std::int64_t d = 0; d < 20; ++d) {
            problem.v.at(key, d) = static_cast<std::int8_t>(d % 2 == 0 ? -100 : 90);
          }
        }
        const std::vector<std::int8_t> got = problem.run(*kernel);
        for (std::size_t i = 0; i < got.size(); ++i) {
          ASSERT_EQ(got[i], i % 2 == 0 ? -128 : 127) << kernel->name << " " << gain;
        }
      }
    }
  }
}

TEST(Qs8Attention, KeysThatAreMaskedOutDoNotCount) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const float out_of_reach :
         {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::lowest()}) {
      const Case c{5, 600, 16, 16, MaskKind::kPerQuery, 1, 0, 3, 4, 5, 6};
      Problem problem(c);
      // Query i sees keys from 150 i on; the last one sees none.
      for (std::int64_t query = 0; query < 5; ++query) {
        const std::int64_t keys = query == 4 ? 600 : 150 * query;
        std::fill_n(problem.mask.begin() + query * problem.shape.mask_stride, keys, out_of_reach);
      }
      const std::vector<std::int8_t> got = problem.run(*kernel);
      Agreement agreement;
      for (std::int64_t query = 0; query < 4; ++query) {
        ASSERT_NO_FATAL_FAILURE(agreement.add(problem, got, query)) << kernel->name;
      }
      EXPECT_LE(agreement.farthest, promise_of(*kernel).steps) << kernel->name;
      // As in PyTorch: nothing to choose from is not a number, which int8 stores as its lowest, and equally
      // bad choices are averaged.
      for (std::int64_t d = 0; d < 16; ++d) {
        double mean = 0;
        for (std::int64_t key = 0; key < 600; ++key) mean += (problem.v.at(key, d) - 5) / 600.0;
        const double want = std::isinf(out_of_reach) ? -128 : std::nearbyint(mean) + 6;
        EXPECT_EQ(got[static_cast<std::size_t>(64 + d)], want) << kernel->name;
      }
    }
  }
}

TEST(Qs8Attention, AMaskThatIsNoNumberReachesItsQueryOnly) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    for (const std::int64_t key : {0, 17, 39}) {
      Problem problem({20, 40, 16, 16, MaskKind::kPerQuery});
      const std::vector<std::int8_t> before = problem.run(*kernel);
      problem.mask[static_cast<std::size_t>(7 * problem.shape.mask_stride + key)] = std::nanf("");
      const std::vector<std::int8_t> got = problem.run(*kernel);
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i], i / 16 == 7 ? -128 : before[i]) << kernel->name;
      }
    }
  }
}

TEST(Qs8Attention, ANegativeScalePrefersTheSmallestProducts) {
  for (const Qs8AttentionKernel* kernel : kernels_to_test()) {
    Problem problem({16, 90, 8, 20, MaskKind::kNone, -2});
    Agreement agreement;
    ASSERT_NO_FATAL_FAILURE(agreement.add(problem, problem.run(*kernel))) << kernel->name;
    EXPECT_LE(agreement.farthest, promise_of(*kernel).steps) << kernel->name;
  }
}

TEST(Qs8Attention, EveryCapFindsAKernel) {
  for (const IsaInfo& cap : all_isas()) EXPECT_TRUE(is_within(qs8_attention_kernel(cap.isa).isa, cap.isa));
}

}  // namespace
}  // namespace etalon::kernels
