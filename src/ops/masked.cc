// Operators driven by where a tensor is not zero: nonzero, masked_select, masked_scatter, and repeat_interleave.
#include "ops/mask.h"

#include <fmt/core.h>

#include <cstring>

#include "base/checked.h"
#include "ops/dispatch.h"
#include "ops/index_value.h"
#include "ops/nonzero_element.h"
#include "ops/op.h"
#include "ops/row_major.h"

namespace etalon::ops {
namespace {

// At run time infer has counted already; a program loaded with unknown contents was given the bound.
Status resize_to(const Call& call, const Dims& sizes) {
  if (call.out().sizes() == sizes) return {};
  return call.out().resize(sizes);
}

Dims sizes_of_nonzero(const TensorView& self, std::int64_t count) {
  return {count, static_cast<std::int64_t>(self.rank())};
}

Status infer_nonzero(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  return outs.set(0, DType::kInt64, sizes_of_nonzero(self, count_nonzero_bound(self)));
}

Status nonzero_kernel(const Call& call) {
  const TensorView& self = call.tensor(0);
  ETALON_CHECKED(resize_to(call, sizes_of_nonzero(self, count_nonzero(self))));
  const std::int64_t row = call.out().stride(0);
  const std::int64_t column = call.out().stride(1);
  auto* out = call.out().data_as<std::int64_t>();
  std::array<std::int64_t, kMaxRank> index{};
  return visit_nonzero(self.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    RowMajorCursor cursor(self.sizes(), self.strides());
    for (std::int64_t i = 0; i < self.numel(); ++i, cursor.next()) {
      if (is_nonzero(self.data_as<T>()[cursor.offset()])) {
        for (std::size_t d = 0; d < self.rank(); ++d) out[static_cast<std::int64_t>(d) * column] = index[d];
        out += row;
      }
      for (std::size_t d = self.rank(); d-- > 0;) {
        if (++index[d] < self.size(d)) break;
        index[d] = 0;
      }
    }
    return {};
  });
}

Result<Dims> masked_sizes(std::string_view op, const TensorView& self, const TensorView& mask) {
  if (!is_mask(mask.dtype())) return invalid_input(fmt::format("{}: mask has dtype {}, want bool", op, name_of(mask.dtype())));
  const auto sizes = broadcast(self.sizes(), mask.sizes());
  if (!sizes) {
    return invalid_input(fmt::format("{}: sizes {} and mask {} do not broadcast", op, to_string(self.sizes()), to_string(mask.sizes())));
  }
  return make_dims(sizes->span());
}

// Each element of the mask stands for as many as it is repeated by broadcasting.
Result<std::int64_t> selected_count(const Call& call) {
  ETALON_TRY(const Dims sizes, masked_sizes("masked_select", call.tensor(0), call.tensor(1)));
  const TensorView& mask = call.tensor(1);
  if (numel(sizes) == 0) return std::int64_t{0};
  return count_nonzero_bound(mask) * (numel(sizes) / mask.numel());
}

Status infer_masked_select(const Call& call, OutShapes& outs) {
  ETALON_TRY(const std::int64_t count, selected_count(call));
  return outs.set(0, call.tensor(0).dtype(), Dims{count});
}

// Calls `visit(offset of self, is the mask set)` for each element of the broadcast shape in row-major order.
template <class Visit>
void for_each_masked(const StridedView& self, const StridedView& mask, Visit&& visit) {
  const auto* bits = reinterpret_cast<const std::uint8_t*>(mask.data);
  const std::int64_t count = self.numel();
  if (is_row_major(self) && is_row_major(mask)) {
    for (std::int64_t i = 0; i < count; ++i) visit(i, bits[i] != 0);
    return;
  }
  RowMajorCursor at(self.sizes, self.strides);
  RowMajorCursor at_mask(mask.sizes, mask.strides);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(at.offset(), bits[at_mask.offset()] != 0);
    at.next();
    at_mask.next();
  }
}

Status masked_select_kernel(const Call& call) {
  ETALON_TRY(const std::int64_t count, selected_count(call));
  ETALON_CHECKED(resize_to(call, Dims{count}));
  ETALON_TRY(const Dims sizes, masked_sizes("masked_select", call.tensor(0), call.tensor(1)));
  const StridedView self = StridedView(call.tensor(0)).broadcast_to(sizes);
  const StridedView mask = StridedView(call.tensor(1)).broadcast_to(sizes);
  return visit_element_size(self.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* src = reinterpret_cast<const T*>(self.data);
    T* dst = call.out().data_as<T>();
    for_each_masked(self, mask, [&](std::int64_t offset, bool set) {
      if (set) *dst++ = src[offset];
    });
    return {};
  });
}

