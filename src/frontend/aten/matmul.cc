#include "frontend/aten/matmul.h"

#include <fmt/core.h>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// All dims but the last made one.
ValueId fold_rows(Lowering& lo, ValueId x) {
  return lo.rank(x) == 2
             ? x
             : lo.reshape(x, {SizeOf::literal(-1), {x, static_cast<std::int64_t>(lo.rank(x)) - 1}});
}

// The leading sizes of `like` in front of the last size of `rows`.
ValueId unfold_rows(Lowering& lo, ValueId rows, ValueId like) {
  if (lo.rank(like) == 2) return rows;
  Sizes sizes = lo.sizes_of(like);
  sizes.back() = {rows, 1};
  return lo.reshape(rows, sizes);
}

// The batch dim at `i` (counted in the result) of an operand, or none where it has fewer.
struct BatchDim {
  ValueId tensor = ir::kNoValue;
  std::size_t dim = 0;
};
BatchDim batch_dim(Lowering& lo, ValueId x, std::size_t batch_rank, std::size_t i) {
  const std::size_t own = lo.rank(x) - 2;
  if (i + own < batch_rank) return {};
  return {x, i + own - batch_rank};
}
bool is_one(Lowering& lo, const BatchDim& d) {
  return d.tensor == ir::kNoValue ||
         (!lo.type(d.tensor).is_dynamic(d.dim) && lo.type(d.tensor).sizes[d.dim] == 1);
}

// The tensor with the broadcast batch dims, folded into one.
ValueId to_batches(Lowering& lo, ValueId x, const std::vector<BatchDim>& batch) {
  const std::size_t matrix = lo.rank(x) - 2;
  bool same = lo.rank(x) == batch.size() + 2;
  IntItems sizes;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const BatchDim own = batch_dim(lo, x, batch.size(), i);
    const bool kept = own.tensor != ir::kNoValue && (!is_one(lo, own) || is_one(lo, batch[i]));
    same = same && kept;
    sizes.push_back(kept ? IntItem{-1, ir::kNoValue} : lo.size(batch[i].tensor, batch[i].dim));
  }
  sizes.push_back({-1, ir::kNoValue});
  sizes.push_back({-1, ir::kNoValue});
  const ValueId wide = same ? x : lo.expand(x, sizes);
  if (batch.size() == 1) return wide;
  return lo.reshape(wide, {SizeOf::literal(-1),
                           {x, static_cast<std::int64_t>(matrix)},
                           {x, static_cast<std::int64_t>(matrix) + 1}});
}

ValueId batched(Lowering& lo, ValueId a, ValueId b) {
  const std::size_t batch_rank = std::max(lo.rank(a), lo.rank(b)) - 2;
  std::vector<BatchDim> batch;
  for (std::size_t i = 0; i < batch_rank; ++i) {
    const BatchDim of_a = batch_dim(lo, a, batch_rank, i);
    const BatchDim of_b = batch_dim(lo, b, batch_rank, i);
    batch.push_back(of_a.tensor != ir::kNoValue && (!is_one(lo, of_a) || is_one(lo, of_b)) ? of_a : of_b);
    if (batch.back().tensor == ir::kNoValue) batch.back() = of_a;
  }
  const ValueId out = lo.op("aten::bmm", to_batches(lo, a, batch), to_batches(lo, b, batch));
  if (batch.size() == 1) return out;
  Sizes sizes;
  for (const BatchDim& d : batch) sizes.push_back({d.tensor, static_cast<std::int64_t>(d.dim)});
  sizes.push_back({out, 1});
  sizes.push_back({out, 2});
  return lo.reshape(out, sizes);
}

}  // namespace

ValueId matmul_of(Lowering& lo, ValueId a, ValueId b) {
  if (lo.rank(a) == 0 || lo.rank(b) == 0) refuse_input("both arguments need at least one dim");
  const bool row = lo.rank(a) == 1;
  const bool column = lo.rank(b) == 1;
  if (row) a = lo.unsqueeze(a, 0);
  if (column) b = lo.unsqueeze(b, 1);
  ValueId out = ir::kNoValue;
  if (lo.rank(b) == 2) {
    out = unfold_rows(lo, lo.op("aten::mm", fold_rows(lo, a), b), a);
  } else {
    out = batched(lo, a, b);
  }
  if (column) out = lo.squeeze(out, -1);
  if (row) out = lo.squeeze(out, column ? -1 : -2);
  return out;
}

ValueId linear_of(Lowering& lo, ValueId x, ValueId weight, ValueId bias) {
  if (lo.rank(x) == 0) refuse_input("the input needs at least one dim");
  if (lo.rank(weight) == 1) {
    const ValueId out = matmul_of(lo, x, weight);
    return bias == ir::kNoValue ? out : lo.add(out, bias);
  }
  const bool vector = lo.rank(x) == 1;
  const ValueId input = vector ? lo.unsqueeze(x, 0) : x;
  const ValueId transposed = lo.permute(weight, {1, 0});
  const ValueId rows = fold_rows(lo, input);
  const ValueId product = bias == ir::kNoValue ? lo.op("aten::mm", rows, transposed)
                                               : lo.op("aten::addmm", bias, rows, transposed);
  const ValueId out = unfold_rows(lo, product, input);
  return vector ? lo.squeeze(out, 0) : out;
}

