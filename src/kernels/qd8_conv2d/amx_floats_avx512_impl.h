// Sums of tiles to floats in zmm registers.
#pragma once

#include "kernels/qd8_conv2d/amx_floats_impl.h"
#include "kernels/qs8_conv2d/amx_avx512_impl.h"

namespace etalon::kernels {
namespace {

struct Floats512 : FloatsOfTiles {
  template <int kWide>
  ETALON_INLINE void rows(const TileSums& sums, std::int64_t begin, std::int64_t end) const {
    const FloatsHeader header(sums.panel);
    const __m512 min = _mm512_set1_ps(params.min), max = _mm512_set1_ps(params.max);
    const __mmask64 mask = first_bytes(sums.columns);
    const std::int64_t* targets = sums.targets;
    const std::int64_t stride = shape.out_pixel_stride;
    float* out = output + sums.channel;
    __m512 scales[kWide], bias[kWide];
    __m512i weights[kWide];
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) {
      scales[j] = _mm512_load_ps(header.scales + 16 * j), bias[j] = _mm512_load_ps(header.bias + 16 * j);
      weights[j] = _mm512_load_si512(header.weight_sums + 16 * j);
    }
    for (std::int64_t i = begin; i < end; ++i) {
      if (targets[i] < 0) continue;
      const Qd8Row& of = row(targets[i]);
      const __m512 scale = _mm512_set1_ps(of.scale);
      const __m512i zero = _mm512_set1_epi32(of.zero_point);
#pragma GCC unroll 2
      for (int j = 0; j < kWide; ++j) {
        const __m512i sum = _mm512_sub_epi32(_mm512_load_si512(sums.at[i] + 16 * j), _mm512_mullo_epi32(weights[j], zero));
        const __m512 real = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_mul_ps(scale, scales[j]), bias[j]);
        const __m512 clamped = _mm512_min_ps(_mm512_max_ps(real, min), max);
        _mm512_mask_storeu_ps(out + targets[i] * stride + 16 * j, static_cast<__mmask16>(mask >> (16 * j)), clamped);
      }
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
