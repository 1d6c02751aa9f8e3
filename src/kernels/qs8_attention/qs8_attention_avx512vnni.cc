// Both products in dot products of four bytes. Queries count from -128, so that they are unsigned; what that
// and their zero point add to a score depends on the key alone, and sums start from it. The keys' zero point
// adds the same to all scores of a query, which a softmax does not see. Weights are unsigned numbers of 16
// bits, the upper and the lower byte a row of their own, so that values stay as they are; their zero point
// leaves the mean that they make.
#include <algorithm>

#include "kernels/qs8_attention/qs8_attention.h"
#include "kernels/qs8_attention/tiles_avx512vnni_impl.h"
#include "kernels/qs8_attention/weights_avx512vnni_impl.h"
#include "kernels/simd/avx512.h"

namespace etalon::kernels {

extern const Qs8AttentionKernel kQs8AttentionAvx512;

namespace {

// 255 * 128 * keys, and twice as much for depth, must fit in 32 bits.
constexpr std::int64_t kMostKeys = 1 << 16, kMostDepth = 1 << 15;
// 255 * 128 * depth must be less than 2^22 where scores are bits of floats.
constexpr std::int64_t kMostDepthOfBits = 128;

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
// Strides that are an odd number of cache lines do not compete for the same sets.
inline std::int64_t odd_lines(std::int64_t bytes) { return (ceil_div(bytes, 64) | 1) * 64; }

// Where things are in the scratch; bytes.
struct Plan {
  std::int64_t key_steps, value_steps;                              // of four elements, of four keys
  std::int64_t q_row, score_row;                                    // strides
  std::int64_t starts, values, queries, scores, tops, totals, end;  // tops and totals: 16 rows of 16 numbers

  explicit Plan(const AttentionShape& s) {
    const std::int64_t rows = std::min<std::int64_t>(kTileRows, s.queries);
    key_steps = ceil_div(s.depth, 4);
    value_steps = ceil_div(s.keys, 4);
    q_row = odd_lines(s.depth);
    score_row = odd_lines(ceil_div(s.keys, 16) * 64);
    starts = ceil_div(s.keys, kPanel) * key_steps * kStep;
    values = starts + ceil_div(s.keys, kPanel) * kPanel * 4;
    queries = values + ceil_div(s.value_depth, kPanel) * value_steps * kStep;
    scores = queries + rows * q_row;
    tops = scores + rows * score_row;
    totals = tops + 16 * 64;
    end = totals + 16 * 64;
  }
};

// Keys in panels, [panel][step][key][4 bytes]; zeros for those that do not exist, up to a whole register. A
// key's sum of products starts from -(128 + zero point of queries) times the sum of its bytes plus `offset`,
// that of a key that does not exist from the bits of -inf.
void pack_keys(const AttentionShape& s, std::int32_t q_zero, std::int32_t offset, const std::int8_t* k,
               std::int8_t* out, std::int32_t* starts) {
  const std::int64_t steps = ceil_div(s.depth, 4);
  const __m512i ones = _mm512_set1_epi8(1), factor = _mm512_set1_epi32(-128 - q_zero);
  for (std::int64_t key = 0; key < s.keys; key += 16) {
    std::int8_t* panel = out + key / kPanel * steps * kStep + key % kPanel * 4;
    __m512i sum = _mm512_setzero_si512();
    for (std::int64_t step = 0; step < steps; step += 16) {
      const __mmask64 exist = first_bytes(s.depth - step * 4);
      Vec rows[16];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < 16; ++i) {
        const __mmask64 mask = key + i < s.keys ? exist : 0;
        rows[i].v = _mm512_castsi512_ps(_mm512_maskz_loadu_epi8(mask, k + (key + i) * s.k_stride + step * 4));
      }
      transpose(rows);
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < 16; ++i) {
        const __m512i bytes = _mm512_castps_si512(rows[i].v);
        Vnni::add(sum, ones, bytes);
        if (i < steps - step) _mm512_store_si512(panel + (step + i) * kStep, bytes);
      }
    }
    const __m512i start = _mm512_add_epi32(_mm512_mullo_epi32(sum, factor), _mm512_set1_epi32(offset));
    const __m512i none = _mm512_castps_si512(_mm512_set1_ps(-kInfinity));
    _mm512_store_si512(starts + key, _mm512_mask_mov_epi32(none, first_lanes(s.keys - key), start));
  }
}

