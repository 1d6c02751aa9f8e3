// Means, sums and maxima over dims.
//
// A mean over dims that lie side by side is the global average of [outer, reduced, 1, inner]; where the reduced dims are
// innermost it is a product with a column of equal weights.
#include <fmt/core.h>

#include <algorithm>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kDims = 1, kKeepDim = 2;

std::vector<std::size_t> reduced_dims(const NodeArgs& a) {
  const std::size_t rank = a.type(kInput).sizes.size();
  std::vector<std::size_t> out;
  if (a.node().args.size() > kKeepDim && a.has(kDims)) {
    for (const std::int64_t dim : a.ints(kDims)) out.push_back(wrap_dim(dim, rank).value_or(0));
  }
  if (out.empty()) {
    for (std::size_t i = 0; i < rank; ++i) out.push_back(i);
  }
  std::ranges::sort(out);
  return out;
}

bool is_over_image(const NodeArgs& a) {
  return a.type(kInput).sizes.size() == 4 && reduced_dims(a) == std::vector<std::size_t>{2, 3};
}

Refused refuse_reduction(const NodeArgs& a) {
  const ir::TensorType& input = a.type(kInput);
  if (input.sizes.empty()) return Refusal{"a reduction of a single number", {}};
  if (a.constant(kInput) != nullptr) return Refusal{"a reduction of a constant", {}};
  if (a.out_type().dtype != input.dtype) return Refusal{"the reduction converts the dtype", "convert before it"};
  if (input.is_dynamic() && !is_over_image(a)) {
    return Refusal{fmt::format("a reduction of {}: XNNPACK can only follow dynamic sizes over height and width", describe(input)),
                   "export with fixed sizes"};
  }
  return std::nullopt;
}

// The order that puts the reduced dims side by side, moving nothing if they are.
DimOrder gathered(const DimOrder& order, const std::vector<std::size_t>& reduced) {
  const auto is_reduced = [&](std::uint8_t dim) { return std::ranges::find(reduced, dim) != reduced.end(); };
  std::size_t runs = 0;
  for (std::size_t i = 0; i < order.size(); ++i) runs += is_reduced(order[i]) && (i == 0 || !is_reduced(order[i - 1])) ? 1 : 0;
  if (runs <= 1) return order;
  DimOrder out;
  for (const std::uint8_t dim : order) {
    if (!is_reduced(dim)) out.push_back(dim);
  }
  for (const std::uint8_t dim : order) {
    if (is_reduced(dim)) out.push_back(dim);
  }
  return out;
}

// What is kept, in memory order of `order`, as the result's order: dims that remain as ones stand at the end.
DimOrder result_order(const DimOrder& order, const std::vector<std::size_t>& reduced, std::size_t out_rank) {
  if (out_rank == order.size()) return order;
  DimOrder out;
  for (const std::uint8_t dim : order) {
    if (std::ranges::find(reduced, dim) != reduced.end()) continue;
    const auto before = std::ranges::count_if(reduced, [&](std::size_t r) { return r < dim; });
    out.push_back(static_cast<std::uint8_t>(dim - before));
  }
  return out;
}

struct Sides {
  std::int64_t outer = 1;
  std::int64_t reduced = 1;
  std::int64_t inner = 1;
};
Sides sides_of(const Dims& sizes, const DimOrder& order, const std::vector<std::size_t>& reduced) {
  Sides out;
  bool seen = false;
  for (const std::uint8_t dim : order) {
    if (std::ranges::find(reduced, dim) != reduced.end()) {
      out.reduced *= sizes[dim];
      seen = true;
    } else {
      (seen ? out.inner : out.outer) *= sizes[dim];
    }
  }
  return out;
}

// What reduces an image over height and width reads `image` and writes `made`, which becomes the node's result.
struct ImageReduction {
  std::uint32_t image = 0;
  std::uint32_t made = 0;
};

ImageReduction define_over_image(PayloadBuilder& b, const NodeArgs& a, PayloadBuilder::Moved names) {
  const Shape in = shape_of(a.type(kInput));
  const std::uint32_t image = b.nhwc(names.in);
  Shape dims;
  dims.push_back(in.sizes[0], in.probe[0]);
  dims.push_back(1, 1);
  dims.push_back(1, 1);
  dims.push_back(in.sizes[1], in.probe[1]);
  const std::uint32_t made = b.temporary(dims, b.storage(names.out));
  b.define(names.out, {made, a.out_type().sizes.size() == 4 ? channels_last() : contiguous_order(2), dims});
  return {image, made};
}

// Over height and width of an image: no reshape, and sizes may be dynamic.
void over_image(PayloadBuilder& b, const NodeArgs& a) {
  const auto [image, made] = define_over_image(b, a, b.averaged(a.value(kInput), a.out()));
  b.emit(xnn::NodeType::kGlobalAvgPooling2d, {image}, made, {}, xnn::kKeepDims);
}

