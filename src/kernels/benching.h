// For micro-benchmarks of kernels: the shortest of many repeats, in cycles, because other work shares the machine.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace etalon::kernels::benching {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Clock rate while this thread computes: a chain of additions that each need the one before takes one cycle each.
inline double clock_hertz() {
  static const double hertz = [] {
    double best = 1e9;
    constexpr int kSteps = 200000;
    for (int repeat = 0; repeat < 50; ++repeat) {
      const double begin = seconds_now();
      std::uint64_t x = 1;
      for (int i = 0; i < kSteps; i += 4) {
        for (int k = 0; k < 4; ++k) {
          x += static_cast<std::uint64_t>(i);
          asm volatile("" : "+r"(x));
        }
      }
      best = std::min(best, seconds_now() - begin);
      benchmark::DoNotOptimize(x);
    }
    return kSteps / best;
  }();
  return hertz;
}

// Runs `work` and reports cycles per unit of `units`, and what else the caller derives from the seconds returned.
template <class Work>
double report_cycles(benchmark::State& state, double units, const char* counter, const Work& work) {
  double best = 1e9;
  work();
  for (auto _ : state) {
    const double begin = seconds_now();
    work();
    benchmark::ClobberMemory();
    best = std::min(best, seconds_now() - begin);
  }
  state.counters[counter] = best * clock_hertz() / units;
  return best;
}

}  // namespace etalon::kernels::benching