// Values in panels, [panel][step][element][4 keys].
void pack_values(const AttentionShape& s, const std::int8_t* v, std::int8_t* out) {
  const std::int64_t steps = ceil_div(s.keys, 4);
  for (std::int64_t d = 0; d < s.value_depth; d += 64) {
    const __mmask64 exist = first_bytes(s.value_depth - d);
    for (std::int64_t step = 0; step < steps; ++step) {
      const auto row = [&](std::int64_t i) {
        return _mm512_maskz_loadu_epi8(step * 4 + i < s.keys ? exist : 0,
                                       v + (step * 4 + i) * s.v_stride + d);
      };
      const __m512i a = row(0), b = row(1), c = row(2), e = row(3);
      const __m512i low = _mm512_unpacklo_epi8(a, b), low2 = _mm512_unpacklo_epi8(c, e);
      const __m512i high = _mm512_unpackhi_epi8(a, b), high2 = _mm512_unpackhi_epi8(c, e);
      // Four elements in every 128 bits, 16 elements after those of the 128 bits before; then a transposition
      // of these.
      const __m512i p = _mm512_unpacklo_epi16(low, low2), q = _mm512_unpackhi_epi16(low, low2);
      const __m512i r = _mm512_unpacklo_epi16(high, high2), t = _mm512_unpackhi_epi16(high, high2);
      const __m512i p01 = _mm512_shuffle_i32x4(p, q, 0x44), p23 = _mm512_shuffle_i32x4(p, q, 0xEE);
      const __m512i r01 = _mm512_shuffle_i32x4(r, t, 0x44), r23 = _mm512_shuffle_i32x4(r, t, 0xEE);
      const __m512i vecs[] = {_mm512_shuffle_i32x4(p01, r01, 0x88), _mm512_shuffle_i32x4(p01, r01, 0xDD),
                              _mm512_shuffle_i32x4(p23, r23, 0x88), _mm512_shuffle_i32x4(p23, r23, 0xDD)};
#pragma GCC unroll 4
      for (std::int64_t j = 0; j < 4; ++j) {
        std::int8_t* panel = out + (d / kPanel + j / 2) * steps * kStep + step * kStep + j % 2 * 64;
        if (d + 16 * j < s.value_depth) _mm512_store_si512(panel, vecs[j]);
      }
    }
  }
}

class Run {
 public:
  Run(const AttentionShape& s, const Qs8AttentionParams& p, const std::int8_t* q, const float* mask,
      std::int8_t* out, std::byte* scratch)
      : s_(s),
        p_(p),
        plan_(s),
        q_(q),
        mask_(mask),
        out_(out),
        base_(reinterpret_cast<std::int8_t*>(scratch)),
        scale_(s.scale * p.qk_scale),
        are_bits_(mask == nullptr && s.depth <= kMostDepthOfBits && scale_ >= 0 &&
                  scale_ * kLog2E <= 0x1p-7f) {}

  void pack(const std::int8_t* k, const std::int8_t* v) const {
    pack_keys(s_, p_.q_zero, are_bits_ ? kFloatBits : 0, k, base_,
              reinterpret_cast<std::int32_t*>(base_ + plan_.starts));
    pack_values(s_, v, base_ + plan_.values);
  }

  // Tiles of nearly equal height.
  void run(std::int64_t begin, std::int64_t end) {
    for (std::int64_t tiles = ceil_div(end - begin, kTileRows); tiles > 0; --tiles, begin += rows_) {
      first_ = begin, rows_ = ceil_div(end - begin, tiles);
      score();
      if (are_bits_) {
        weigh_unmasked();
      }
      else
        weigh_masked();
      add_values();
    }
  }

 private:
  std::int32_t* scores(std::int64_t row) const {
    return reinterpret_cast<std::int32_t*>(base_ + plan_.scores + row * plan_.score_row);
  }
  float* tops(std::int64_t row) const { return reinterpret_cast<float*>(base_ + plan_.tops) + 16 * row; }
  float* totals(std::int64_t row) const { return reinterpret_cast<float*>(base_ + plan_.totals) + 16 * row; }

  void score() const {
    auto* queries = reinterpret_cast<std::uint8_t*>(base_ + plan_.queries);
    for (std::int64_t row = 0; row < rows_; ++row) {
      Vnni::convert(q_ + (first_ + row) * s_.q_stride, s_.depth, 0, queries + row * plan_.q_row);
      _mm512_store_ps(tops(row), _mm512_set1_ps(-kInfinity));
    }
    const auto* starts = reinterpret_cast<const std::int32_t*>(base_ + plan_.starts);
    for (std::int64_t key = 0; key < s_.keys; key += kPanel) {
      const int wide = s_.keys - key > 16 ? 1 : 0;
      kTiles.scores[wide][rows_](queries, plan_.q_row, base_ + key / kPanel * plan_.key_steps * kStep,
                                 plan_.key_steps, starts + key, tops(0), scores(0) + key,
                                 plan_.score_row / 4);
    }
  }

