// Elements picked or placed along one dim, one index for each: gather, scatter, scatter_add.
//   gather:  out[i][j]          = self[index[i][j]][j]   for dim 0
//   scatter: out[index[i][j]][j] = src[i][j]
#include <fmt/core.h>

#include <optional>

#include "ops/accumulate.h"
#include "ops/index_value.h"
#include "ops/infer.h"
#include "ops/strided.h"

namespace etalon::ops {
namespace {

struct Picked {
  std::size_t dim = 0;
  std::int64_t size = 1;    // of the dim that indices count
  std::int64_t stride = 1;
  Dims others;              // strides of the picked tensor, 0 for `dim`
};

Picked picked(const TensorView& view, std::size_t dim) {
  Picked result{dim, 1, 1, view.strides()};
  if (view.rank() == 0) return result;
  result.size = view.size(dim);
  result.stride = view.stride(dim);
  result.others[dim] = 0;
  return result;
}

// A tensor without dims counts as one with a single element, for self, index and src alike.
Status check_ranks(std::string_view op, const TensorView& self, const TensorView& index) {
  if (std::max<std::size_t>(self.rank(), 1) == std::max<std::size_t>(index.rank(), 1)) return {};
  return invalid_input(fmt::format("{}: index has sizes {}, self {}; want the same number of dims", op,
                                   to_string(index.sizes()), to_string(self.sizes())));
}

// index.size(d) <= other.size(d) for all dims but `free_dim`.
Status check_fits(std::string_view op, const TensorView& index, const TensorView& other, std::optional<std::size_t> free_dim) {
  for (std::size_t d = 0; d < std::min(index.rank(), other.rank()); ++d) {
    if (free_dim == d || index.size(d) <= other.size(d)) continue;
    return invalid_input(fmt::format("{}: index of sizes {} is larger than {} in dim {}", op, to_string(index.sizes()),
                                     to_string(other.sizes()), d));
  }
  if (index.rank() == 1 && other.rank() == 0 && free_dim != 0u && index.size(0) > 1) {
    return invalid_input(fmt::format("{}: index of sizes {} is larger than one element", op, to_string(index.sizes())));
  }
  return {};
}

// The strides with as many dims as the index has, so that all of them can be walked together.
Dims strides_like(const TensorView& index, const Dims& strides) {
  return strides.size() == index.rank() ? strides : Dims(index.rank(), 0);
}

Status infer_gather(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  const TensorView& index = call.tensor(2);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), self.rank()));
  if (index.numel() > 0) {  // of an empty index torch looks at nothing, not even the dtype
    ETALON_CHECKED(check_index_dtype("gather", index));
    ETALON_CHECKED(check_ranks("gather", self, index));
    ETALON_CHECKED(check_fits("gather", index, self, dim));
  }
  return outs.set(0, self.dtype(), index.sizes());
}

Status gather_kernel(const Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView& index = call.tensor(2);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), self.rank()));
  if (index.numel() == 0) return {};
  const Picked from = picked(self, dim);
  const LoopNest<3> nest(index.sizes(), {call.out().strides(), index.strides(), strides_like(index, from.others)});
  const IndexReader indices(index);
  std::optional<std::int64_t> wrong;
  ETALON_CHECKED(visit_element_size(self.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* src = self.data_as<T>();
    T* dst = call.out().data_as<T>();
    for_each_run(nest, [&](const auto& at) {
      for (std::int64_t i = 0; i < nest.run(); ++i) {
        const std::int64_t place = indices[at[1] + i * nest.step(1)];
        if (in_range(place, from.size)) [[likely]] {
          dst[at[0] + i * nest.step(0)] = src[at[2] + i * nest.step(2) + place * from.stride];
        } else {
          wrong = place;
        }
      }
    });
    return {};
  }));
  if (wrong) return index_out_of_range("gather", *wrong, dim, from.size);
  return {};
}

