// Products with a constant matrix: fully connected layers. Filters are [out, in].
#include <fmt/core.h>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

// Where the operands of an operator stand.
struct Places {
  std::size_t input;
  std::size_t weight;
  std::size_t bias;  // kNone: the operator has none
  bool transposed;   // the weight is [in, out]
};
constexpr std::size_t kNone = 99;
constexpr Places kOfLinear{0, 1, 2, false};
constexpr Places kOfMm{0, 1, kNone, true};
constexpr Places kOfAddmm{1, 2, 0, true};

bool has_bias(const NodeArgs& a, const Places& at) { return at.bias != kNone && a.has(at.bias); }

Refused refuse_linear(const NodeArgs& a, const Places& at) {
  if (a.type(at.input).sizes.size() < 2) return Refusal{"the input has less than 2 dims", "add a batch dim of one"};
  if (a.constant(at.weight) == nullptr) {
    return Refusal{"the matrix is computed at run time, want a constant", "use a product of batches (torch.bmm) instead"};
  }
  if (a.type(at.weight).sizes.size() != 2) return Refusal{"the matrix has not 2 dims", "use torch.mm"};
  if (!has_bias(a, at)) return std::nullopt;
  const ir::Constant* bias = a.constant(at.bias);
  const std::int64_t outputs = a.type(at.weight).sizes[at.transposed ? 1 : 0];
  if (bias == nullptr || bias->type.sizes.size() != 1 || bias->type.sizes[0] != outputs) {
    return Refusal{fmt::format("the bias {} is no constant of {} numbers", describe(a.type(at.bias)), outputs), "add it behind the product"};
  }
  return std::nullopt;
}

// The input with its features innermost. Only they matter, so the rows keep whatever dims they have; if they must be
// reshaped anyway, then to what a view of the result is going to want.
Rep rows(PayloadBuilder& b, ValueId input, ValueId out, std::int64_t inputs) {
  const std::size_t rank = b.type(input).sizes.size();
  const Rep rep = b.natural(input);
  const bool in_order = same_places(shape_of(b.type(input)), rep.order, contiguous_order(rank));
  const bool whole = rep.dims.rank() > 0 && rep.dims.sizes[rep.dims.rank() - 1] == inputs;
  const ir::Node* user = b.sole_user(out);
  if (!in_order || whole || user == nullptr || !user->op->has(ops::kSameElements)) return b.with_innermost(input, rank - 1);
  const Shape of_out = shape_of(b.type(out));
  Shape wanted = shape_of(b.type(user->outs[0]));
  const bool same_features = wanted.rank() >= 2 && wanted.rank() <= xnn::kMaxDims && wanted.sizes[wanted.rank() - 1] == of_out.sizes[rank - 1];
  if (!same_features || wanted.dynamic_count() > 1) return b.with_innermost(input, rank - 1);
  wanted.sizes[wanted.rank() - 1] = wanted.probe[wanted.rank() - 1] = inputs;
  return {b.reshape(rep.id, rep.dims, wanted, b.type(input).dtype), contiguous_order(rank), wanted};
}

Status lower_linear(PayloadBuilder& b, const NodeArgs& a, const Places& at) {
  const DType dtype = a.out_type().dtype;
  const ir::Constant& weight = *a.constant(at.weight);
  const Dims& sizes = weight.type.sizes;
  const std::int64_t outputs = sizes[at.transposed ? 1 : 0];
  const std::int64_t inputs = sizes[at.transposed ? 0 : 1];
  const DimOrder order = at.transposed ? DimOrder{1, 0} : DimOrder{0, 1};
  const std::uint32_t filter = b.constant(in_order(weight, order), Dims{outputs, inputs}, weight.type.dtype);
  const std::uint32_t bias =
      has_bias(a, at) ? b.constant(in_order(*a.constant(at.bias), {0}), Dims{outputs}, dtype) : xnn::kNoValue;
  const ValueId input = a.value(at.input);
  Rep rep = rows(b, input, a.out(), inputs);
  const std::uint32_t from = rep.id;
  const std::size_t last = rep.dims.rank() - 1;
  rep.dims.sizes[last] = rep.dims.probe[last] = outputs;
  rep.id = b.temporary(rep.dims, dtype);
  b.define(a.out(), rep);
  b.emit(xnn::NodeType::kFullyConnected, {from, filter, bias}, rep.id);
  return {};
}

template <const Places& kAt>
Refused refuse_at(const NodeArgs& a) {
  return refuse_linear(a, kAt);
}
template <const Places& kAt>
Status lower_at(PayloadBuilder& b, const NodeArgs& a) {
  return lower_linear(b, a, kAt);
}

// A product of two computed matrices is a batch of one.
Refused refuse_mm(const NodeArgs& a) { return a.constant(kOfMm.weight) ? refuse_linear(a, kOfMm) : std::nullopt; }
Status lower_mm(PayloadBuilder& b, const NodeArgs& a) {
  if (a.constant(kOfMm.weight)) return lower_linear(b, a, kOfMm);
  const auto batch_of_one = [&](ValueId id) {
    const Shape shape = shape_of(b.type(id));
    Shape wide = static_shape({1});
    for (std::size_t i = 0; i < 2; ++i) wide.push_back(shape.sizes[i], shape.probe[i]);
    return b.reshape(b.plain(id), shape, wide, b.type(id).dtype);
  };
  const std::uint32_t x = batch_of_one(a.value(0));
  const std::uint32_t y = batch_of_one(a.value(1));
  Shape wide = static_shape({1});
  const Shape out = shape_of(a.out_type());
  for (std::size_t i = 0; i < 2; ++i) wide.push_back(out.sizes[i], out.probe[i]);
  const std::uint32_t made = b.temporary(wide, a.out_type().dtype);
  b.define(a.out(), {made, contiguous_order(2), wide});
  b.emit(xnn::NodeType::kBatchMatrixMultiply, {x, y}, made);
  return {};
}

Refused refuse_addmm(const NodeArgs& a) {
  if (a.number(3) != 1.0 || a.number(4) != 1.0) {
    return Refusal{fmt::format("the sum is scaled (beta {}, alpha {}), want 1", a.number(3), a.number(4)), "scale the weights instead"};
  }
  return refuse_linear(a, kOfAddmm);
}

constexpr Lowering kRows[] = {{"aten::linear", refuse_at<kOfLinear>, lower_at<kOfLinear>},
                              {"aten::mm", refuse_mm, lower_mm},
                              {"aten::addmm", refuse_addmm, lower_at<kOfAddmm>}};

}  // namespace

extern constinit const LoweringFamily kLinearLowerings{kRows};

}  // namespace etalon::xnnpack
