// Counting up in many independent chains, so that the latency of an instruction hides behind the others. A Step is an
// instruction: Register, zero(), ones() of both factors, add(sum, a, b), keep(register), first(register).
// Included by one file per ISA, inside of an unnamed namespace's reach.
#pragma once

#include "kernels/ceilings/ceilings.h"

namespace etalon::kernels {
namespace {

// Steps of a chain in one round: enough to forget the loop around them.
constexpr int kSteps = 4;

template <class Step, int kChains>
double count_up(std::int64_t rounds) {
  typename Step::Register sums[kChains];
#pragma GCC unroll 32
  for (int chain = 0; chain < kChains; ++chain) sums[chain] = Step::zero();
  auto a = Step::ones_a();
  auto b = Step::ones_b();
  Step::keep(a);  // what they hold is not the compiler's to know
  Step::keep(b);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 4
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 32
      for (int chain = 0; chain < kChains; ++chain) Step::add(sums[chain], a, b);
    }
#pragma GCC unroll 32
    for (int chain = 0; chain < kChains; ++chain) Step::keep(sums[chain]);
  }
  return Step::first(sums[0]);
}

// One instruction adds `gain` to every accumulated number and counts as `operations`.
template <class Step, int kChains>
constexpr ComputeLoop compute_loop(Isa isa, std::string_view features, std::string_view dtype, std::string_view method,
                                   std::int64_t operations, double gain) {
  return {isa, features, dtype, method, operations * kChains * kSteps, gain * kSteps, &count_up<Step, kChains>};
}

}  // namespace
}  // namespace etalon::kernels
