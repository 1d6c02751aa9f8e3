#include "kernels/conv2d/choosing_impl.h"
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

}  // namespace

std::span<const Conv2dAlgorithm* const> conv2d_algorithms() { return kAlgorithms; }

Isa best_float_isa(Isa cap, MathMode math) {
  return best_isa_of<Conv2dAlgorithm>(kAlgorithms, cap,
                                      [math](const Conv2dAlgorithm& algorithm) { return allows(math, algorithm.math); });
}

Conv2dChoice choose_conv2d(const Conv2dShape& shape, const Epilogue& epilogue, Isa cap, MathMode math,
                           const Machine& machine) {
  const auto refusal = [&](const Conv2dAlgorithm& algorithm) { return refusal_of(algorithm, shape, epilogue, math); };
  return choose_algorithm<Conv2dChoice, Conv2dAlgorithm>(kAlgorithms, shape, best_float_isa(cap, math), cap, machine,
                                                         "float32", refusal);
}

}  // namespace etalon::kernels
