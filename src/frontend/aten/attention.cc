// Scaled dot-product attention, on the mathematical path.
#include <cmath>
#include <limits>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Attention {
  ValueId query, key, value;
  ValueId mask = ir::kNoValue;
  bool is_causal = false;
  double scale = 0;
};

// Keys of one head for each query that uses them.
ValueId repeat_heads(Lowering& lo, ValueId x, ValueId query) {
  const std::size_t heads = lo.rank(x) - 3;
  const std::int64_t own = lo.static_size(x, heads);
  const std::int64_t wanted = lo.static_size(query, heads);
  if (own == wanted) return x;
  if (own == 0 || wanted % own != 0)
    refuse_input("the number of query heads is no multiple of the number of key heads");
  return lo.aten("aten::repeat_interleave.self_int", x, wanted / own, heads);
}

bool is_known_to_keep_rows(Lowering& lo, ValueId mask) {
  // A literal mask is looked at: some element of each row must let something through.
  const ir::Constant* constant = lo.graph().constant_of(mask);
  if (constant == nullptr || lo.rank(mask) == 0) return false;
  const auto row = static_cast<std::size_t>(lo.type(mask).sizes.back());
  const auto count = static_cast<std::size_t>(numel(lo.type(mask).sizes));
  const bool is_bool = lo.dtype(mask) == DType::kBool;
  for (std::size_t start = 0; start < count; start += row) {
    bool open = false;
    for (std::size_t i = start; i < start + row && !open; ++i) {
      const double element = ir::element_as_double(*constant, i);
      open = is_bool ? element != 0 : element != -kInfinity;
    }
    if (!open) return false;
  }
  return true;
}

// The lower triangle as numbers to add.
ValueId causal_mask(Lowering& lo, ValueId scores) {
  const DType dtype = lo.dtype(scores);
  const std::size_t rank = lo.rank(scores);
  const ValueId ones =
      lo.op("aten::full", IntItems{lo.size(scores, rank - 2), lo.size(scores, rank - 1)}, true, DType::kBool);
  return lo.where(lo.op("aten::tril", ones), lo.scalar(0, dtype), lo.scalar(-kInfinity, dtype));
}

ValueId masked_softmax(Lowering& lo, ValueId scores, ValueId mask) {
  if (mask == ir::kNoValue) return lo.op("aten::_softmax", scores, -1, false);
  const bool is_bool = lo.dtype(mask) == DType::kBool;
  const DType dtype = lo.dtype(scores);
  const ValueId masked =
      is_bool ? lo.where(mask, scores, lo.scalar(-kInfinity, dtype)) : lo.add(scores, mask);
  const ValueId weights = lo.op("aten::_softmax", masked, -1, false);
  if (is_known_to_keep_rows(lo, mask)) return weights;
  // torch gives zeros where a row is masked as a whole; looking at the mask is cheaper than looking at the
  // scores.
  const ValueId open = is_bool
                           ? lo.op("aten::any.dim", mask, -1, true)
                           : lo.op("aten::ne.Scalar", lo.op("aten::amax", mask, Ints{-1}, true), -kInfinity);
  return lo.where(open, weights, lo.scalar(0, dtype));
}

ValueId attend(Lowering& lo, const Attention& a) {
  const ValueId query = lo.mul(a.query, a.scale);
  const ValueId scores = lo.aten("aten::matmul", query, lo.transpose(a.key, -2, -1));
  // A causal mask lets the diagonal through, so no row is empty.
  const ValueId weights = a.is_causal
                              ? lo.op("aten::_softmax", lo.add(scores, causal_mask(lo, scores)), -1, false)
                              : masked_softmax(lo, scores, a.mask);
  return lo.aten("aten::matmul", weights, a.value);
}

double scale_of(Lowering& lo, const Args& a, std::size_t at, ValueId query) {
  if (a.has(at)) return a.number(at);
  return 1.0 / std::sqrt(static_cast<double>(lo.static_size(query, lo.rank(query) - 1)));
}

ValueIds attention(Lowering& lo, const Args& a) {
  if (a.number(4) != 0) refuse("attention with dropout; call model.eval() before torch.export.export");
  Attention at{a.tensor(0),         a.tensor(1), a.tensor(2),
               a.tensor_or_none(3), a.flag(5),   scale_of(lo, a, 6, a.tensor(0))};
  if (a.flag(7)) {
    at.key = repeat_heads(lo, at.key, at.query);
    at.value = repeat_heads(lo, at.value, at.query);
  }
  return {attend(lo, at)};
}

ValueIds flash_attention(Lowering& lo, const Args& a) {
  const ValueId query = a.tensor(0);
  const ValueId out = attend(
      lo, {query, a.tensor(1), a.tensor(2), a.tensor_or_none(5), a.flag(4), scale_of(lo, a, 6, query)});
  return {out, ir::kNoValue};
}

constexpr Rule kRows[] = {
    {"aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
     "float dropout_p=0.0, "
     "bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
     attention},
    {"aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float "
     "dropout_p=0.0, "
     "bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor, Tensor)",
     flash_attention},
};

}  // namespace

constinit const RuleFamily kAttentionRules{kRows};

}  // namespace etalon::frontend