namespace {

ValueIds matmul(Lowering& lo, const Args& a) { return {matmul_of(lo, a.tensor(0), a.tensor(1))}; }
ValueIds linear(Lowering& lo, const Args& a) {
  return {linear_of(lo, a.tensor(0), a.tensor(1), a.tensor_or_none(2))};
}
ValueIds outer(Lowering& lo, const Args& a) {
  return {lo.mul(lo.unsqueeze(a.tensor(0), 1), lo.unsqueeze(a.tensor(1), 0))};
}

ValueIds inner(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const ValueId y = a.tensor(1);
  if (lo.rank(x) == 0 || lo.rank(y) == 0) return {lo.mul(x, y)};
  if (lo.rank(y) == 1) return {matmul_of(lo, x, y)};
  return {lo.aten("aten::tensordot", x, y, Ints{-1}, Ints{-1})};
}

// beta * self + alpha * product
ValueId scaled_sum(Lowering& lo, const Args& a, ValueId product) {
  const auto scaled = [&](ValueId x, std::size_t by) {
    return a.number(by) == 1.0 ? x : lo.op("aten::mul.Scalar", x, a[by]);
  };
  product = scaled(product, 4);
  return a.number(3) == 0.0 ? product : lo.add(scaled(a.tensor(0), 3), product);
}
ValueIds baddbmm(Lowering& lo, const Args& a) { return {scaled_sum(lo, a, lo.op("aten::bmm", a[1], a[2]))}; }
ValueIds addmv(Lowering& lo, const Args& a) {
  return {scaled_sum(lo, a, matmul_of(lo, a.tensor(1), a.tensor(2)))};
}
ValueIds addbmm(Lowering& lo, const Args& a) {
  return {scaled_sum(lo, a, lo.op("aten::sum.dim_IntList", lo.op("aten::bmm", a[1], a[2]), Ints{0}))};
}
ValueIds addr(Lowering& lo, const Args& a) {
  return {scaled_sum(lo, a, lo.mul(lo.unsqueeze(a.tensor(1), 1), lo.unsqueeze(a.tensor(2), 0)))};
}

// Sums over pairs of dims: one matrix product of what is kept by what is summed.
ValueIds tensordot(Lowering& lo, const Args& a) {
  const auto arrange = [&](ValueId x, const Ints& summed, bool summed_first) {
    Ints order;
    std::vector<bool> taken(lo.rank(x), false);
    for (const std::int64_t d : summed) taken[lo.dim(x, d)] = true;
    Sizes kept;
    for (std::size_t i = 0; i < lo.rank(x); ++i) {
      if (taken[i]) continue;
      order.push_back(static_cast<std::int64_t>(i));
      kept.push_back({x, static_cast<std::int64_t>(i)});
    }
    order.insert(summed_first ? order.begin() : order.end(), summed.begin(), summed.end());
    return std::pair(lo.permute(x, order), kept);
  };
  const Ints left = a.ints(2);
  const Ints right = a.ints(3);
  std::int64_t inner = 1;
  for (const std::int64_t d : left) inner *= lo.static_size(a.tensor(0), lo.dim(a.tensor(0), d));
  auto [x, sizes] = arrange(a.tensor(0), left, false);
  const auto [y, more] = arrange(a.tensor(1), right, true);
  const ValueId product = lo.op("aten::mm", lo.reshape(x, {SizeOf::literal(-1), SizeOf::literal(inner)}),
                                lo.reshape(y, {SizeOf::literal(inner), SizeOf::literal(-1)}));
  sizes.insert(sizes.end(), more.begin(), more.end());
  return {lo.reshape(product, sizes)};
}

constexpr Rule kRows[] = {
    {"aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", linear},
    {"aten::matmul(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::linalg_matmul(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::dot(Tensor self, Tensor tensor) -> Tensor", matmul},
    {"aten::vdot(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::inner(Tensor self, Tensor other) -> Tensor", inner},
    {"aten::mv(Tensor self, Tensor vec) -> Tensor", matmul},
    {"aten::outer(Tensor self, Tensor vec2) -> Tensor", outer},
    {"aten::ger(Tensor self, Tensor vec2) -> Tensor", outer},
    {"aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     baddbmm},
    {"aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     addbmm},
    {"aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor", addmv},
    {"aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", addr},
    {"aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds {
       return {lo.op("aten::_cdist_forward", a[0], a[1], a[2], a[3])};
     }},
    {"aten::pdist(Tensor self, float p=2) -> Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds { return {lo.op("aten::_pdist_forward", a[0], a[1])}; }},
    {"aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", tensordot},
};

}  // namespace

constinit const RuleFamily kMatmulRules{kRows};

}  // namespace etalon::frontend
