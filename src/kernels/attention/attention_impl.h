// See attention.h. For a block of queries, blocks of keys go by; for each and every tile of a few queries, the scores by
// register tiles over packed keys, one pass for their maxima, one that turns them into powers in place, and the product
// with the packed values on top of the rows' sums so far. Include a kernels/simd header and kernels/vector/math_impl.h
// first, and a pairs_<isa>_impl.h after the first for products of 16-bit numbers: queries, keys, powers and values are rounded then, while
// scores, maxima and totals stay float32.
//
// Powers are powers of two: without a mask the scale of the scores contains log2(e). With one, scores are as PyTorch
// computes them, so that masks of -inf and of the lowest finite number mean what they mean there: a row that is all
// -inf gives NaN, a row that is all lowest averages the values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/attention/attention.h"
#include "kernels/conv2d/factors_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kPanel = 2 * kLanes;
constexpr int kTileRows = (Vec::kRegisters - 4) / 2;
constexpr std::int64_t kTiles = 16;      // of a block of queries: so often is a block of keys used while it is in L2
constexpr std::int64_t kKeyBlock = 256;  // a tile's scores of such a block stay in L1
static_assert(kKeyBlock % kPanel == 0 && kPanel % kPerPlace == 0);
constexpr float kLog2E = 1.44269504088896341f;

ETALON_INLINE std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
// Strides that are an odd number of cache lines do not compete for the same sets.
ETALON_INLINE std::int64_t odd_lines(std::int64_t floats) { return (ceil_div(floats, 16) | 1) * 16; }

// 2^x for x <= 0, relative error 1.2e-7.
ETALON_INLINE Vec exp2_nonpositive(Vec x) {
  x = max(Vec::of(-160.0f), x);
  const Vec n = round_even(x), f = x - n;
  Vec p = fma(Vec::of(0.001326472731307149f), f, Vec::of(0.009671512991189957f));
  p = fma(p, f, Vec::of(0.05550733581185341f));
  p = fma(p, f, Vec::of(0.24022242426872253f));
  p = fma(p, f, Vec::of(0.6931470036506653f));
  return scale_by_power(fma(p, f, Vec::of(1.0f)), n);
}

// Where things are in the scratch; floats.
struct AttentionPlan {
  std::int64_t key_panels, value_panels, block_rows;
  std::int64_t q_row, score_row, sum_row;  // strides between rows
  std::int64_t values, queries, scores, sums, totals, tops, end;

  explicit AttentionPlan(const AttentionShape& s) {
    key_panels = ceil_div(s.keys, kPanel);
    value_panels = ceil_div(s.value_depth, kPanel);
    block_rows = std::min<std::int64_t>(kTiles * kTileRows, s.queries);
    q_row = odd_lines(places_of(s.depth));
    score_row = odd_lines(std::min(kKeyBlock, key_panels * kPanel));
    sum_row = odd_lines(value_panels * kPanel);
    values = line(key_panels * places_of(s.depth) * kPanel);
    queries = values + line(value_panels * places_of(s.keys) * kPanel);
    scores = queries + block_rows * q_row;
    sums = scores + std::min<std::int64_t>(kTileRows, block_rows) * score_row;
    totals = sums + block_rows * sum_row;
    tops = totals + line(block_rows * kLanes);
    end = tops + line(block_rows);
  }

 private:
  static std::int64_t line(std::int64_t floats) { return ceil_div(floats, 16) * 16; }
};

