#include <fmt/format.h>

#include <algorithm>

#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {

#define ALGORITHM(object) extern const Qs8Conv2dAlgorithm object;
#include "kernels/qs8_conv2d/qs8_conv2d.def"
#undef ALGORITHM

namespace {

constexpr const Qs8Conv2dAlgorithm* kAlgorithms[] = {
#define ALGORITHM(object) &object,
#include "kernels/qs8_conv2d/qs8_conv2d.def"
#undef ALGORITHM
};

const char* refusal_of(const Qs8Conv2dAlgorithm& algorithm, const Conv2dShape& shape, const Qs8Conv2dParams& params) {
  if (algorithm.is_depthwise != shape.is_depthwise()) {
    return algorithm.is_depthwise ? "wants a depthwise convolution" : "does not do depthwise convolutions";
  }
  if (shape.input_is_nchw && !algorithm.reads_planes) return "wants channels innermost";
  if (shape.has_input_scale) return "does not scale its input";
  return algorithm.refusal(shape, params);
}

// Why nothing of exactly this ISA runs: the refusal of its first algorithm that could have been meant.
std::string why_not(Isa isa, const Conv2dShape& shape, const Qs8Conv2dParams& params) {
  const char* reason = nullptr;
  for (const Qs8Conv2dAlgorithm* algorithm : kAlgorithms) {
    if (algorithm->isa != isa || algorithm->is_depthwise != shape.is_depthwise()) continue;
    const char* refused = refusal_of(*algorithm, shape, params);
    if (refused == nullptr) {
      return fmt::format("{}: {} takes this shape but is slower by estimate", info_of(isa).name, algorithm->name);
    }
    if (reason == nullptr) reason = refused;
  }
  if (reason == nullptr) {
    reason = shape.is_depthwise() ? "has no int8 depthwise kernel" : "has no int8 convolution kernel";
  }
  return fmt::format("{}: {}", info_of(isa).name, reason);
}

}  // namespace

std::span<const Qs8Conv2dAlgorithm* const> qs8_conv2d_algorithms() { return kAlgorithms; }

Isa best_qs8_isa(Isa cap) {
  const auto has_any = [](Isa isa) {
    return std::ranges::any_of(kAlgorithms, [isa](const auto* algorithm) { return algorithm->isa == isa; });
  };
  while (!has_any(cap)) cap = info_of(cap).base;
  return cap;
}

Qs8Conv2dChoice choose_qs8_conv2d(const Conv2dShape& shape, const Qs8Conv2dParams& params, Isa cap,
                                  const Machine& machine) {
  Qs8Conv2dChoice choice;
  double fewest = 0;
  for (const Qs8Conv2dAlgorithm* algorithm : kAlgorithms) {
    if (!is_within(algorithm->isa, cap) || refusal_of(*algorithm, shape, params) != nullptr) continue;
    const double cycles = algorithm->cycles(shape, machine);
    if (choice.algorithm != nullptr && cycles >= fewest) continue;
    choice.algorithm = algorithm;
    fewest = cycles;
  }
  if (choice.algorithm == nullptr) return choice;
  for (Isa isa = best_qs8_isa(cap); isa != choice.algorithm->isa; isa = info_of(isa).base) {
    choice.refusals.push_back(why_not(isa, shape, params));
  }
  return choice;
}

}  // namespace etalon::kernels
