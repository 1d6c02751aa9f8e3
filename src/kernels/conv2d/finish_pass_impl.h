// The epilogue as a pass over sums that were left in scratch memory small enough for the first cache, for what is too
// long to do in the registers of a tile. Include a kernels/simd header and kernels/vector/math_impl.h first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/epilogue.h"

namespace etalon::kernels {
namespace {

// `pixels` pixels of `channels` channels; steps in floats between pixels. `residual` may be the output, or null if the
// epilogue has none.
struct FinishPass {
  const float* sums;
  std::int64_t sums_step;
  float* output;
  std::int64_t output_step;
  const float* residual;
  std::int64_t residual_step;
  std::int64_t pixels;
  std::size_t channels;
};

// Bias is in the sums already. One register, of which `n` lanes count.
// kBare: neither residual nor clamp.
template <Activation kActivation, bool kBare, bool kFull>
ETALON_INLINE void finish_register(const FinishPass& pass, const Epilogue& e, std::int64_t pixel, std::size_t channel,
                                   std::size_t n, Vec alpha, Vec low, Vec high) {
  const auto load = [n](const float* p) { return kFull ? Vec::load(p) : Vec::load(p, n); };
  const auto at = static_cast<std::int64_t>(channel);
  Vec x = load(pass.sums + pixel * pass.sums_step + at);
  if constexpr (kBare) {
    x = activate<kActivation>(x, alpha);
  } else {
    const std::int64_t there = pixel * pass.residual_step + at;
    if (e.residual == Epilogue::Residual::kBeforeActivation) x = x + load(pass.residual + there);
    x = clamp(activate<kActivation>(x, alpha), low, high);
    if (e.residual == Epilogue::Residual::kAfterActivation) x = x + load(pass.residual + there);
  }
  float* out = pass.output + pixel * pass.output_step + at;
  if constexpr (kFull) {
    x.store(out);
  } else {
    x.store(out, n);
  }
}

template <bool kBare>
ETALON_INLINE void finish_pixels(const FinishPass& pass, const Epilogue& e) {
  const Vec alpha = Vec::of(e.alpha), low = Vec::of(e.min), high = Vec::of(e.max);
  with_activation(e.activation, [&](auto tag) {
    constexpr Activation kActivation = decltype(tag)::kValue;
    for (std::int64_t pixel = 0; pixel < pass.pixels; ++pixel) {
      std::size_t c = 0;
      for (; c + Vec::kLanes <= pass.channels; c += Vec::kLanes) {
        finish_register<kActivation, kBare, true>(pass, e, pixel, c, Vec::kLanes, alpha, low, high);
      }
      if (c < pass.channels) {
        finish_register<kActivation, kBare, false>(pass, e, pixel, c, pass.channels - c, alpha, low, high);
      }
    }
  });
}

__attribute__((noinline, unused)) void finish(const FinishPass& pass, const Epilogue& e) {
  const bool bare = e.residual == Epilogue::Residual::kNone && e.min == -__builtin_inff() && e.max == __builtin_inff();
  bare ? finish_pixels<true>(pass, e) : finish_pixels<false>(pass, e);
}

}  // namespace
}  // namespace etalon::kernels