// Keys in panels of kPanel, [panel][place of depth][kPanel]; zeros for keys that do not exist, up to a whole register.
[[maybe_unused]] void pack_keys(const AttentionShape& s, const float* k, float* out) {
  const std::int64_t places = places_of(s.depth);
  for (std::int64_t key = 0; key < s.keys; key += kLanes) {
    float* panel = out + key / kPanel * places * kPanel + key % kPanel;
    for (std::int64_t d = 0; d < places; d += kLanes) {
      Vec rows[Vec::kLanes];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kLanes; ++i) {
        const bool exists = key + i < s.keys;
        const float* from = k + (key + i) * s.k_stride + d * kPerPlace;
        rows[i] = exists ? load_places(from, s.depth - d * kPerPlace) : Vec::zero();
      }
      transpose(rows);
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kLanes; ++i) {
        if (i < places - d) rows[i].store(panel + (d + i) * kPanel);
      }
    }
  }
}

// Values in panels of kPanel elements, [panel][place of key][kPanel].
[[maybe_unused]] void pack_values(const AttentionShape& s, const float* v, float* out) {
  for (std::int64_t d = 0; d < ceil_div(s.value_depth, kPanel) * kPanel; d += kLanes) {
    float* panel = out + d / kPanel * places_of(s.keys) * kPanel + d % kPanel;
    const auto n = static_cast<std::size_t>(std::clamp<std::int64_t>(s.value_depth - d, 0, kLanes));
    const auto row = [&](std::int64_t key) {
      return n == 0 || key >= s.keys ? Vec::zero() : Vec::load(v + (key * s.v_stride + d), n);
    };
    for (std::int64_t key = 0; key < s.keys; key += kPerPlace) {
      zip_places(row(key), kPerPlace == 1 ? Vec::zero() : row(key + 1)).store(panel + key / kPerPlace * kPanel);
    }
  }
}

// c[row][0 .. kVecs * kLanes) = or += sum over k of a[row][k] * b[k][..].
template <int kRows, int kVecs, bool kAdd>
__attribute__((noinline)) void multiply(const float* a, std::int64_t a_row, const float* b, float* c,
                                        std::int64_t c_row, std::int64_t depth) {
  Vec sums[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) sums[i][j] = kAdd ? Vec::load(c + i * c_row + j * kLanes) : Vec::zero();
  }
  for (std::int64_t k = 0; k < depth; ++k, b += kPanel) {
    Vec row[kVecs];
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) row[j] = Vec::load(b + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vec x = Vec::of(a[i * a_row + k]);
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) sums[i][j] = multiply_add(x, row[j], sums[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) sums[i][j].store(c + i * c_row + j * kLanes);
  }
}

using Multiply = void (*)(const float*, std::int64_t, const float*, float*, std::int64_t, std::int64_t);
struct MultiplyTable {
  // Of one and of two registers of keys or of elements.
  Multiply scores[2][kTileRows + 1] = {};
  Multiply values[2][kTileRows + 1] = {};
  template <int kRows>
  constexpr void fill() {
    scores[0][kRows] = multiply<kRows, 1, false>;
    scores[1][kRows] = multiply<kRows, 2, false>;
    values[0][kRows] = multiply<kRows, 1, true>;
    values[1][kRows] = multiply<kRows, 2, true>;
    if constexpr (kRows > 1) fill<kRows - 1>();
  }
  constexpr MultiplyTable() { fill<kTileRows>(); }
};
constexpr MultiplyTable kMultiply;

// The largest of a row's scores, after adding the mask (unless null).
template <bool kMasked>
ETALON_INLINE float find_largest(float* scores, const float* mask, std::int64_t keys) {
  const Vec lowest = Vec::of(-__builtin_inff());
  Vec a = lowest, b = lowest;
  const auto get = [&](std::int64_t j) {
    Vec x = Vec::load(scores + j);
    if constexpr (kMasked) {
      x = x + Vec::load(mask + j);
      x.store(scores + j);
    }
    return x;
  };
  std::int64_t j = 0;
  for (; j + kPanel <= keys; j += kPanel) {
    a = max(get(j), a);
    b = max(get(j + kLanes), b);
  }
  if (j + kLanes <= keys) {
    a = max(get(j), a);
    j += kLanes;
  }
  if (j < keys) {
    const auto n = static_cast<std::size_t>(keys - j);
    Vec x = Vec::load(scores + j, n, lowest);
    if constexpr (kMasked) x = x + Vec::load(mask + j, n);
    x.store(scores + j);  // -inf for keys that do not exist: their powers are zero
    b = max(x, b);
  }
  return largest(max(a, b));
}

