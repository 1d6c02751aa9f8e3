// Tiles whose last vector has no more channels than half a register holds: two pixels share it. A layer of 24 or 40
// outputs does as much less work. Included by tile_impl.h; AVX-512 only.
//
// The panel has the weights of the last vector twice, once in each half.
#pragma once

#include <immintrin.h>

namespace etalon::kernels {
namespace {

template <int kRows, int kVecs>
struct PairedTile {
  static constexpr int kFull = kVecs - 1, kPairs = (kRows + 1) / 2, kHalf = 8;
  Vec acc[kRows][kFull];
  Vec pairs[kPairs];  // pixels 2i and 2i + 1

  ETALON_INLINE void start(const float* panel) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kFull; ++j) acc[i][j] = Vec::load(panel + j * kLanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPairs; ++i) pairs[i] = Vec::load(panel + kFull * kLanes);
  }

  ETALON_INLINE void add(const float* const (&a)[kRows], const float* b, std::int64_t count, Prefetch&) {
    for (std::int64_t k = 0; k < count; ++k, b += kVecs * kLanes) {
      Vec weights[kVecs];
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) weights[j] = Vec::load(b + j * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kPairs; ++i) {
        constexpr int kLast = kRows - 1;
        const int second = 2 * i + 1 > kLast ? kLast : 2 * i + 1;
        const Vec x = Vec::of(a[2 * i][k]), y = Vec::of(a[second][k]);
#pragma GCC unroll 8
        for (int j = 0; j < kFull; ++j) acc[2 * i][j] = multiply_add(x, weights[j], acc[2 * i][j]);
        if (second != 2 * i) {
#pragma GCC unroll 8
          for (int j = 0; j < kFull; ++j) acc[second][j] = multiply_add(y, weights[j], acc[second][j]);
        }
        pairs[i] = multiply_add(Vec{_mm512_mask_blend_ps(0xff00, x.v, y.v)}, weights[kFull], pairs[i]);
      }
    }
  }

  template <class Body>
  ETALON_INLINE void for_each(const Body& body) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kFull; ++j) body(acc[i][j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPairs; ++i) body(pairs[i]);
  }

  // `row(i)` is where pixel i's first channel is.
  template <class Row>
  ETALON_INLINE void add_from(const Row& row, __mmask16 lanes) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
      const float* p = row(i);
#pragma GCC unroll 8
      for (int j = 0; j < kFull; ++j) acc[i][j] = acc[i][j] + Vec::load(p + j * kLanes);
      const __mmask16 mask = i % 2 == 0 ? lanes : static_cast<__mmask16>(lanes << kHalf);
      const __m512 rest = _mm512_maskz_loadu_ps(mask, p + kFull * kLanes - i % 2 * kHalf);
      pairs[i / 2] = pairs[i / 2] + Vec{rest};
    }
  }
  template <class Row>
  ETALON_INLINE void store(const Row& row, __mmask16 lanes) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
      float* p = row(i);
#pragma GCC unroll 8
      for (int j = 0; j < kFull; ++j) acc[i][j].store(p + j * kLanes);
      const __mmask16 mask = i % 2 == 0 ? lanes : static_cast<__mmask16>(lanes << kHalf);
      _mm512_mask_storeu_ps(p + kFull * kLanes - i % 2 * kHalf, mask, pairs[i / 2].v);
    }
  }

  ETALON_INLINE void finish(const TileRun& r, const std::int64_t* pixels) {
    const Epilogue& e = *r.epilogue;
    const auto lanes = static_cast<__mmask16>((1u << r.last_lanes) - 1);
    if (e.activation != Activation::kNone && e.activation != Activation::kHardswish) {
      alignas(64) float sums[kRows * kVecs * kLanes];
      store([&](int i) __attribute__((always_inline)) { return sums + i * kVecs * kLanes; }, lanes);
      return finish_tile(r, sums, pixels, kRows, kVecs);
    }
    const auto residual = [&](int i) __attribute__((always_inline)) { return r.residual + pixels[i] * r.residual_stride; };
    if (e.residual == Epilogue::Residual::kBeforeActivation) add_from(residual, lanes);
    if (e.activation == Activation::kHardswish) {
      for_each([&](Vec& x) __attribute__((always_inline)) { x = hardswish(x); });
    }
    if (e.min != -__builtin_inff() || e.max != __builtin_inff()) {
      const Vec low = Vec::of(e.min), high = Vec::of(e.max);
      for_each([&](Vec& x) __attribute__((always_inline)) { x = clamp(x, low, high); });
    }
    if (e.residual == Epilogue::Residual::kAfterActivation) add_from(residual, lanes);
    store([&](int i) __attribute__((always_inline)) { return r.output + pixels[i] * r.output_stride; }, lanes);
  }

  ETALON_INLINE void join_sets() {}
};

}  // namespace
}  // namespace etalon::kernels
