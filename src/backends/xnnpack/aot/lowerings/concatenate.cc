// Concatenation of any number of tensors, and stacks: chains of nodes with at most five inputs.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kTensors = 0, kDim = 1;
constexpr std::size_t kMaxInputs = 5;

struct Piece {
  std::uint32_t id;
  Shape dims;
};

Refused refuse_pieces(const NodeArgs& a) {
  if (a.values(kTensors).size() > 256) return Refusal{fmt::format("{} tensors, the limit is 256", a.values(kTensors).size()), {}};
  for (const ValueId id : a.values(kTensors)) {
    if (fixed_constant(a.graph(), id) == nullptr && a.graph()[id].tensor().dtype != a.out_type().dtype) {
      return Refusal{fmt::format("a part is converted to {} on the way", name_of(a.out_type().dtype)), "give all parts the same dtype"};
    }
  }
  return std::nullopt;
}
Refused refuse_stack(const NodeArgs& a) {
  if (a.out_type().is_dynamic()) return Refusal{"a stack of tensors of dynamic size", "export with fixed sizes"};
  return refuse_pieces(a);
}

void join(PayloadBuilder& b, std::vector<Piece> pieces, std::size_t axis, std::uint32_t out,
          Storage storage) {
  while (pieces.size() > 1) {
    const std::size_t count = std::min(pieces.size(), kMaxInputs);
    std::vector<std::uint32_t> inputs;
    Shape dims = pieces[0].dims;
    dims.sizes[axis] = dims.probe[axis] = 0;
    for (std::size_t i = 0; i < count; ++i) {
      inputs.push_back(pieces[i].id);
      dims.sizes[axis] += pieces[i].dims.sizes[axis];
      dims.probe[axis] += pieces[i].dims.probe[axis];
    }
    constexpr xnn::NodeType kTypes[] = {xnn::NodeType::kConcatenate2, xnn::NodeType::kConcatenate3, xnn::NodeType::kConcatenate4,
                                        xnn::NodeType::kConcatenate5};
    const std::uint32_t made = count == pieces.size() ? out : b.temporary(dims, storage);
    b.emit(kTypes[count - 2], std::move(inputs), made, xnn::Concatenate{static_cast<std::uint32_t>(axis)});
    pieces.erase(pieces.begin() + 1, pieces.begin() + static_cast<std::ptrdiff_t>(count));
    pieces[0] = {made, dims};
  }
}

// The layout of the largest part that is computed.
DimOrder order_of(PayloadBuilder& b, const ir::ValueIds& parts) {
  std::int64_t largest = -1;
  DimOrder order = contiguous_order(b.type(parts[0]).sizes.size());
  for (const ValueId id : parts) {
    if (b.constant_of(id) != nullptr || numel(b.type(id).sizes) <= largest) continue;
    largest = numel(b.type(id).sizes);
    order = b.natural(id).order;
  }
  return order;
}

// The int8 tensor that a part is, or becomes by the quantisation that the result is going to get.
ValueId quantised_part(PayloadBuilder& b, ValueId part, const Affine& affine) {
  const ValueId held = b.held(part);
  if (held != ir::kNoValue && b.storage(held).affine == affine) return held;
  const Rep rep = b.natural(part);
  const ValueId made = b.new_int8(part, affine);
  b.emit(xnn::NodeType::kConvert, {rep.id}, b.make_like(made, rep));
  return made;
}

// How the parts of a concatenation can be joined in int8: all are held alike, or the result is quantised and
// some are held.
std::optional<Affine> common_affine(PayloadBuilder& b, const ir::ValueIds& parts, ValueId out) {
  const auto affine_of = [&](ValueId part) { return b.storage(b.held(part)).affine; };
  const auto is_held = [&](ValueId part) { return b.held(part) != ir::kNoValue; };
  if (std::ranges::all_of(parts, is_held) &&
      std::ranges::all_of(parts, [&](ValueId p) { return affine_of(p) == affine_of(parts[0]); })) {
    return affine_of(parts[0]);
  }
  const auto result = b.quantised_result(out, false);
  if (result && std::ranges::any_of(parts, is_held)) return result->affine;
  return std::nullopt;
}

Status lower_cat(PayloadBuilder& b, const NodeArgs& a) {
  ir::ValueIds parts = a.values(kTensors);
  ValueId out = a.out();
  if (const auto affine = common_affine(b, parts, out)) {
    for (ValueId& part : parts) part = quantised_part(b, part, *affine);
    out = b.hold_new(out, *affine);
  }
  const DimOrder order = order_of(b, parts);
  const std::size_t axis = position_of(order, a.dim(kDim, order.size()));
  std::vector<Piece> pieces;
  for (const ValueId id : parts) pieces.push_back({b.get(id, order), permuted(shape_of(b.type(id)), order)});
  if (pieces.size() == 1) {
    b.define(out, {pieces[0].id, order, pieces[0].dims});
    return {};
  }
  join(b, std::move(pieces), axis, b.make(out, order), b.storage(out));
  return {};
}

Status lower_stack(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t axis = a.dim(kDim, a.out_type().sizes.size());
  std::vector<Piece> pieces;
  for (const ValueId id : a.values(kTensors)) {
    const Shape from = shape_of(b.type(id));
    Shape dims = from;
    dims.sizes.insert(axis, 1);
    dims.probe.insert(axis, 1);
    pieces.push_back({b.reshape(b.plain(id), from, dims, a.out_type().dtype), dims});
  }
  const DimOrder order = contiguous_order(a.out_type().sizes.size());
  if (pieces.size() == 1) {
    b.define(a.out(), {pieces[0].id, order, pieces[0].dims});
    return {};
  }
  join(b, std::move(pieces), axis, b.make(a.out(), order), a.out_type().dtype);
  return {};
}

constexpr Lowering kRows[] = {{"aten::cat", refuse_pieces, lower_cat}, {"aten::stack", refuse_stack, lower_stack}};

}  // namespace

extern constinit const LoweringFamily kConcatenateLowerings{kRows};

}  // namespace etalon::xnnpack
