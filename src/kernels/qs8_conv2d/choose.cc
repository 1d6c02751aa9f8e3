#include "kernels/conv2d/choosing_impl.h"
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

}  // namespace

std::span<const Qs8Conv2dAlgorithm* const> qs8_conv2d_algorithms() { return kAlgorithms; }

Isa best_qs8_isa(Isa cap) {
  return best_isa_of<Qs8Conv2dAlgorithm>(kAlgorithms, cap, [](const Qs8Conv2dAlgorithm&) { return true; });
}

Qs8Conv2dChoice choose_qs8_conv2d(const Conv2dShape& shape, const Qs8Conv2dParams& params, Isa cap,
                                  const Machine& machine) {
  const auto refusal = [&](const Qs8Conv2dAlgorithm& algorithm) { return refusal_of(algorithm, shape, params); };
  return choose_algorithm<Qs8Conv2dChoice, Qs8Conv2dAlgorithm>(kAlgorithms, shape, best_qs8_isa(cap), cap, machine,
                                                               "int8", refusal);
}

}  // namespace etalon::kernels