// Scores to powers of two of (score - top) * factor, in places; adds them to `total`, lane by lane.
ETALON_INLINE void exponentiate(float* scores, std::int64_t keys, float top, float factor, float* total) {
  const Vec shift = Vec::of(top), scale = Vec::of(factor);
  Vec a = Vec::load(total), b = Vec::zero();
  const auto power = [&](std::int64_t j) { return exp2_nonpositive((Vec::load(scores + j) - shift) * scale); };
  for (std::int64_t j = 0; j < keys; j += kPanel) {
    const Vec first = power(j), second = j + kLanes < keys ? power(j + kLanes) : Vec::zero();
    store_places(first, second, scores + j / kPerPlace);
    a = a + first;
    b = b + second;
  }
  (a + b).store(total);
}

class AttentionRun {
 public:
  AttentionRun(const AttentionShape& shape, const float* q, const float* mask, float* out, std::byte* scratch)
      : s_(shape), plan_(shape), q_(q), mask_(mask), out_(out), base_(reinterpret_cast<float*>(scratch)),
        factor_(mask == nullptr ? 1.0f : kLog2E), scale_(mask == nullptr ? shape.scale * kLog2E : shape.scale) {}

  void pack(const float* k, const float* v) const {
    pack_keys(s_, k, base_);
    pack_values(s_, v, base_ + plan_.values);
  }

  void run(std::int64_t begin, std::int64_t end) {
    for (first_ = begin; first_ < end; first_ += rows_) {
      // Blocks of nearly equal height, and tiles likewise.
      rows_ = ceil_div(end - first_, ceil_div(end - first_, plan_.block_rows));
      tiles_ = ceil_div(rows_, kTileRows);
      start_rows();
      for (std::int64_t key = 0; key < s_.keys; key += kKeyBlock) {
        const std::int64_t keys = std::min(kKeyBlock, s_.keys - key);
        for (std::int64_t tile = 0; tile < tiles_; ++tile) {
          const std::int64_t row = tile_begin(tile), rows = tile_begin(tile + 1) - row;
          score(row, rows, key, keys);
          // Two loops: a row's maximum is a chain of dependent instructions, and those of all rows overlap.
          for (std::int64_t i = 0; i < rows; ++i) raise_top(row + i, scores(i), key, keys);
          for (std::int64_t i = 0; i < rows; ++i) {
            const float top = top_of(row + i);
            // A row that has been all -inf so far has no shift: its powers are zero, not NaN.
            exponentiate(scores(i), keys, top == -__builtin_inff() ? 0.0f : top, factor_, total_of(row + i));
          }
          add_values(row, rows, key, keys);
        }
      }
      finish_rows();
    }
  }

 private:
  std::int64_t tile_begin(std::int64_t tile) const { return rows_ * tile / tiles_; }
  float* queries() const { return base_ + plan_.queries; }
  float* scores(std::int64_t row) const { return base_ + plan_.scores + row * plan_.score_row; }
  float* sums(std::int64_t row) const { return base_ + plan_.sums + row * plan_.sum_row; }
  float& top_of(std::int64_t row) const { return base_[plan_.tops + row]; }
  float* total_of(std::int64_t row) const { return base_ + plan_.totals + row * kLanes; }

