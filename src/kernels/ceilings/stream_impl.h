// Reading and copying block by block. `Wide` is a register of an ISA: load(), store(), xor_with(), first_word().
// Included by one file per ISA.
#pragma once

#include "kernels/ceilings/ceilings.h"

namespace etalon::kernels {
namespace {

template <class Wide>
std::uint64_t read_all(const std::byte* data, std::size_t bytes) {
  constexpr int kLoads = static_cast<int>(kStreamBlock / sizeof(Wide));
  constexpr int kChains = kLoads < 8 ? kLoads : 8;
  Wide sums[kChains];
#pragma GCC unroll 8
  for (int chain = 0; chain < kChains; ++chain) sums[chain] = Wide::zero();
  for (std::size_t at = 0; at < bytes; at += kStreamBlock) {
#pragma GCC unroll 32
    for (int load = 0; load < kLoads; ++load) {
      sums[load % kChains].xor_with(Wide::load(data + at + sizeof(Wide) * static_cast<std::size_t>(load)));
    }
  }
#pragma GCC unroll 8
  for (int chain = 1; chain < kChains; ++chain) sums[0].xor_with(sums[chain]);
  return sums[0].first_word();
}

// The loads of a block before its stores, so that neither waits for the other.
template <class Wide>
void copy_all(std::byte* to, const std::byte* from, std::size_t bytes) {
  constexpr int kHeld = 8;
  constexpr std::size_t kBytes = sizeof(Wide) * kHeld;
  static_assert(kStreamBlock % kBytes == 0);
  for (std::size_t at = 0; at < bytes; at += kBytes) {
    Wide held[kHeld];
#pragma GCC unroll 8
    for (int i = 0; i < kHeld; ++i) held[i] = Wide::load(from + at + sizeof(Wide) * static_cast<std::size_t>(i));
#pragma GCC unroll 8
    for (int i = 0; i < kHeld; ++i) held[i].store(to + at + sizeof(Wide) * static_cast<std::size_t>(i));
  }
}

template <class Wide>
constexpr StreamLoop make_stream_loop(Isa isa) {
  return {isa, &read_all<Wide>, &copy_all<Wide>, sizeof(Wide)};
}

}  // namespace
}  // namespace etalon::kernels
