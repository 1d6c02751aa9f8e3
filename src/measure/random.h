// A small generator whose draws are the same on every machine: the standard library's shuffles and
// distributions differ between implementations, and a verdict must be recomputable from its seed.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace etalon::measure {

// SplitMix64 (Steele, Lea, Flood 2014). Thread-compatible; a value.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  // In [0, bound); the bias is below 2^-40 for the bounds used here.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  // In (0, 1).
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }
  // Mean 0, variance 1 (Box and Muller; the second value is not kept, so that each call draws twice).
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }
  double exponential(double mean) { return -mean * std::log(uniform()); }

  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_;
};

// A seed for one part of a session (a block, a worker) that does not depend on how many parts came before.
inline std::uint64_t derived_seed(std::uint64_t seed, std::uint64_t part) {
  return Random(seed ^ (part * 0xD1B54A32D192ED03U + 0x2545F4914F6CDD1DU)).next();
}

}  // namespace etalon::measure
