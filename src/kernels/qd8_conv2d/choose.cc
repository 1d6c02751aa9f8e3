#include "kernels/conv2d/choosing_impl.h"
#include "kernels/qd8_conv2d/qd8_conv2d.h"

namespace etalon::kernels {

#define ALGORITHM(object) extern const Qd8Conv2dAlgorithm object;
#include "kernels/qd8_conv2d/qd8_conv2d.def"
#undef ALGORITHM

namespace {

constexpr const Qd8Conv2dAlgorithm* kAlgorithms[] = {
#define ALGORITHM(object) &object,
#include "kernels/qd8_conv2d/qd8_conv2d.def"
#undef ALGORITHM
};

const char* refusal_of(const Qd8Conv2dAlgorithm& algorithm, const Conv2dShape& shape, const Qd8Conv2dParams& params) {
  if (algorithm.is_depthwise != shape.is_depthwise()) {
    return algorithm.is_depthwise ? "wants a depthwise convolution" : "does not do depthwise convolutions";
  }
  if (shape.input_is_nchw) return "wants channels innermost";
  if (shape.has_input_scale) return "does not scale its input";
  return algorithm.refusal(shape, params);
}

}  // namespace

std::span<const Qd8Conv2dAlgorithm* const> qd8_conv2d_algorithms() { return kAlgorithms; }

Isa best_qd8_isa(Isa cap) {
  return best_isa_of<Qd8Conv2dAlgorithm>(kAlgorithms, cap, [](const Qd8Conv2dAlgorithm&) { return true; });
}

Qd8Conv2dChoice choose_qd8_conv2d(const Conv2dShape& shape, const Qd8Conv2dParams& params, Isa cap,
                                  const Machine& machine) {
  const auto refusal = [&](const Qd8Conv2dAlgorithm& algorithm) { return refusal_of(algorithm, shape, params); };
  return choose_algorithm<Qd8Conv2dChoice, Qd8Conv2dAlgorithm>(kAlgorithms, shape, best_qd8_isa(cap), cap, machine,
                                                               "dynamically quantised", refusal);
}

}  // namespace etalon::kernels