// A column of equal weights: 1/n for a mean, 1 for a sum.
void by_product(PayloadBuilder& b, const NodeArgs& a, const Rep& rep, const Sides& sides, double weight, const DimOrder& out_order) {
  const DType dtype = a.out_type().dtype;
  const std::vector<double> weights(static_cast<std::size_t>(sides.reduced), weight);
  const std::uint32_t filter = b.constant(weights, Dims{1, sides.reduced}, dtype);
  const std::uint32_t rows = b.reshape(rep.id, rep.dims, static_shape({sides.outer, sides.reduced}), dtype);
  const Shape dims = static_shape({sides.outer, 1});
  const std::uint32_t made = b.temporary(dims, dtype);
  b.define(a.out(), {made, out_order, dims});
  b.emit(xnn::NodeType::kFullyConnected, {rows, filter, xnn::kNoValue}, made);
}

void by_pooling(PayloadBuilder& b, const NodeArgs& a, const Rep& rep, const Sides& sides, double scale, const DimOrder& out_order) {
  const DType dtype = a.out_type().dtype;
  const std::uint32_t image = b.reshape(rep.id, rep.dims, static_shape({sides.outer, sides.reduced, 1, sides.inner}), dtype);
  const Shape dims = static_shape({sides.outer, 1, 1, sides.inner});
  std::uint32_t made = b.temporary(dims, dtype);
  b.emit(xnn::NodeType::kGlobalAvgPooling2d, {image}, made, {}, xnn::kKeepDims);
  if (scale != 1.0) {
    const std::uint32_t scaled = b.temporary(dims, dtype);
    b.emit(xnn::NodeType::kMultiply, {made, b.scalar(scale, dtype)}, scaled);
    made = scaled;
  }
  b.define(a.out(), {made, out_order, dims});
}

void reduce(PayloadBuilder& b, const NodeArgs& a, bool is_sum) {
  const std::vector<std::size_t> reduced = reduced_dims(a);
  const Dims& sizes = a.type(kInput).sizes;
  const DimOrder order = gathered(b.natural(a.value(kInput)).order, reduced);
  const Rep rep{b.get(a.value(kInput), order), order, permuted(shape_of(a.type(kInput)), order)};
  const Sides sides = sides_of(sizes, order, reduced);
  const DimOrder out_order = result_order(order, reduced, a.out_type().sizes.size());
  const auto count = static_cast<double>(sides.reduced);
  if (sides.inner == 1) {
    by_product(b, a, rep, sides, is_sum ? 1.0 : 1.0 / count, out_order);
  } else {
    by_pooling(b, a, rep, sides, is_sum ? count : 1.0, out_order);
  }
}

Status lower_mean(PayloadBuilder& b, const NodeArgs& a) {
  if (is_over_image(a)) {
    over_image(b, a);
  } else {
    reduce(b, a, false);
  }
  return {};
}

Status lower_sum(PayloadBuilder& b, const NodeArgs& a) {
  reduce(b, a, true);
  return {};
}

Refused refuse_sum(const NodeArgs& a) {
  if (Refused found = refuse_reduction(a)) return found;
  if (a.type(kInput).is_dynamic()) return Refusal{"a sum of dynamic size", "export with fixed sizes"};
  return std::nullopt;
}

// The maximum over height and width is one window.
Refused refuse_amax(const NodeArgs& a) {
  if (!is_over_image(a)) return Refusal{"a maximum over other dims than height and width of an image", "use max pooling"};
  const ir::TensorType& input = a.type(kInput);
  if (input.is_dynamic(2) || input.is_dynamic(3)) return Refusal{"a maximum of dynamic size", "export with fixed sizes"};
  if (input.sizes[2] * input.sizes[3] == 1) return Refusal{"a maximum of one element, which XNNPACK refuses", "remove it"};
  return std::nullopt;
}

Status lower_amax(PayloadBuilder& b, const NodeArgs& a) {
  const auto [image, made] = define_over_image(b, a, b.moved(a.value(kInput), a.out()));
  const ir::TensorType& input = a.type(kInput);
  xnn::Pool params;
  params.pooling_height = params.stride_height = static_cast<std::uint32_t>(input.sizes[2]);
  params.pooling_width = params.stride_width = static_cast<std::uint32_t>(input.sizes[3]);
  b.emit(xnn::NodeType::kMaxPooling2d, {image}, made, params, xnn::kKeepDims);
  return {};
}

constexpr Lowering kRows[] = {{"aten::mean.dim", refuse_reduction, lower_mean},
                              {"aten::mean", refuse_reduction, lower_mean},
                              {"aten::sum.dim_IntList", refuse_sum, lower_sum},
                              {"aten::amax", refuse_amax, lower_amax}};

}  // namespace

extern constinit const LoweringFamily kReductionLowerings{kRows};

}  // namespace etalon::xnnpack
