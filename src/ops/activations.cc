// Activation functions with parameters.
#include <fmt/core.h>

#include <cmath>
#include <numbers>

#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/strided.h"
#include "ops/vector_math.h"

namespace etalon::ops {
namespace {

inline float expm1_of(float x) { return expm1_f32(x); }
inline double expm1_of(double x) { return std::expm1(x); }
inline float erf_of(float x) { return erf_f32(x); }
inline double erf_of(double x) { return std::erf(x); }
inline float tanh_of(float x) { return tanh_f32(x); }
inline double tanh_of(double x) { return std::tanh(x); }
inline float sigmoid_of(float x) { return sigmoid_f32(x); }
inline double sigmoid_of(double x) { return 1.0 / (1.0 + std::exp(-x)); }

Status infer_floating(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(require_floating(call.tensor(0).dtype(), "self"));
  return infer_same_as(call, outs);
}

// scale * x where positive, scale * alpha * (exp(input_scale * x) - 1) elsewhere.
Status elu_kernel(const Call& call) {
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T scale = static_cast<T>(call.number(2));
    const T negative = static_cast<T>(call.number(1)) * scale;
    const T input_scale = static_cast<T>(call.number(3));
    return map<T, T>(call.tensor(0), call.out(),
                     [=](T x) { return x > T(0) ? x * scale : expm1_of(x * input_scale) * negative; });
  });
}

// x times the normal distribution function of x, exact or by the tanh formula of Hendrycks and Gimpel.
struct Gelu {
  template <class T>
  T operator()(T x) const {
    return x * T(0.5) * (T(1) + erf_of(x * (T(1) / std::numbers::sqrt2_v<T>)));
  }
};
struct GeluTanh {
  template <class T>
  T operator()(T x) const {
    constexpr T kBeta = std::numbers::sqrt2_v<T> * std::numbers::inv_sqrtpi_v<T>;
    return T(0.5) * x * (T(1) + tanh_of(kBeta * (x + T(0.044715) * x * x * x)));
  }
};

Status infer_gelu(const Call& call, OutShapes& outs) {
  if (const auto how = call.text(1); how != "none" && how != "tanh") {
    return invalid_input(fmt::format("approximate is '{}', want 'none' or 'tanh'", how));
  }
  return infer_floating(call, outs);
}

Status gelu_kernel(const Call& call) {
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (call.text(1) == "tanh") return map<T, T>(call.tensor(0), call.out(), GeluTanh{});
    return map<T, T>(call.tensor(0), call.out(), Gelu{});
  });
}

Status infer_hardtanh(const Call& call, OutShapes& outs) {
  if (call.tensor(0).dtype() == DType::kBool) return unsupported("hardtanh of a bool tensor");
  return infer_same_as(call, outs);
}

Status hardtanh_kernel(const Call& call) {
  return visit_computed(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T low = call.scalar(1).as<T>();
    const T high = call.scalar(2).as<T>();
    return map<T, T>(call.tensor(0), call.out(), [=](T x) {
      const T raised = x < low ? low : x;
      return raised > high ? high : raised;
    });
  });
}

Status leaky_relu_kernel(const Call& call) {
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T slope = static_cast<T>(call.number(1));
    return map<T, T>(call.tensor(0), call.out(), [=](T x) { return x > T(0) ? x : x * slope; });
  });
}

// The first half of `dim` times the sigmoid of the second half.
Status infer_glu(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  ETALON_CHECKED(require_floating(self.dtype(), "self"));
  if (self.rank() == 0) return invalid_input("glu wants a tensor with at least one dim");
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), self.rank()));
  if (self.size(dim) % 2 != 0)
    return invalid_input(fmt::format("glu: dim {} has size {}, want an even one", dim, self.size(dim)));
  Dims sizes = self.sizes();
  sizes[dim] /= 2;
  return outs.set(0, self.dtype(), sizes, &self.order());
}

Status glu_kernel(const Call& call) {
  const TensorView& self = call.tensor(0);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), self.rank()));
  const std::int64_t half = self.size(dim) / 2;
  const StridedView values = StridedView(self).narrowed(dim, 0, half);
  const StridedView gates = StridedView(self).narrowed(dim, half, half);
  return visit_real(self.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(values, gates, call.out(), [](T x, T gate) { return x * sigmoid_of(gate); });
  });
}

template <int kPerElement>
std::int64_t flops(const Call& call) {
  return kPerElement * call.tensor(0).numel();
}

constexpr OpDef kRows[] = {
    {.schema = "aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor",
     .out_name = "aten::elu.out",
     .infer = infer_floating,
     .kernel = elu_kernel,
     .flops = flops<3>,
     .traits = kElementwise},
    {.schema = "aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor",
     .out_name = "aten::gelu.out",
     .infer = infer_gelu,
     .kernel = gelu_kernel,
     .flops = flops<4>,
     .traits = kElementwise},
    {.schema = "aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor",
     .out_name = "aten::hardtanh.out",
     .infer = infer_hardtanh,
     .kernel = hardtanh_kernel,
     .flops = flops<2>,
     .traits = kElementwise},
    {.schema = "aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor",
     .out_name = "aten::leaky_relu.out",
     .infer = infer_floating,
     .kernel = leaky_relu_kernel,
     .flops = flops<1>,
     .traits = kElementwise},
    {.schema = "aten::glu(Tensor self, int dim=-1) -> Tensor",
     .out_name = "aten::glu.out",
     .infer = infer_glu,
     .kernel = glu_kernel,
     .flops = flops<1>},
};

}  // namespace

extern constinit const OpFamily kActivationOps{kRows};

}  // namespace etalon::ops