  void weigh_unmasked() {
    const float factor = scale_ * kLog2E;
    alignas(64) float shifts[16];
    _mm512_store_ps(shifts, shifts_of(largest_of_rows(tops(0)), factor));
    for (std::int64_t row = 0; row < rows_; ++row) {
      _mm512_store_ps(totals(row), weigh_bits(scores(row), s_.keys, factor, shifts[row]));
    }
    divide_by(sums_of_rows(totals(0)));
  }
  // A row without a finite largest score, or with one that is NaN, has a total of NaN.
  void weigh_masked() {
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* mask = mask_ == nullptr ? nullptr : mask_ + (first_ + row) * s_.mask_stride;
      const ScaledScores scaled = scale_scores(scores(row), s_.keys, scale_, mask);
      _mm512_store_ps(tops(row), scaled.tops);
      _mm512_store_ps(totals(row), scaled.sums);
    }
    const __m512 largest = largest_of_rows(tops(0)), sums = sums_of_rows(totals(0));
    const auto are_numbers = static_cast<__mmask16>(
        _mm512_cmp_ps_mask(_mm512_abs_ps(largest), _mm512_set1_ps(kInfinity), _CMP_LT_OQ) &
        _mm512_cmp_ps_mask(sums, sums, _CMP_ORD_Q));
    alignas(64) float shifts[16];
    _mm512_store_ps(shifts, _mm512_maskz_mov_ps(are_numbers, largest));
    for (std::int64_t row = 0; row < rows_; ++row) {
      _mm512_store_ps(totals(row), weigh_floats(scores(row), s_.keys, shifts[row]));
    }
    divide_by(_mm512_mask_mov_ps(_mm512_set1_ps(__builtin_nanf("")), are_numbers, sums_of_rows(totals(0))));
  }
  void divide_by(__m512 totals) {
    _mm512_store_ps(totals_, totals);
    _mm512_store_ps(reciprocals_, _mm512_div_ps(_mm512_set1_ps(1.0f), totals));
  }

  void add_values() const {
    for (std::int64_t row = 0, tiles = ceil_div(rows_, kTileRows / 2); tiles > 0; --tiles) {
      const std::int64_t rows = ceil_div(rows_ - row, tiles);
      const ValueEnd end{totals_ + row, reciprocals_ + row, static_cast<float>(p_.v_zero),
                         p_.v_scale * p_.inverse_out_scale, p_.out_zero};
      std::int8_t* out = out_ + (first_ + row) * s_.out_stride;
      for (std::int64_t d = 0; d < s_.value_depth; d += kPanel) {
        const int wide = s_.value_depth - d > 16 ? 1 : 0;
        kTiles.values[wide][rows](reinterpret_cast<const std::uint8_t*>(scores(row)), plan_.score_row,
                                  base_ + plan_.values + d / kPanel * plan_.value_steps * kStep,
                                  plan_.value_steps, end, out + d, s_.out_stride, s_.value_depth - d);
      }
      row += rows;
    }
  }

  const AttentionShape& s_;
  const Qs8AttentionParams& p_;
  const Plan plan_;
  const std::int8_t* q_;
  const float* mask_;
  std::int8_t* out_;
  std::int8_t* base_;
  const float scale_;
  const bool are_bits_;  // of floats, the scores
  std::int64_t first_ = 0, rows_ = 0;
  alignas(64) float totals_[16], reciprocals_[16];
};

bool fits(const AttentionShape& s) { return s.keys <= kMostKeys && s.depth <= kMostDepth; }

std::size_t scratch_bytes(const AttentionShape& s) {
  return fits(s) ? static_cast<std::size_t>(Plan(s).end) : kQs8AttentionAvx512.scratch_bytes(s);
}

void run(const AttentionShape& s, const Qs8AttentionParams& p, const std::int8_t* q, const std::int8_t* k,
         const std::int8_t* v, const float* mask, std::int8_t* out, std::int64_t begin, std::int64_t end,
         std::byte* scratch) {
  if (!fits(s)) return kQs8AttentionAvx512.run(s, p, q, k, v, mask, out, begin, end, scratch);
  Run run(s, p, q, mask, out, scratch);
  run.pack(k, v);
  run.run(begin, end);
}

}  // namespace

extern constinit const Qs8AttentionKernel kQs8AttentionAvx512Vnni = {
    .name = "qs8_attention_ukernel_14x32c4__avx512vnni",
    .isa = Isa::kAvx512Vnni,
    .scratch_bytes = scratch_bytes,
    .run = run};

}  // namespace etalon::kernels
