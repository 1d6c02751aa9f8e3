// For micro-benchmarks of kernels: the shortest of many repeats, in cycles, because other work shares the machine.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>

#include "kernels/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

#if defined(__x86_64__)
__attribute__((target("avx512f"), noinline)) inline double fma_flops_avx512(long rounds) {
  __m512 acc[12];
#pragma GCC unroll 12
  for (int j = 0; j < 12; ++j) acc[j] = _mm512_set1_ps(1.0f);
  const __m512 x = _mm512_set1_ps(0.999f);
  const double start = seconds_now();
  for (long i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) asm volatile("vfmadd231ps %1, %1, %0" : "+v"(acc[j]) : "v"(x));
  }
  const double seconds = seconds_now() - start;
  return 2.0 * 16 * 12 * static_cast<double>(rounds) / seconds;
}
__attribute__((target("avx2,fma"), noinline)) inline double fma_flops_avx2(long rounds) {
  __m256 acc[12];
#pragma GCC unroll 12
  for (int j = 0; j < 12; ++j) acc[j] = _mm256_set1_ps(1.0f);
  const __m256 x = _mm256_set1_ps(0.999f);
  const double start = seconds_now();
  for (long i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) asm volatile("vfmadd231ps %1, %1, %0" : "+x"(acc[j]) : "x"(x));
  }
  const double seconds = seconds_now() - start;
  return 2.0 * 8 * 12 * static_cast<double>(rounds) / seconds;
}
#endif

// float32 operations per second of one core; 0 if nobody knows how to measure this ISA.
inline double peak_flops(Isa isa) {
  double best = 0;
#if defined(__x86_64__)
  for (int i = 0; i < 200; ++i) {
    if (is_within(Isa::kAvx512, isa)) best = std::max(best, fma_flops_avx512(10000));
    else if (isa == Isa::kAvx2) best = std::max(best, fma_flops_avx2(10000));
  }
#endif
  return best;
}

// Of this thread; leaves out what others did meanwhile, but a call of it takes too long for short work.
inline double cpu_seconds_now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Body>
double seconds_of(const Body& body) {
  const double cpu_start = cpu_seconds_now(), start = seconds_now();
  body();
  const double seconds = seconds_now() - start, cpu_seconds = cpu_seconds_now() - cpu_start;
  return seconds < 1e-3 ? seconds : cpu_seconds;
}
template <class Body>
double best_seconds(int repeats, const Body& body) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) best = std::min(best, seconds_of(body));
  return best;
}

// Runs `body` for as long as `state` wants and reports the fastest run: this machine has other work, too.
// `flops` per run; %peak is of `peak`, if that is known.
template <class Body>
void run_best(benchmark::State& state, double flops, double peak, const Body& body) {
  double best = 1e30;
  for (auto _ : state) best = std::min(best, seconds_of(body));
  state.counters["best_us"] = best * 1e6;
  state.counters["GFLOP/s"] = flops / best * 1e-9;
  if (peak > 0) state.counters["%peak"] = 100 * flops / best / peak;
}

}  // namespace etalon::kernels::benching