Status check_scatter(std::string_view op, const Call& call, const TensorView* src) {
  const TensorView& self = call.tensor(0);
  const TensorView& index = call.tensor(2);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), self.rank()));
  if (src != nullptr && src->dtype() != self.dtype()) {
    return invalid_input(fmt::format("{}: src has dtype {}, self {}", op, name_of(src->dtype()), name_of(self.dtype())));
  }
  if (index.numel() == 0) return {};
  ETALON_CHECKED(check_index_dtype(op, index));
  ETALON_CHECKED(check_ranks(op, self, index));
  ETALON_CHECKED(check_fits(op, index, self, dim));
  if (src == nullptr) return {};
  ETALON_CHECKED(check_ranks(op, *src, index));
  return check_fits(op, index, *src, std::nullopt);
}

// Later elements overwrite earlier ones: every loop of the nest ascends, so whatever their order, places that collide are
// written in the order of the dim that is scattered along. The index, operand 0, is walked in memory order.
template <class T, class Combine>
Status scatter_elements(std::string_view op, const Call& call, const T* src, const Dims& src_strides, Combine&& combine) {
  const TensorView& index = call.tensor(2);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), call.tensor(0).rank()));
  if (index.numel() == 0) return {};
  const Picked to = picked(call.out(), dim);
  const LoopNest<3> nest(index.sizes(), {index.strides(), strides_like(index, to.others), strides_like(index, src_strides)});
  const IndexReader indices(index);
  T* dst = call.out().template data_as<T>();
  std::optional<std::int64_t> wrong;
  for_each_run(nest, [&](const auto& at) {
    for (std::int64_t i = 0; i < nest.run(); ++i) {
      const std::int64_t place = indices[at[0] + i * nest.step(0)];
      if (in_range(place, to.size)) [[likely]] {
        combine(dst[at[1] + i * nest.step(1) + place * to.stride], src[at[2] + i * nest.step(2)]);
      } else {
        wrong = place;
      }
    }
  });
  if (wrong) return index_out_of_range(op, *wrong, dim, to.size);
  return {};
}

constexpr auto kReplace = [](auto& to, auto from) { to = from; };
constexpr auto kAdd = [](auto& to, auto from) { accumulate(to, from); };

Status infer_scatter_src(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_scatter("scatter", call, &call.tensor(3)));
  return infer_same_as(call, outs);
}

Status scatter_src_kernel(const Call& call) {
  copy_cast(call.tensor(0), call.out());
  return visit_element_size(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return scatter_elements<T>("scatter", call, call.tensor(3).data_as<T>(), call.tensor(3).strides(), kReplace);
  });
}

Status infer_scatter_value(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_scatter("scatter", call, nullptr));
  return infer_same_as(call, outs);
}

Status scatter_value_kernel(const Call& call) {
  copy_cast(call.tensor(0), call.out());
  return visit_dtype(call.tensor(0).dtype(), [&](auto tag) {
    const auto value = call.scalar(3).as<typename decltype(tag)::type>();
    return scatter_elements("scatter", call, &value, Dims(call.tensor(2).rank(), 0), kReplace);
  });
}

Status infer_scatter_add(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_scatter("scatter_add", call, &call.tensor(3)));
  return infer_same_as(call, outs);
}

Status scatter_add_kernel(const Call& call) {
  copy_cast(call.tensor(0), call.out());
  return visit_dtype(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return scatter_elements<T>("scatter_add", call, call.tensor(3).data_as<T>(), call.tensor(3).strides(), kAdd);
  });
}

std::int64_t scatter_add_flops(const Call& call) { return call.tensor(2).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
     .out_name = "aten::gather.out",
     .infer = infer_gather,
     .kernel = gather_kernel},
    {.schema = "aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
     .out_name = "aten::scatter.src_out",
     .infer = infer_scatter_src,
     .kernel = scatter_src_kernel},
    {.schema = "aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
     .out_name = "aten::scatter.value_out",
     .infer = infer_scatter_value,
     .kernel = scatter_value_kernel},
    {.schema = "aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
     .out_name = "aten::scatter_add.out",
     .infer = infer_scatter_add,
     .kernel = scatter_add_kernel,
     .flops = scatter_add_flops},
};

}  // namespace

extern constinit const OpFamily kGatherOps{kRows};

}  // namespace etalon::ops
