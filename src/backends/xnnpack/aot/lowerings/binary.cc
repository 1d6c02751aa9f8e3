// Arithmetic of two tensors, or of a tensor and a number, with broadcasting.
#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "backends/xnnpack/aot/payload_builder.h"
#include "ir/builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kAlpha = 2;

Refused refuse_operands(const NodeArgs& a) {
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (a.is_value(i) && !a.graph()[a.value(i)].is_tensor()) {
      return Refusal{"an operand is a number that is computed at run time", "export with fixed sizes"};
    }
    if (a.is_value(i) && a.constant(i) == nullptr && a.type(i).dtype != a.out_type().dtype) {
      return Refusal{fmt::format("operand {} is converted to {} on the way", describe(a.type(i)), name_of(a.out_type().dtype)),
                     "give both operands the same dtype"};
    }
  }
  return std::nullopt;
}

struct Operands {
  std::uint32_t x;
  std::uint32_t y;
  Rep out;  // order and dims of the result
};

bool is_single(PayloadBuilder& b, ValueId id) { return numel(b.type(id).sizes) == 1 && numel(b.type(id).probe) == 1; }

// The operand whose layout the result takes: the larger; of two equal ones that which does not lie in its own order,
// because somebody wanted it so.
ValueId leader(PayloadBuilder& b, ValueId x, ValueId y) {
  const auto weight = [&](ValueId id) -> std::int64_t {
    if (b.constant_of(id) != nullptr) return 0;
    const bool turned = !is_contiguous_order(b.natural(id).order);
    return 2 * numel(b.type(id).sizes) + (turned ? 1 : 0);
  };
  return weight(y) > weight(x) ? y : x;
}

// The other operand beside the leader's representation, without changing either; nothing if that cannot be.
std::optional<std::uint32_t> beside(PayloadBuilder& b, const Rep& rep, ValueId of, ValueId other, DType dtype) {
  if (is_single(b, other)) return b.broadcastable(other, contiguous_order(b.type(other).sizes.size()), dtype);
  if (!(shape_of(b.type(of)) == shape_of(b.type(other)))) return std::nullopt;
  if (const auto same = b.find(other, rep.order, rep.dims)) return same->id;
  const ir::Constant* constant = b.constant_of(other);
  if (constant != nullptr && constant->type.dtype == dtype)
    return b.constant(in_order(*constant, rep.order), rep.dims.sizes, b.storage(other));
  return std::nullopt;
}

Operands operands(PayloadBuilder& b, ValueId x, ValueId y, const ir::TensorType& out) {
  const ValueId first = leader(b, x, y);
  const ValueId second = first == x ? y : x;
  const Shape shape = shape_of(out);
  Operands result{};
  std::uint32_t of_first = 0;
  std::uint32_t of_second = 0;
  const Rep rep = b.natural(first);
  const auto quick = shape_of(b.type(first)) == shape ? beside(b, rep, first, second, out.dtype) : std::nullopt;
  if (quick) {
    of_first = rep.id;
    of_second = *quick;
    result.out = rep;
  } else {
    const bool full_rank = b.type(first).sizes.size() == shape.rank();
    const DimOrder order = full_rank ? rep.order : contiguous_order(shape.rank());
    of_first = b.broadcastable(first, order, out.dtype);
    of_second = b.broadcastable(second, order, out.dtype);
    result.out = {0, order, permuted(shape, order)};
  }
  result.x = first == x ? of_first : of_second;
  result.y = first == x ? of_second : of_first;
  return result;
}

void emit_tensors(PayloadBuilder& b, xnn::NodeType type, ValueId x, ValueId y, ValueId out) {
  const Operands o = operands(b, x, y, b.type(out));
  b.emit(type, {o.x, o.y}, b.make_like(out, o.out));
}

// XNNPACK scales the operands of sums, and products, to the result by factors in these ranges.
bool factors_fit(xnn::NodeType type, float x, float y, float out) {
  if (type == xnn::NodeType::kMultiply) return x * y / out >= 0x1p-16f && x * y / out < 0x1p8f;
  const auto fits = [&](float scale) { return scale / out >= 0x1p-10f && scale / out < 0x1p8f; };
  return fits(x) && fits(y);
}

