// _cdist_forward and _pdist_forward: p-norm distances between rows.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"

namespace etalon::ops {

namespace {

Status check_rows(const TensorView& rows, double p) {
  if (!is_floating(rows.dtype())) {
    return unsupported("dtype " + std::string(name_of(rows.dtype())) + ", want a floating one");
  }
  if (!(p >= 0.0)) return invalid_input(fmt::format("p is {}, want 0 or more", p));
  return {};
}

// Two rows of `count` elements, with their steps.
template <class T>
struct RowPair {
  const T* a;
  const T* b;
  std::int64_t a_step;
  std::int64_t b_step;
  std::int64_t count;

  template <class Visit>
  void for_each_difference(Visit visit) const {
    for (std::int64_t i = 0; i < count; ++i) {
      visit(std::abs(convert_element<double>(a[i * a_step]) - convert_element<double>(b[i * b_step])));
    }
  }
};

template <class T>
double distance(const RowPair<T>& rows, double p) {
  double sum = 0.0;
  if (p == 2.0) {
    rows.for_each_difference([&](double d) { sum += d * d; });
    return std::sqrt(sum);
  }
  if (p == 1.0) {
    rows.for_each_difference([&](double d) { sum += d; });
    return sum;
  }
  if (p == 0.0) {
    rows.for_each_difference([&](double d) { sum += d != 0.0 ? 1.0 : 0.0; });
    return sum;
  }
  if (std::isinf(p)) {
    rows.for_each_difference([&](double d) { sum = d > sum || std::isnan(d) ? d : sum; });
    return sum;
  }
  rows.for_each_difference([&](double d) { sum += std::pow(d, p); });
  return std::pow(sum, 1.0 / p);
}

Dims batch_dims(const TensorView& view) { return Dims(view.sizes().span().first(view.rank() - 2)); }

Status infer_cdist(const Call& call, OutShapes& outs) {
  const TensorView& a = call.tensor(0);
  const TensorView& b = call.tensor(1);
  ETALON_CHECKED(check_rows(a, call.number(2)));
  if (a.rank() < 2 || b.rank() < 2 || a.sizes().back() != b.sizes().back() || a.dtype() != b.dtype()) {
    return invalid_input(fmt::format("rows {} and {}, want two or more dims, the same dtype and last dim",
                                     to_string(a.sizes()), to_string(b.sizes())));
  }
  const auto batch = broadcast(batch_dims(a), batch_dims(b));
  if (!batch) {
    return invalid_input(fmt::format("sizes {} and {} do not broadcast", to_string(a.sizes()), to_string(b.sizes())));
  }
  Dims sizes = *batch;
  if (sizes.size() + 2 > kMaxRank) return invalid_input("too many dims");
  sizes.push_back(a.size(a.rank() - 2));
  sizes.push_back(b.size(b.rank() - 2));
  return outs.set(0, a.dtype(), sizes);
}

// `view` broadcast over the batch dims of `sizes`, with its rows along the dim that is given.
Dims row_strides(const TensorView& view, const Dims& sizes, std::size_t row_dim) {
  Dims strides(sizes.size(), 0);
  const std::size_t batch = view.rank() - 2;
  const std::size_t lead = sizes.size() - 2 - batch;
  for (std::size_t d = 0; d < batch; ++d) strides[lead + d] = view.size(d) == 1 ? 0 : view.stride(d);
  strides[row_dim] = view.stride(batch);
  return strides;
}

Status kernel_cdist(const Call& call) {
  const TensorView& a = call.tensor(0);
  const TensorView& b = call.tensor(1);
  const TensorView& out = call.out();
  const std::size_t rank = out.rank();
  const LoopNest<3> nest(out.sizes(), {out.strides(), row_strides(a, out.sizes(), rank - 2),
                                       row_strides(b, out.sizes(), rank - 1)});
  return visit_floating(a.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for_each_run(nest, [&](const auto& offsets) {
      for (std::int64_t i = 0; i < nest.run(); ++i) {
        const RowPair<T> rows{a.data_as<T>() + offsets[1] + i * nest.step(1),
                              b.data_as<T>() + offsets[2] + i * nest.step(2), a.strides().back(), b.strides().back(),
                              a.sizes().back()};
        out.data_as<T>()[offsets[0] + i * nest.step(0)] = convert_element<T>(distance(rows, call.number(2)));
      }
    });
    return {};
  });
}

double pdist_norm(const Call& call) { return call.has(1) ? call.number(1) : 2.0; }

Status infer_pdist(const Call& call, OutShapes& outs) {
  const TensorView& rows = call.tensor(0);
  ETALON_CHECKED(check_rows(rows, pdist_norm(call)));
  if (rows.rank() != 2) return invalid_input(fmt::format("rows are {}, want two dims", to_string(rows.sizes())));
  const std::int64_t n = rows.size(0);
  if (n >= (std::int64_t{1} << 31)) return invalid_input("too many rows");
  return outs.set(0, rows.dtype(), Dims{n * (n - 1) / 2});
}

Status kernel_pdist(const Call& call) {
  const TensorView& rows = call.tensor(0);
  return visit_floating(rows.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* from = rows.data_as<T>();
    T* to = call.out().data_as<T>();
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      for (std::int64_t j = i + 1; j < rows.size(0); ++j) {
        const RowPair<T> pair{from + i * rows.stride(0), from + j * rows.stride(0), rows.stride(1), rows.stride(1),
                              rows.size(1)};
        *to++ = convert_element<T>(distance(pair, pdist_norm(call)));
      }
    }
    return {};
  });
}

std::int64_t flops_cdist(const Call& call) {
  const TensorView& a = call.tensor(0);
  const TensorView& b = call.tensor(1);
  if (a.rank() < 2 || b.rank() < 2) return 0;
  const auto batch = broadcast(batch_dims(a), batch_dims(b));
  return batch ? 3 * numel(*batch) * a.size(a.rank() - 2) * b.size(b.rank() - 2) * a.sizes().back() : 0;
}

std::int64_t flops_pdist(const Call& call) {
  const TensorView& rows = call.tensor(0);
  return rows.rank() == 2 ? 3 * rows.size(0) * (rows.size(0) - 1) / 2 * rows.size(1) : 0;
}

constexpr OpDef kRows[] = {
    {.schema = "aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor",
     .out_name = "aten::_cdist_forward.out",
     .infer = infer_cdist,
     .kernel = kernel_cdist,
     .flops = flops_cdist,
     .tolerance = {1e-5, 1e-5}},
    {.schema = "aten::_pdist_forward(Tensor self, float p=2.) -> Tensor",
     .out_name = "aten::_pdist_forward.out",
     .infer = infer_pdist,
     .kernel = kernel_pdist,
     .flops = flops_pdist,
     .tolerance = {1e-5, 1e-5}},
};

}  // namespace

extern constinit const OpFamily kCdistOps{kRows};

}  // namespace etalon::ops
