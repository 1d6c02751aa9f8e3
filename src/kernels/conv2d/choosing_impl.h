// How an algorithm is chosen from a list, for convolutions of every data type. Private to the choose.cc files.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"

namespace etalon::kernels {

// The best ISA within `cap` that any algorithm which `counts` is of.
template <class Algorithm, class Counts>
Isa best_isa_of(std::span<const Algorithm* const> algorithms, Isa cap, Counts&& counts) {
  const auto has_any = [&](Isa isa) {
    return std::ranges::any_of(algorithms, [&](const Algorithm* a) { return a->isa == isa && counts(*a); });
  };
  while (!has_any(cap)) cap = info_of(cap).base;
  return cap;
}

// Why nothing of exactly this ISA runs: the refusal of its first algorithm that could have been meant. `kind` is what
// the list computes: "int8".
template <class Algorithm, class Refusal>
std::string why_not(std::span<const Algorithm* const> algorithms, Isa isa, const Conv2dShape& shape,
                    std::string_view kind, Refusal&& refusal_of) {
  const char* reason = nullptr;
  for (const Algorithm* algorithm : algorithms) {
    if (algorithm->isa != isa || algorithm->is_depthwise != shape.is_depthwise()) continue;
    const char* refused = refusal_of(*algorithm);
    if (refused == nullptr) {
      return fmt::format("{}: {} takes this shape but is slower by estimate", info_of(isa).name, algorithm->name);
    }
    if (reason == nullptr) reason = refused;
  }
  if (reason != nullptr) return fmt::format("{}: {}", info_of(isa).name, reason);
  return fmt::format("{}: has no {} {} kernel", info_of(isa).name, kind,
                     shape.is_depthwise() ? "depthwise" : "convolution");
}

// The algorithm with the fewest estimated cycles among those that are within `cap` and not refused; with the reasons
// why none of a better ISA runs, from `best` down.
template <class Choice, class Algorithm, class Refusal>
Choice choose_algorithm(std::span<const Algorithm* const> algorithms, const Conv2dShape& shape, Isa best, Isa cap,
                        const Machine& machine, std::string_view kind, Refusal&& refusal_of) {
  Choice choice;
  double fewest = 0;
  for (const Algorithm* algorithm : algorithms) {
    if (!is_within(algorithm->isa, cap) || refusal_of(*algorithm) != nullptr) continue;
    const double cycles = algorithm->cycles(shape, machine);
    if (choice.algorithm != nullptr && cycles >= fewest) continue;
    choice.algorithm = algorithm;
    fewest = cycles;
  }
  if (choice.algorithm == nullptr) return choice;
  for (Isa isa = best; isa != choice.algorithm->isa; isa = info_of(isa).base) {
    choice.refusals.push_back(why_not(algorithms, isa, shape, kind, refusal_of));
  }
  return choice;
}

}  // namespace etalon::kernels