// In int8, if both operands are held so and the result is quantised.
bool emit_quantised(PayloadBuilder& b, xnn::NodeType type, ValueId x, ValueId y, ValueId out) {
  if (type != xnn::NodeType::kAdd && type != xnn::NodeType::kSubtract && type != xnn::NodeType::kMultiply)
    return false;
  const ValueId held_x = b.held(x);
  const ValueId held_y = b.held(y);
  if (held_x == ir::kNoValue || held_y == ir::kNoValue) return false;
  const auto result = b.quantised_result(out, true);
  if (!result) {
    b.note_float("its result is not quantised, or somebody reads it before that");
    return false;
  }
  if (!factors_fit(type, b.storage(held_x).affine.scale, b.storage(held_y).affine.scale,
                   result->affine.scale)) {
    b.note_float("the scales of operands and result are too far apart");
    return false;
  }
  const ValueId made = b.hold_result(out, *result);
  const Operands o = operands(b, held_x, held_y, b.type(made));
  limit(b.emit(type, {o.x, o.y}, b.make_like(made, o.out)), result->limits);
  return true;
}

// x (op) number, or number (op) x.
void emit_number(PayloadBuilder& b, xnn::NodeType type, ValueId x, double number, ValueId out, bool number_first = false) {
  const Rep rep = b.natural(x);
  const std::uint32_t scalar = b.scalar(number, b.type(out).dtype);
  const std::uint32_t made = b.make_like(out, rep);
  b.emit(type, number_first ? std::vector{scalar, rep.id} : std::vector{rep.id, scalar}, made);
}

template <xnn::NodeType kType>
Status lower_tensors(PayloadBuilder& b, const NodeArgs& a) {
  if (emit_quantised(b, kType, a.value(0), a.value(1), a.out())) return {};
  emit_tensors(b, kType, a.value(0), a.value(1), a.out());
  return {};
}

// self + alpha * other, self - alpha * other
Refused refuse_scaled(const NodeArgs& a) {
  if (Refused found = refuse_operands(a)) return found;
  if (a.number(kAlpha) != 1.0 && a.is_value(1) && a.constant(1) == nullptr) {
    return Refusal{fmt::format("the second operand is scaled by alpha = {}, want 1", a.number(kAlpha)), "multiply it before"};
  }
  return std::nullopt;
}

template <xnn::NodeType kType>
Status lower_scaled(PayloadBuilder& b, const NodeArgs& a) {
  const double alpha = a.number(kAlpha);
  if (alpha == 1.0) return lower_tensors<kType>(b, a);
  const ir::Constant& other = *a.constant(1);
  std::vector<double> values = elements_of(other);
  for (double& value : values) value *= alpha;
  const ir::TensorType& out = a.out_type();
  // Scaled constants are used in their own order.
  const std::uint32_t x = b.broadcastable(a.value(0), contiguous_order(out.sizes.size()), out.dtype);
  b.emit(kType, {x, b.constant(values, other.type.sizes, out.dtype)}, b.make_plain(a.out()));
  return {};
}

template <xnn::NodeType kType>
Status lower_scaled_number(PayloadBuilder& b, const NodeArgs& a) {
  emit_number(b, kType, a.value(0), a.number(1) * a.number(kAlpha), a.out());
  return {};
}

// other - alpha * self
Refused refuse_rsub(const NodeArgs& a) {
  if (Refused found = refuse_operands(a)) return found;
  if (a.number(kAlpha) != 1.0) return Refusal{fmt::format("alpha is {}, want 1", a.number(kAlpha)), "multiply the first operand before"};
  return std::nullopt;
}
Status lower_rsub(PayloadBuilder& b, const NodeArgs& a) {
  emit_number(b, xnn::NodeType::kSubtract, a.value(0), a.number(1), a.out(), true);
  return {};
}

Status lower_mul_number(PayloadBuilder& b, const NodeArgs& a) {
  emit_number(b, xnn::NodeType::kMultiply, a.value(0), a.number(1), a.out());
  return {};
}
// A power of two divides exactly by its inverse, which is faster.
Status lower_div_number(PayloadBuilder& b, const NodeArgs& a) {
  const double by = a.number(1);
  int exponent = 0;
  const bool exact = std::frexp(by, &exponent) == 0.5 && exponent > -100 && exponent < 100;
  emit_number(b, exact ? xnn::NodeType::kMultiply : xnn::NodeType::kDiv, a.value(0), exact ? 1.0 / by : by, a.out());
  return {};
}

Refused refuse_pow(const NodeArgs& a) {
  const double by = a.number(1);
  for (const double known : {-1.0, -0.5, 0.5, 1.0, 2.0, 3.0, 4.0}) {
    if (by == known) return std::nullopt;
  }
  return Refusal{fmt::format("the exponent is {}, want -1, -0.5, 0.5, 1, 2, 3 or 4", by), "write the power as products"};
}

