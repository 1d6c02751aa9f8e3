// Activation functions with parameters, and those that prepare.h recognises.
#include <fmt/core.h>

#include <cmath>

#include "backends/xnnpack/aot/composite.h"
#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

using enum xnn::NodeType;

Refused refuse_gelu(const NodeArgs& a) {
  const std::string_view form = a.text(1);
  if (form != "none" && form != "tanh") return Refusal{fmt::format("the form '{}' is not known", form), "use 'none' or 'tanh'"};
  return std::nullopt;
}

// XNNPACK's node is the erf form. The tanh form is x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)), which is the same function
// as torch's 0.5 x (1 + tanh(..)).
Status lower_gelu(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.natural(a.value(0));
  const DType dtype = a.out_type().dtype;
  if (a.text(1) == "none") {
    b.emit(kGelu, {rep.id}, b.make_like(a.out(), rep));
    return {};
  }
  const double slope = 2 * std::sqrt(2 / 3.14159265358979323846);
  const auto step = [&](xnn::NodeType type, std::vector<std::uint32_t> inputs) {
    const std::uint32_t out = b.temporary(rep.dims, dtype);
    b.emit(type, std::move(inputs), out);
    return out;
  };
  const std::uint32_t square = step(kSquare, {rep.id});
  const std::uint32_t cubic = step(kMultiply, {square, b.scalar(slope * 0.044715, dtype)});
  const std::uint32_t factor = step(kAdd, {cubic, b.scalar(slope, dtype)});
  const std::uint32_t inner = step(kMultiply, {rep.id, factor});
  const std::uint32_t gate = step(kSigmoid, {inner});
  b.emit(kMultiply, {rep.id, gate}, b.make_like(a.out(), rep));
  return {};
}

Status lower_leaky_relu(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.natural(a.value(0));
  b.emit(kLeakyReLU, {rep.id}, b.make_like(a.out(), rep), xnn::LeakyRelu{static_cast<float>(a.number(1))});
  return {};
}

// scale * (x > 0 ? x : alpha * (exp(x * input_scale) - 1))
Refused refuse_elu(const NodeArgs& a) {
  if (a.number(3) != 1.0) return Refusal{fmt::format("the input scale is {}, want 1", a.number(3)), "use alpha = 1"};
  if (!(a.number(1) > 0)) return Refusal{fmt::format("alpha is {}, want a positive number", a.number(1)), "use a positive alpha"};
  return std::nullopt;
}
Status lower_elu(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.natural(a.value(0));
  const xnn::Elu params{static_cast<float>(a.number(1))};
  const double scale = a.number(2);
  if (scale == 1.0) {
    b.emit(kELU, {rep.id}, b.make_like(a.out(), rep), params);
    return {};
  }
  const DType dtype = a.out_type().dtype;
  const std::uint32_t unscaled = b.temporary(rep.dims, dtype);
  b.emit(kELU, {rep.id}, unscaled, params);
  b.emit(kMultiply, {unscaled, b.scalar(scale, dtype)}, b.make_like(a.out(), rep));
  return {};
}

Status lower_hardswish(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.natural(a.value(0));
  b.emit(kHardswish, {rep.id}, b.make_like(a.out(), rep));
  return {};
}

// One slope per channel, or one for all.
Status lower_prelu(PayloadBuilder& b, const NodeArgs& a) {
  const std::vector<double> slopes = elements_of(*a.constant(1));
  const DType dtype = a.out_type().dtype;
  if (slopes.size() == 1) {
    const Rep rep = b.natural(a.value(0));
    b.emit(kLeakyReLU, {rep.id}, b.make_like(a.out(), rep), xnn::LeakyRelu{static_cast<float>(slopes[0])});
    return {};
  }
  const Rep rep = b.with_innermost(a.value(0), 1);
  const std::uint32_t filter = b.constant(slopes, Dims{static_cast<std::int64_t>(slopes.size())}, dtype);
  b.emit(kPReLU, {rep.id, filter}, b.make_like(a.out(), rep));
  return {};
}

// The first half times the sigmoid of the second.
Refused refuse_glu(const NodeArgs& a) {
  if (a.type(0).is_dynamic()) return Refusal{"halves of a tensor of dynamic size", "export with fixed sizes"};
  return std::nullopt;
}
Status lower_glu(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.exact(a.value(0));
  const DType dtype = a.out_type().dtype;
  const std::size_t at = position_of(rep.order, a.dim(1, rep.order.size()));
  Shape dims = rep.dims;
  dims.sizes[at] = dims.probe[at] = dims.sizes[at] / 2;
  const auto half = [&](std::int64_t start) {
    xnn::Slice slice;
    for (std::size_t i = 0; i < dims.rank(); ++i) {
      slice.offsets.push_back(i == at ? static_cast<std::uint32_t>(start) : 0);
      slice.sizes.push_back(static_cast<std::uint32_t>(dims.sizes[i]));
    }
    const std::uint32_t out = b.temporary(dims, dtype);
    b.emit(kStaticSlice, {rep.id}, out, std::move(slice));
    return out;
  };
  const std::uint32_t value = half(0);
  const std::uint32_t gate = b.temporary(dims, dtype);
  b.emit(kSigmoid, {half(dims.sizes[at])}, gate);
  b.emit(kMultiply, {value, gate}, b.make(a.out(), rep.order));
  return {};
}

constexpr Lowering kRows[] = {
    {"aten::glu", refuse_glu, lower_glu},
    {"aten::gelu", refuse_gelu, lower_gelu},
    {"aten::leaky_relu", accept, lower_leaky_relu},
    {"aten::elu", refuse_elu, lower_elu},
    {"xnnpack::hardswish", accept, lower_hardswish},
    {"xnnpack::prelu", accept, lower_prelu},
};

}  // namespace

extern constinit const LoweringFamily kActivationLowerings{kRows};

}  // namespace etalon::xnnpack
