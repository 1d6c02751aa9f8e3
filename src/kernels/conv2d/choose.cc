#include <fmt/format.h>

#include <algorithm>

#include "kernels/conv2d/conv2d.h"

namespace etalon::kernels {

#define ALGORITHM(object) extern const Conv2dAlgorithm object;
#include "kernels/conv2d/conv2d.def"
#undef ALGORITHM

namespace {

constexpr const Conv2dAlgorithm* kAlgorithms[] = {
#define ALGORITHM(object) &object,
#include "kernels/conv2d/conv2d.def"
#undef ALGORITHM
};

const char* wish_for(MathMode math) {
  return math == MathMode::kFast ? "wants --math fast" : math == MathMode::kBf16 ? "wants --math bf16" : "wants --math fp16";
}

const char* refusal_of(const Conv2dAlgorithm& algorithm, const Conv2dShape& shape, const Epilogue& epilogue,
                       MathMode math) {
  if (algorithm.is_depthwise != shape.is_depthwise()) {
    return algorithm.is_depthwise ? "wants a depthwise convolution" : "does not do depthwise convolutions";
  }
  if (!allows(math, algorithm.math)) return wish_for(algorithm.math);
  return algorithm.refusal(shape, epilogue);
}

// Why nothing of exactly this ISA runs: the refusal of its first algorithm that could have been meant.
std::string why_not(Isa isa, const Conv2dShape& shape, const Epilogue& epilogue, MathMode math) {
  const char* reason = nullptr;
  for (const Conv2dAlgorithm* algorithm : kAlgorithms) {
    if (algorithm->isa != isa || algorithm->is_depthwise != shape.is_depthwise()) continue;
    const char* refused = refusal_of(*algorithm, shape, epilogue, math);
    if (refused == nullptr) {
      return fmt::format("{}: {} takes this shape but is slower by estimate", info_of(isa).name, algorithm->name);
    }
    if (reason == nullptr) reason = refused;
  }
  if (reason == nullptr) {
    reason = shape.is_depthwise() ? "has no float32 depthwise kernel" : "has no float32 convolution kernel";
  }
  return fmt::format("{}: {}", info_of(isa).name, reason);
}

}  // namespace

std::span<const Conv2dAlgorithm* const> conv2d_algorithms() { return kAlgorithms; }

Isa best_float_isa(Isa cap, MathMode math) {
  const auto has_any = [math](Isa isa) {
    return std::ranges::any_of(kAlgorithms, [isa, math](const Conv2dAlgorithm* algorithm) {
      return algorithm->isa == isa && allows(math, algorithm->math);
    });
  };
  while (!has_any(cap)) cap = info_of(cap).base;
  return cap;
}

Conv2dChoice choose_conv2d(const Conv2dShape& shape, const Epilogue& epilogue, Isa cap, MathMode math,
                           const Machine& machine) {
  Conv2dChoice choice;
  double fewest = 0;
  for (const Conv2dAlgorithm* algorithm : kAlgorithms) {
    if (!is_within(algorithm->isa, cap) || refusal_of(*algorithm, shape, epilogue, math) != nullptr) continue;
    const double cycles = algorithm->cycles(shape, machine);
    if (choice.algorithm != nullptr && cycles >= fewest) continue;
    choice.algorithm = algorithm;
    fewest = cycles;
  }
  for (Isa isa = best_float_isa(cap, math); isa != choice.algorithm->isa; isa = info_of(isa).base) {
    choice.refusals.push_back(why_not(isa, shape, epilogue, math));
  }
  return choice;
}

}  // namespace etalon::kernels