Status lower_pow(PayloadBuilder& b, const NodeArgs& a) {
  using enum xnn::NodeType;
  const double by = a.number(1);
  const Rep rep = b.natural(a.value(0));
  const DType dtype = a.out_type().dtype;
  if (by == 1.0) {
    b.define(a.out(), rep);
    return {};
  }
  if (by == -1.0) {
    emit_number(b, kDiv, a.value(0), 1.0, a.out(), true);
    return {};
  }
  if (by == 3.0 || by == 4.0) {
    const std::uint32_t square = b.temporary(rep.dims, dtype);
    b.emit(kSquare, {rep.id}, square);
    const std::uint32_t out = b.make_like(a.out(), rep);
    if (by == 4.0) {
      b.emit(kSquare, {square}, out);
    } else {
      b.emit(kMultiply, {square, rep.id}, out);
    }
    return {};
  }
  b.emit(by == 2.0 ? kSquare : by == 0.5 ? kSquareRoot : kReciprocalSquareRoot, {rep.id}, b.make_like(a.out(), rep));
  return {};
}

Status lower_reciprocal(PayloadBuilder& b, const NodeArgs& a) {
  emit_number(b, xnn::NodeType::kDiv, a.value(0), 1.0, a.out(), true);
  return {};
}

// where(mask, x, number) with a constant mask: the minimum of x and +inf where the mask is open, the number elsewhere.
// Right for numbers that no x is below: -inf, and the lowest float that masks are made of.
constexpr double kLowest = -1e30;

Refused refuse_masked(const NodeArgs& a, std::size_t mask, std::size_t x, std::size_t number) {
  const bool is_low = a.is_number(number) ? a.number(number) <= kLowest
                                          : a.constant(number) != nullptr && numel(a.type(number).sizes) == 1 &&
                                                ir::element_as_double(*a.constant(number), 0) <= kLowest;
  if (a.constant(mask) == nullptr) return Refusal{"the condition is computed at run time, want a constant mask", "make the mask a buffer of the model"};
  if (a.type(mask).dtype != DType::kBool || !is_low || a.constant(x) != nullptr) {
    return Refusal{"a selection that does not put -inf behind a constant mask", "add a mask of 0 and -inf instead"};
  }
  if (!(shape_of(a.type(x)) == shape_of(a.out_type()))) return Refusal{"the mask is larger than what it masks", "expand the tensor first"};
  return std::nullopt;
}

void lower_masked(PayloadBuilder& b, const NodeArgs& a, std::size_t mask, std::size_t x, double number, bool open) {
  std::vector<double> values = elements_of(*a.constant(mask));
  for (double& value : values) value = (value != 0) == open ? std::numeric_limits<double>::infinity() : number;
  const ir::TensorType& out = a.out_type();
  const std::uint32_t input = b.plain(a.value(x));
  b.emit(xnn::NodeType::kMinimum, {input, b.constant(values, a.type(mask).sizes, out.dtype)}, b.make_plain(a.out()));
}

Refused refuse_where(const NodeArgs& a) { return refuse_masked(a, 0, 1, 2); }
Status lower_where(PayloadBuilder& b, const NodeArgs& a) {
  lower_masked(b, a, 0, 1, ir::element_as_double(*a.constant(2), 0), true);
  return {};
}
Refused refuse_fill(const NodeArgs& a) { return refuse_masked(a, 1, 0, 2); }
Status lower_fill(PayloadBuilder& b, const NodeArgs& a) {
  lower_masked(b, a, 1, 0, a.number(2), false);
  return {};
}

using enum xnn::NodeType;
constexpr Lowering kRows[] = {
    {"aten::add.Tensor", refuse_scaled, lower_scaled<kAdd>},
    {"aten::sub.Tensor", refuse_scaled, lower_scaled<kSubtract>},
    {"aten::mul.Tensor", refuse_operands, lower_tensors<kMultiply>},
    {"aten::div.Tensor", refuse_operands, lower_tensors<kDiv>},
    {"aten::maximum", refuse_operands, lower_tensors<kMaximum>},
    {"aten::minimum", refuse_operands, lower_tensors<kMinimum>},
    {"aten::add.Scalar", refuse_operands, lower_scaled_number<kAdd>},
    {"aten::sub.Scalar", refuse_operands, lower_scaled_number<kSubtract>},
    {"aten::rsub.Scalar", refuse_rsub, lower_rsub},
    {"aten::mul.Scalar", refuse_operands, lower_mul_number},
    {"aten::div.Scalar", refuse_operands, lower_div_number},
    {"aten::pow.Tensor_Scalar", refuse_pow, lower_pow},
    {"aten::reciprocal", accept, lower_reciprocal},
    {"aten::where.self", refuse_where, lower_where},
    {"aten::masked_fill.Scalar", refuse_fill, lower_fill},
};

}  // namespace

extern constinit const LoweringFamily kBinaryLowerings{kRows};

}  // namespace etalon::xnnpack