  void start_rows() const {
    const Vec scale = Vec::of(scale_);
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* from = q_ + (first_ + row) * s_.q_stride;
      float* to = queries() + row * plan_.q_row;
      for (std::int64_t d = 0; d < s_.depth; d += kPerPlace * kLanes) {
        load_places(from + d, s_.depth - d, scale).store(to + d / kPerPlace);
      }
      for (std::int64_t d = 0; d < plan_.value_panels * kPanel; d += kLanes) Vec::zero().store(sums(row) + d);
      top_of(row) = -__builtin_inff();
      Vec::zero().store(total_of(row));
    }
  }

  void score(std::int64_t row, std::int64_t rows, std::int64_t key, std::int64_t keys) const {
    for (std::int64_t j = 0; j < keys; j += kPanel) {
      const int wide = keys - j > kLanes ? 1 : 0;
      kMultiply.scores[wide][rows](queries() + row * plan_.q_row, plan_.q_row, base_ + (key + j) * places_of(s_.depth),
                                   scores(0) + j, plan_.score_row, places_of(s_.depth));
    }
  }

  void raise_top(std::int64_t row, float* x, std::int64_t key, std::int64_t keys) const {
    const float* mask = mask_ == nullptr ? nullptr : mask_ + (first_ + row) * s_.mask_stride + key;
    const float found = mask == nullptr ? find_largest<false>(x, mask, keys) : find_largest<true>(x, mask, keys);
    const float before = top_of(row);
    if (!(found > before)) return;
    if (before != -__builtin_inff()) shrink(row, before - found);
    top_of(row) = found;
  }

  // The largest score has grown by -`change`: what was summed weighs less.
  void shrink(std::int64_t row, float change) const {
    const Vec weight = exp2_nonpositive(Vec::of(change) * Vec::of(factor_));
    (Vec::load(total_of(row)) * weight).store(total_of(row));
    float* x = sums(row);
    for (std::int64_t d = 0; d < plan_.value_panels * kPanel; d += kLanes) (Vec::load(x + d) * weight).store(x + d);
  }

  void add_values(std::int64_t row, std::int64_t rows, std::int64_t key, std::int64_t keys) const {
    for (std::int64_t panel = 0; panel < plan_.value_panels; ++panel) {
      const float* values = base_ + plan_.values + (panel * places_of(s_.keys) + key / kPerPlace) * kPanel;
      const int wide = s_.value_depth - panel * kPanel > kLanes ? 1 : 0;
      kMultiply.values[wide][rows](scores(0), plan_.score_row, values, sums(row) + panel * kPanel, plan_.sum_row, places_of(keys));
    }
  }

  void finish_rows() const {
    for (std::int64_t row = 0; row < rows_; ++row) {
      const Vec weight = Vec::of(1.0f / sum(Vec::load(total_of(row))));
      float* to = out_ + (first_ + row) * s_.out_stride;
      for (std::int64_t d = 0; d < s_.value_depth; d += kLanes) {
        const auto n = static_cast<std::size_t>(std::min(kLanes, s_.value_depth - d));
        (Vec::load(sums(row) + d) * weight).store(to + d, n);
      }
    }
  }

  const AttentionShape& s_;
  const AttentionPlan plan_;
  const float* q_;
  const float* mask_;
  float* out_;
  float* base_;
  const float factor_, scale_;  // of powers; of scores
  std::int64_t first_ = 0, rows_ = 0, tiles_ = 0;
};

std::size_t attention_scratch_bytes(const AttentionShape& s) {
  return static_cast<std::size_t>(AttentionPlan(s).end) * sizeof(float);
}

void attention_run(const AttentionShape& s, const float* q, const float* k, const float* v, const float* mask,
                   float* out, std::int64_t begin, std::int64_t end, bool kv_is_packed, std::byte* scratch) {
  AttentionRun run(s, q, mask, out, scratch);
  if (!kv_is_packed) run.pack(k, v);
  run.run(begin, end);
}

constexpr AttentionKernel attention(std::string_view name, Isa isa = Isa::ETALON_ISA) {
  return {.name = name, .isa = isa, .math = kFactorMath, .scratch_bytes = attention_scratch_bytes, .run = attention_run};
}

}  // namespace
}  // namespace etalon::kernels
