// Activation functions, taken apart as ExecuTorch's export does where it does.
#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ValueId clamp(Lowering& lo, ValueId x, Arg min, Arg max) { return lo.op("aten::clamp", x, min, max); }
ValueId sigmoid(Lowering& lo, ValueId x) { return lo.op("aten::sigmoid", x); }

// clamp(x + 3, 0, 6) / 6
ValueId hardsigmoid_of(Lowering& lo, ValueId x) {
  return lo.div(clamp(lo, lo.add(x, 3.0), std::int64_t{0}, std::int64_t{6}), 6.0);
}

ValueIds relu6(Lowering& lo, const Args& a) { return {lo.op("aten::hardtanh", a[0], 0.0, 6.0)}; }
ValueIds hardsigmoid(Lowering& lo, const Args& a) { return {hardsigmoid_of(lo, a.tensor(0))}; }

ValueIds hardswish(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId gate = clamp(lo, lo.add(x, 3.0), std::int64_t{0}, std::int64_t{6});
  return {lo.div(lo.mul(x, gate), 6.0)};
}

ValueIds silu(Lowering& lo, const Args& a) { return {lo.mul(a.tensor(0), sigmoid(lo, a.tensor(0)))}; }

// max(x, 0) + log1p(exp(-|x|)), which overflows nowhere.
ValueId softplus_of(Lowering& lo, ValueId x) {
  const ValueId tail = lo.op("aten::log1p", lo.op("aten::exp", lo.op("aten::neg", lo.op("aten::abs", x))));
  return lo.add(lo.op("aten::relu", x), tail);
}

ValueIds softplus(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const double beta = a.number(1);
  const double threshold = a.number(2);
  if (beta == 1.0 && threshold >= 20.0 && lo.dtype(x) != DType::kFloat64) return {softplus_of(lo, x)};
  const ValueId scaled = lo.mul(x, beta);
  return {lo.where(lo.op("aten::gt.Scalar", scaled, threshold), x, lo.div(softplus_of(lo, scaled), beta))};
}

ValueIds mish(Lowering& lo, const Args& a) {
  return {lo.mul(a.tensor(0), lo.op("aten::tanh", softplus_of(lo, a.tensor(0))))};
}

ValueIds log_sigmoid(Lowering& lo, const Args& a) {
  return {lo.op("aten::neg", softplus_of(lo, lo.op("aten::neg", a.tensor(0))))};
}

ValueIds selu(Lowering& lo, const Args& a) {
  constexpr double kAlpha = 1.6732632423543772848170429916717;  // torch.nn.SELU
  constexpr double kScale = 1.0507009873554804934193349852946;
  return {lo.op("aten::elu", a[0], kAlpha, kScale, 1.0)};
}

ValueIds celu(Lowering& lo, const Args& a) {
  return {lo.op("aten::elu", a[0], a.number(1), 1.0, 1.0 / a.number(1))};
}

ValueIds prelu(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  ValueId weight = a.tensor(1);
  if (lo.rank(weight) == 1 && lo.rank(x) >= 2) {
    IntItems sizes(lo.rank(x), IntItem{1, ir::kNoValue});
    sizes[1] = lo.size(weight, 0);
    weight = lo.view(weight, sizes);
  }
  return {lo.where(lo.op("aten::gt.Scalar", x, 0), x, lo.mul(weight, x))};
}

ValueId like(Lowering& lo, ValueId x, double value) { return lo.scalar(value, lo.dtype(x)); }

ValueIds threshold(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  return {lo.where(lo.op("aten::le.Scalar", x, a[1]), like(lo, x, a.number(2)), x)};
}

ValueIds hardshrink(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  return {lo.where(lo.op("aten::le.Scalar", lo.op("aten::abs", x), a[1]), like(lo, x, 0), x)};
}

// x - clamp(x, -lambda, lambda)
ValueIds softshrink(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  return {lo.sub(x, clamp(lo, x, -a.number(1), a.number(1)))};
}

ValueIds rrelu(Lowering& lo, const Args& a) {
  if (a.flag(3)) refuse("the model is in training mode; call model.eval() before torch.export.export");
  return {lo.op("aten::leaky_relu", a[0], (a.number(1) + a.number(2)) / 2)};
}

ValueIds clamp_min(Lowering& lo, const Args& a) { return {clamp(lo, a.tensor(0), a[1], ir::kNone)}; }
ValueIds clamp_max(Lowering& lo, const Args& a) { return {clamp(lo, a.tensor(0), ir::kNone, a[1])}; }
ValueIds clamp_min_tensor(Lowering& lo, const Args& a) { return {lo.op("aten::maximum", a[0], a[1])}; }
ValueIds clamp_max_tensor(Lowering& lo, const Args& a) { return {lo.op("aten::minimum", a[0], a[1])}; }

ValueIds clip(Lowering& lo, const Args& a) { return {clamp(lo, a.tensor(0), a[1], a[2])}; }
ValueIds clip_tensor(Lowering& lo, const Args& a) { return {lo.op("aten::clamp.Tensor", a[0], a[1], a[2])}; }

ValueId softmax_of(Lowering& lo, std::string_view op, const Args& a) {
  const ValueId x = lo.cast(a.tensor(0), a.dtype_or(2, lo.dtype(a.tensor(0))));
  const ValueId real = is_floating(lo.dtype(x)) ? x : lo.cast(x, DType::kFloat32);
  return lo.op(op, real, a[1], false);
}
ValueIds softmax(Lowering& lo, const Args& a) { return {softmax_of(lo, "aten::_softmax", a)}; }
ValueIds log_softmax(Lowering& lo, const Args& a) { return {softmax_of(lo, "aten::_log_softmax", a)}; }

// Rows that are -inf everywhere give zeros instead of NaN.
ValueIds safe_softmax(Lowering& lo, const Args& a) {
  const ValueId soft = softmax_of(lo, "aten::_softmax", a);
  const ValueId top = lo.op("aten::amax", a[0], Ints{a.integer(1)}, true);
  return {lo.where(lo.op("aten::eq.Scalar", top, -kInfinity), like(lo, soft, 0), soft)};
}

constexpr Rule kRows[] = {
    {"aten::relu6(Tensor self) -> Tensor", relu6},
    {"aten::hardsigmoid(Tensor self) -> Tensor", hardsigmoid},
    {"aten::hardswish(Tensor self) -> Tensor", hardswish},
    {"aten::silu(Tensor self) -> Tensor", silu},
    {"aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", softplus},
    {"aten::mish(Tensor self) -> Tensor", mish},
    {"aten::log_sigmoid(Tensor self) -> Tensor", log_sigmoid},
    {"aten::selu(Tensor self) -> Tensor", selu},
    {"aten::celu(Tensor self, Scalar alpha=1.0) -> Tensor", celu},
    {"aten::prelu(Tensor self, Tensor weight) -> Tensor", prelu},
    {"aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor", prelu},
    {"aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", threshold},
    {"aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", hardshrink},
    {"aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", softshrink},
    {"aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False) -> "
     "Tensor",
     rrelu},
    {"aten::clamp_min(Tensor self, Scalar min) -> Tensor", clamp_min},
    {"aten::clamp_max(Tensor self, Scalar max) -> Tensor", clamp_max},
    {"aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", clamp_min_tensor},
    {"aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", clamp_max_tensor},
    {"aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clip},
    {"aten::clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", clip_tensor},
    {"aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax},
    {"aten::special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax},
    {"aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", log_softmax},
    {"aten::special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", log_softmax},
    {"aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", safe_softmax},
};

}  // namespace

constinit const RuleFamily kActivationRules{kRows};

}  // namespace etalon::frontend
