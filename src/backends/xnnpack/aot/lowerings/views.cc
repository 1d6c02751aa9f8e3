// Operators that only rearrange: views and permutations relabel what is there (payload_builder.h), expansions multiply by
// ones.
#include <fmt/core.h>

#include <algorithm>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

Refused refuse_view(const NodeArgs& a) {
  const std::size_t dynamic = std::max(shape_of(a.type(0)).dynamic_count(), shape_of(a.out_type()).dynamic_count());
  if (dynamic > 1) {
    return Refusal{fmt::format("{} becomes {}: XNNPACK infers one size of a reshape", describe(a.type(0)), describe(a.out_type())),
                   "export with one dynamic dim"};
  }
  if (a.type(0).dtype != a.out_type().dtype) return Refusal{"it converts the dtype", "convert before"};
  if (!is_contiguous_order(a.out_type().order) && a.out_type().sizes.size() != a.type(0).sizes.size()) {
    return Refusal{"the result is wanted in another memory format", "use the contiguous format"};
  }
  return std::nullopt;
}

Status lower_view(PayloadBuilder& b, const NodeArgs& a) {
  const Shape from = shape_of(a.type(0));
  const Shape to = shape_of(a.out_type());
  const auto [in, out] = b.moved(a.value(0), a.out());
  const Rep rep = b.natural(in);
  if (const auto order = order_through_view(from, rep.order, to)) {
    b.define(out, {rep.id, *order, rep.dims});
    return {};
  }
  const Rep plain = b.in_order_any_dims(in, contiguous_order(from.rank()), 0);
  b.define(out, {plain.id, contiguous_order(to.rank()), plain.dims});
  return {};
}

// clone and _to_copy ask for a memory format, which is a matter of the borders alone.
Refused refuse_copy(const NodeArgs& a) {
  if (a.type(0).dtype != a.out_type().dtype) {
    return Refusal{fmt::format("it converts {} to {}", name_of(a.type(0).dtype), name_of(a.out_type().dtype)),
                   "keep one dtype through the model"};
  }
  return std::nullopt;
}
Status lower_copy(PayloadBuilder& b, const NodeArgs& a) {
  const auto [in, out] = b.moved(a.value(0), a.out());
  b.define(out, b.natural(in));
  return {};
}

DimOrder permutation_of(const NodeArgs& a) {
  const std::size_t rank = a.type(0).sizes.size();
  const std::string& op = a.node().op->functional_name;
  DimOrder out = contiguous_order(rank);
  if (op == "aten::t_copy") {
    if (rank == 2) out = {1, 0};
  } else if (op == "aten::transpose_copy.int") {
    if (rank > 0) std::swap(*(out.begin() + a.dim(1, rank)), *(out.begin() + a.dim(2, rank)));
  } else {
    std::size_t i = 0;
    for (const std::int64_t dim : a.ints(1)) out[i++] = static_cast<std::uint8_t>(*wrap_dim(dim, rank));
  }
  return out;
}

Status lower_permute(PayloadBuilder& b, const NodeArgs& a) {
  const auto [in, out] = b.moved(a.value(0), a.out());
  const Rep rep = b.natural(in);
  b.define(out, {rep.id, order_through_permute(rep.order, permutation_of(a)), rep.dims});
  return {};
}

bool repeats(const ir::TensorType& from, const ir::TensorType& to) { return numel(from.sizes) != numel(to.sizes); }

Refused refuse_expand(const NodeArgs& a) {
  if (!repeats(a.type(0), a.out_type())) return refuse_view(a);
  if (a.out_type().is_dynamic()) return Refusal{"it repeats to a dynamic size", "export with a fixed size, or let arithmetic broadcast"};
  if (a.constant(0) != nullptr) return Refusal{"it repeats a constant", {}};
  return std::nullopt;
}

Status lower_expand(PayloadBuilder& b, const NodeArgs& a) {
  if (!repeats(a.type(0), a.out_type())) return lower_view(b, a);
  const ir::TensorType& out = a.out_type();
  const std::size_t missing = out.sizes.size() - a.type(0).sizes.size();
  Dims ones(out.sizes.size(), 1);
  for (std::size_t i = 0; i < out.sizes.size(); ++i) {
    const std::int64_t own = i < missing ? 1 : a.type(0).sizes[i - missing];
    if (own != out.sizes[i]) ones[i] = out.sizes[i];
  }
  const std::vector<double> values(static_cast<std::size_t>(numel(ones)), 1.0);
  const std::uint32_t x = b.broadcastable(a.value(0), contiguous_order(out.sizes.size()), out.dtype);
  b.emit(xnn::NodeType::kMultiply, {x, b.constant(values, ones, out.dtype)}, b.make_plain(a.out()));
  return {};
}

constexpr Lowering kRows[] = {
    {"aten::view_copy", refuse_view, lower_view},
    {"aten::squeeze_copy", refuse_view, lower_view},
    {"aten::squeeze_copy.dim", refuse_view, lower_view},
    {"aten::squeeze_copy.dims", refuse_view, lower_view},
    {"aten::unsqueeze_copy", refuse_view, lower_view},
    {"aten::clone", refuse_copy, lower_copy},
    {"aten::alias_copy", refuse_copy, lower_copy},
    {"aten::detach_copy", refuse_copy, lower_copy},
    {"aten::lift_fresh_copy", refuse_copy, lower_copy},
    {"aten::_to_copy", refuse_copy, lower_copy},
    {"dim_order_ops::_to_dim_order_copy", refuse_copy, lower_copy},
    {"dim_order_ops::_clone_dim_order", refuse_copy, lower_copy},
    {"aten::permute_copy", accept, lower_permute},
    {"aten::transpose_copy.int", accept, lower_permute},
    {"aten::t_copy", accept, lower_permute},
    {"aten::expand_copy", refuse_expand, lower_expand},
};

}  // namespace

extern constinit const LoweringFamily kViewLowerings{kRows};

}  // namespace etalon::xnnpack