Status infer_masked_scatter(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Dims sizes, masked_sizes("masked_scatter", call.tensor(0), call.tensor(1)));
  if (call.tensor(2).dtype() != call.tensor(0).dtype()) {
    return invalid_input(fmt::format("masked_scatter: source has dtype {}, self {}", name_of(call.tensor(2).dtype()), name_of(call.tensor(0).dtype())));
  }
  return outs.set(0, call.tensor(0).dtype(), sizes);
}

Status masked_scatter_kernel(const Call& call) {
  const StridedView dst(call.out());
  const StridedView source(call.tensor(2));
  const StridedView mask = StridedView(call.tensor(1)).broadcast_to(dst.sizes);
  copy_cast(StridedView(call.tensor(0)), dst);
  std::int64_t left = source.numel();
  bool enough = true;
  RowMajorCursor from(source.sizes, source.strides);
  const std::size_t size = size_of(dst.dtype);
  for_each_masked(dst, mask, [&](std::int64_t offset, bool set) {
    if (!set || !enough) return;
    enough = left-- > 0;
    if (!enough) return;
    std::memcpy(dst.at(offset), source.at(from.offset()), size);
    from.next();
  });
  if (!enough) return invalid_input(fmt::format("masked_scatter: the mask has more true elements than the {} of source", source.numel()));
  return {};
}

// repeat_interleave([2, 0, 1]) = [0, 0, 2]: the index that a repeated gather needs.
Result<std::int64_t> repeated_count(const Call& call) {
  const TensorView& repeats = call.tensor(0);
  std::int64_t total = 0;
  const IndexReader counts(repeats);
  for (std::int64_t i = 0; i < repeats.numel(); ++i) {
    const auto sum = checked_add(total, counts[i]);
    if (counts[i] < 0 || !sum) return invalid_input(fmt::format("repeat_interleave: count {} at {}, want at least 0", counts[i], i));
    total = *sum;
  }
  const auto wanted = call.optional_int(1);
  if (wanted && *wanted != total) {
    return invalid_input(fmt::format("repeat_interleave: the counts add up to {}, output_size is {}", total, *wanted));
  }
  return total;
}

Status infer_repeat_interleave(const Call& call, OutShapes& outs) {
  const TensorView& repeats = call.tensor(0);
  ETALON_CHECKED(check_index_dtype("repeat_interleave", repeats));
  if (repeats.rank() != 1) return invalid_input(fmt::format("repeat_interleave by {}, want one dim", to_string(repeats.sizes())));
  std::int64_t size = call.optional_int(1).value_or(0);
  if (repeats.data() != nullptr) {
    ETALON_TRY(size, repeated_count(call));
  } else if (!call.has(1) && repeats.numel() > 0) {
    return unsupported("repeat_interleave with counts that are known at run time only: the size of the result has no bound; pass output_size");
  }
  ETALON_TRY(const Dims sizes, make_dims(std::span(&size, 1)));
  return outs.set(0, repeats.dtype(), sizes);
}

Status repeat_interleave_kernel(const Call& call) {
  const TensorView& repeats = call.tensor(0);
  ETALON_TRY(const std::int64_t count, repeated_count(call));
  ETALON_CHECKED(resize_to(call, Dims{count}));
  const IndexReader counts(repeats);
  const auto fill_runs = [&]<class T>(T* out) {
    for (std::int64_t i = 0; i < repeats.numel(); ++i) out = std::fill_n(out, counts[i], static_cast<T>(i));
  };
  if (repeats.dtype() == DType::kInt64) {
    fill_runs(call.out().data_as<std::int64_t>());
  } else {
    fill_runs(call.out().data_as<std::int32_t>());
  }
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::nonzero(Tensor self) -> Tensor",
     .out_name = "aten::nonzero.out",
     .infer = infer_nonzero,
     .kernel = nonzero_kernel,
     .traits = kDataDependent},
    {.schema = "aten::masked_select(Tensor self, Tensor mask) -> Tensor",
     .out_name = "aten::masked_select.out",
     .infer = infer_masked_select,
     .kernel = masked_select_kernel,
     .traits = kDataDependent},
    {.schema = "aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor",
     .out_name = "aten::masked_scatter.out",
     .infer = infer_masked_scatter,
     .kernel = masked_scatter_kernel},
    {.schema = "aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor",
     .out_name = "aten::repeat_interleave.Tensor_out",
     .infer = infer_repeat_interleave,
     .kernel = repeat_interleave_kernel,
     .traits = kDataDependent},
};

}  // namespace

extern constinit const OpFamily kMaskedOps{kRows};

}  // namespace etalon::ops
