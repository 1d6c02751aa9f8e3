// Products with a constant matrix: fully connected layers. Filters are [out, in].
#include <fmt/core.h>

#include "backends/xnnpack/aot/payload_builder.h"
#include "backends/xnnpack/aot/quantised_product.h"

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
  if (a.type(at.input).sizes.size() < 2)
    return Refusal{"the input has less than 2 dims", "add a batch dim of one"};
  if (!a.is_fixed(at.weight)) {
    return Refusal{"the matrix is computed at run time, want a constant",
                   "use a product of batches (torch.bmm) instead"};
  }
  if (a.type(at.weight).sizes.size() != 2) return Refusal{"the matrix has not 2 dims", "use torch.mm"};
  if (!has_bias(a, at)) return std::nullopt;
  const Dims& bias = a.type(at.bias).sizes;
  const std::int64_t outputs = a.type(at.weight).sizes[at.transposed ? 1 : 0];
  if (!a.is_fixed(at.bias) || bias.size() != 1 || bias[0] != outputs) {
    return Refusal{
        fmt::format("the bias {} is no constant of {} numbers", describe(a.type(at.bias)), outputs),
        "add it behind the product"};
  }
  return std::nullopt;
}

// The input with its features innermost. Only they matter, so the rows keep whatever dims they have; if they
// must be reshaped anyway, then to what a view of the result is going to want.
Rep rows(PayloadBuilder& b, ValueId input, ValueId out, std::int64_t inputs) {
  const std::size_t rank = b.type(input).sizes.size();
  const Rep rep = b.natural(input);
  const bool in_order = same_places(shape_of(b.type(input)), rep.order, contiguous_order(rank));
  const bool whole = rep.dims.rank() > 0 && rep.dims.sizes[rep.dims.rank() - 1] == inputs;
  const ir::Node* user = b.sole_user(out);
  if (!in_order || whole || user == nullptr || !user->op->has(ops::kSameElements))
    return b.with_innermost(input, rank - 1);
  const Shape of_out = shape_of(b.type(out));
  Shape wanted = shape_of(b.type(user->outs[0]));
  const bool same_features = wanted.rank() >= 2 && wanted.rank() <= xnn::kMaxDims &&
                             wanted.sizes[wanted.rank() - 1] == of_out.sizes[rank - 1];
  if (!same_features || wanted.dynamic_count() > 1) return b.with_innermost(input, rank - 1);
  wanted.sizes[wanted.rank() - 1] = wanted.probe[wanted.rank() - 1] = inputs;
  return {b.reshape(rep.id, rep.dims, wanted, b.storage(input)), contiguous_order(rank), wanted};
}

// Filter and bias are values of the payload, the input has int8 numbers if the result has.
xnn::Node& emit_linear(PayloadBuilder& b, ValueId input, ValueId out, std::uint32_t filter,
                       std::uint32_t bias, std::int64_t inputs, std::int64_t outputs) {
  Rep rep = rows(b, input, out, inputs);
  const std::uint32_t from = rep.id;
  const std::size_t last = rep.dims.rank() - 1;
  rep.dims.sizes[last] = rep.dims.probe[last] = outputs;
  rep.id = b.temporary(rep.dims, b.storage(out));
  b.define(out, rep);
  return b.emit(xnn::NodeType::kFullyConnected, {from, filter, bias}, rep.id);
}

std::vector<std::int8_t> transposed(const std::vector<std::int8_t>& from, std::int64_t rows,
                                    std::int64_t columns) {
  std::vector<std::int8_t> to;
  to.reserve(from.size());
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) to.push_back(from[static_cast<std::size_t>(r * columns + c)]);
  }
  return to;
}

bool lower_quantised(PayloadBuilder& b, const NodeArgs& a, const Places& at) {
  const Dims& sizes = a.type(at.weight).sizes;
  const std::int64_t outputs = sizes[at.transposed ? 1 : 0];
  const std::int64_t inputs = sizes[at.transposed ? 0 : 1];
  const ValueId of_bias = has_bias(a, at) ? a.value(at.bias) : ir::kNoValue;
  auto product = quantised_product(
      b, {a.value(at.input), a.value(at.weight), of_bias, a.out(),
          at.transposed ? std::size_t{1} : std::size_t{0}, static_cast<std::size_t>(outputs)});
  if (!product) return false;
  std::vector<std::int8_t> numbers = int8_elements_of(*product->weight);
  if (at.transposed) numbers = transposed(numbers, inputs, outputs);
  const std::uint32_t filter = b.constant(numbers, Dims{outputs, inputs}, product->scales);
  const std::uint32_t bias =
      product->bias.empty() ? xnn::kNoValue : b.constant(product->bias, Dims{outputs}, product->bias_scales);
  const ValueId out = b.hold_result(a.out(), product->result);
  limit(emit_linear(b, product->input, out, filter, bias, inputs, outputs), product->result.limits);
  return true;
}

