// Sums of a block of channels in ymm registers, which hold sixteen of them.
#pragma once

#include <immintrin.h>

#include "kernels/qs8_conv2d/depthwise_lanes_impl.h"

namespace etalon::kernels {
namespace {

struct Sums256 {
  static void add(std::int32_t (&sums)[kLanes], const LaneTaps& taps, std::int16_t zero_point) {
    const __m256i zero = _mm256_set1_epi16(zero_point);
    for (std::int64_t c = 0; c < kLanes; c += 16) {
      auto* to = reinterpret_cast<__m256i*>(sums + c);
      __m256i low = _mm256_loadu_si256(to), high = _mm256_loadu_si256(to + 1);
      for (int t = 0; t < taps.count; ++t) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(taps.input[t] + c));
        const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(taps.weights[t] + c));
        const __m256i product = _mm256_mullo_epi16(_mm256_sub_epi16(_mm256_cvtepi8_epi16(bytes), zero), w);
        low = _mm256_add_epi32(low, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(product)));
        high = _mm256_add_epi32(high, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(product, 1)));
      }
      _mm256_storeu_si256(to, low);
      _mm256_storeu_si256(to + 1, high);
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