Status lower_linear(PayloadBuilder& b, const NodeArgs& a, const Places& at) {
  if (lower_quantised(b, a, at)) return {};
  const DType dtype = a.out_type().dtype;
  const ir::Constant& weight = *b.constant_of(a.value(at.weight));
  const Dims& sizes = weight.type.sizes;
  const std::int64_t outputs = sizes[at.transposed ? 1 : 0];
  const std::int64_t inputs = sizes[at.transposed ? 0 : 1];
  const DimOrder order = at.transposed ? DimOrder{1, 0} : DimOrder{0, 1};
  const std::uint32_t filter = b.constant(in_order(weight, order), Dims{outputs, inputs}, weight.type.dtype);
  const std::uint32_t bias =
      has_bias(a, at) ? b.constant(in_order(*b.constant_of(a.value(at.bias)), {0}), Dims{outputs}, dtype)
                      : xnn::kNoValue;
  emit_linear(b, a.value(at.input), a.out(), filter, bias, inputs, outputs);
  return {};
}

// The rows are quantised when running, each by itself.
Status lower_dynamic(PayloadBuilder& b, const NodeArgs& a) {
  constexpr std::size_t kInput = 0, kWeight = 1, kBias = 2, kIsIo = 3;
  const bool is_io = a.flag(kIsIo);
  const std::int64_t outputs = a.type(kWeight).sizes[is_io ? 1 : 0];
  const std::int64_t inputs = a.type(kWeight).sizes[is_io ? 0 : 1];
  ETALON_TRY(const QuantisedWeight weight,
             quantised_weight(b.graph(), *weight_node(b.graph(), a.value(kWeight))));
  Scales scales{{}, 0};
  ETALON_TRY(scales.values, scales_of_outputs(weight, is_io ? 1 : 0, static_cast<std::size_t>(outputs)));
  std::vector<std::int8_t> numbers = int8_elements_of(*weight.numbers);
  if (is_io) numbers = transposed(numbers, inputs, outputs);
  const std::uint32_t filter = b.constant(numbers, Dims{outputs, inputs}, scales);
  const std::uint32_t bias =
      a.has(kBias) ? b.constant(elements_of(*b.constant_of(a.value(kBias))), Dims{outputs}, DType::kFloat32)
                   : xnn::kNoValue;
  Rep rep = rows(b, a.value(kInput), a.out(), inputs);
  const std::uint32_t from = b.dynamic_rows(rep.id, rep.dims, 1, PayloadBuilder::DynamicReader::kProduct);
  const std::size_t last = rep.dims.rank() - 1;
  rep.dims.sizes[last] = rep.dims.probe[last] = outputs;
  rep.id = b.temporary(rep.dims, b.storage(a.out()));
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
Refused refuse_mm(const NodeArgs& a) {
  return a.is_fixed(kOfMm.weight) ? refuse_linear(a, kOfMm) : std::nullopt;
}
Status lower_mm(PayloadBuilder& b, const NodeArgs& a) {
  if (a.is_fixed(kOfMm.weight)) return lower_linear(b, a, kOfMm);
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
    return Refusal{fmt::format("the sum is scaled (beta {}, alpha {}), want 1", a.number(3), a.number(4)),
                   "scale the weights instead"};
  }
  return refuse_linear(a, kOfAddmm);
}

constexpr Lowering kRows[] = {{"aten::linear", refuse_at<kOfLinear>, lower_at<kOfLinear>},
                              {"xnnpack::dynamic_linear", accept, lower_dynamic},
                              {"aten::mm", refuse_mm, lower_mm},
                              {"aten::addmm", refuse_addmm, lower_at<kOfAddmm>}};

}  // namespace

extern constinit const LoweringFamily kLinearLowerings{kRows};

}  // namespace etalon::xnnpack
