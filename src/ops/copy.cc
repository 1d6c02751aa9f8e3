// Copies: of a tensor as it is, to another dtype, to another dim order.
#include <fmt/core.h>

#include "ops/infer.h"
#include "ops/strided.h"

namespace etalon::ops {
namespace {

// c10::MemoryFormat
constexpr std::int64_t kContiguousFormat = 0;
constexpr std::int64_t kPreserveFormat = 1;
constexpr std::int64_t kChannelsLast = 2;
constexpr std::int64_t kChannelsLast3d = 3;

Result<DimOrder> order_of_format(std::int64_t format, const TensorView& self) {
  const std::size_t rank = self.rank();
  if (format == kPreserveFormat) return self.order();
  if (format == kContiguousFormat) return contiguous_order(rank);
  const bool fits = (format == kChannelsLast && rank == 4) || (format == kChannelsLast3d && rank == 5);
  if (!fits) return invalid_input(fmt::format("memory format {} does not fit rank {}", format, rank));
  return rank == 4 ? DimOrder{0, 2, 3, 1} : DimOrder{0, 2, 3, 4, 1};
}

Status set_format(const Call& call, OutShapes& outs, DType dtype, std::size_t format_arg) {
  const TensorView& self = call.tensor(0);
  ETALON_TRY(const DimOrder order,
             order_of_format(call.optional_int(format_arg).value_or(kPreserveFormat), self));
  return outs.set(0, dtype, self.sizes(), &order);
}

Status infer_clone(const Call& call, OutShapes& outs) {
  return set_format(call, outs, call.tensor(0).dtype(), 1);
}

Status infer_to_copy(const Call& call, OutShapes& outs) {
  ETALON_TRY(const DType dtype, call.dtype_or(1, call.tensor(0).dtype()));
  return set_format(call, outs, dtype, 6);
}

// The dim order argument of dim_order_ops, or the tensor's own order.
Result<DimOrder> order_argument(const Call& call, std::size_t arg, std::size_t rank,
                                const DimOrder& fallback) {
  if (!call.has(arg)) return fallback;
  const auto dims = call.ints(arg);
  if (dims.size() != rank)
    return invalid_input(fmt::format("dim_order has {} entries, want {}", dims.size(), rank));
  DimOrder order;
  for (const std::int64_t dim : dims) {
    if (dim < 0 || dim >= static_cast<std::int64_t>(rank))
      return invalid_input(fmt::format("dim_order has entry {} for rank {}", dim, rank));
    order.push_back(static_cast<std::uint8_t>(dim));
  }
  if (!is_permutation(order)) return invalid_input("dim_order names a dim twice");
  return order;
}

Status set_order(const Call& call, OutShapes& outs, DType dtype, std::size_t order_arg) {
  const TensorView& self = call.tensor(0);
  ETALON_TRY(const DimOrder order, order_argument(call, order_arg, self.rank(), self.order()));
  return outs.set(0, dtype, self.sizes(), &order);
}

Status infer_clone_dim_order(const Call& call, OutShapes& outs) {
  return set_order(call, outs, call.tensor(0).dtype(), 2);
}

Status infer_to_dim_order_copy(const Call& call, OutShapes& outs) {
  ETALON_TRY(const DType dtype, call.dtype_or(1, call.tensor(0).dtype()));
  return set_order(call, outs, dtype, 6);
}

Status infer_empty_dim_order(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Dims sizes, make_dims(call.ints(0)));
  ETALON_TRY(const DType dtype, call.dtype_or(1, DType::kFloat32));
  ETALON_TRY(const DimOrder order, order_argument(call, 5, sizes.size(), contiguous_order(sizes.size())));
  return outs.set(0, dtype, sizes, &order);
}

Status copy_self(const Call& call) {
  copy_cast(call.tensor(0), call.out());
  return {};
}

Status leave_uninitialised(const Call&) { return {}; }

// copy(self, src): src with the dtype and sizes of self.
Status check_source_fits(const Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView& src = call.tensor(1);
  const auto sizes = broadcast(self.sizes(), src.sizes());
  if (sizes && *sizes == self.sizes()) return {};
  return invalid_input(
      fmt::format("sizes {} do not broadcast to {}", to_string(src.sizes()), to_string(self.sizes())));
}

Status infer_copy(const Call& call, OutShapes& outs) {
  ETALON_CHECKED(check_source_fits(call));
  return infer_same_as(call, outs);
}

Status copy_source(const Call& call) {
  copy_cast(call.tensor(1), call.out());
  return {};
}

Status infer_copy_into_self(const Call& call, OutShapes&) { return check_source_fits(call); }

Status copy_into_self(const Call& call) {
  copy_cast(call.tensor(1), call.tensor(0));
  return {};
}

constexpr OpDef copy_row(std::string_view schema, std::string_view out_name, InferFn infer,
                         std::uint32_t traits = kElementwise) {
  return {.schema = schema, .out_name = out_name, .infer = infer, .kernel = copy_self, .traits = traits};
}

constexpr OpDef kRows[] = {
    copy_row("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", "aten::clone.out",
             infer_clone),
    copy_row("aten::detach_copy(Tensor self) -> Tensor", "aten::detach_copy.out", infer_same_as),
    copy_row("aten::alias_copy(Tensor self) -> Tensor", "aten::alias_copy.out", infer_same_as),
    copy_row("aten::lift_fresh_copy(Tensor self) -> Tensor", "aten::lift_fresh_copy.out", infer_same_as),
    copy_row(
        "aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
        "bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
        "aten::_to_copy.out", infer_to_copy, kElementwise | kCastsOutput),
    copy_row("dim_order_ops::_to_dim_order_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, "
             "Device? device=None, bool? pin_memory=None, bool non_blocking=False, int[]? dim_order=None) -> "
             "Tensor",
             "dim_order_ops::_to_dim_order_copy.out", infer_to_dim_order_copy, kElementwise | kCastsOutput),
    copy_row("dim_order_ops::_clone_dim_order(Tensor self, *, bool non_blocking=False, int[]? "
             "dim_order=None) -> Tensor",
             "dim_order_ops::_clone_dim_order.out", infer_clone_dim_order),
    {.schema = "dim_order_ops::_empty_dim_order(int[] size, *, ScalarType? dtype=None, Layout? layout=None, "
               "Device? device=None, bool? pin_memory=None, int[]? dim_order=None) -> Tensor",
     .out_name = "dim_order_ops::_empty_dim_order.out",
     .infer = infer_empty_dim_order,
     .kernel = leave_uninitialised,
     .traits = kRandom | kCastsOutput},
    copy_row("et_copy::_h2d_copy(Tensor self) -> Tensor", "et_copy::_h2d_copy.out", infer_same_as),
    copy_row("et_copy::_d2h_copy(Tensor self) -> Tensor", "et_copy::_d2h_copy.out", infer_same_as),
    {.schema = "aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor",
     .out_name = "aten::copy.out",
     .infer = infer_copy,
     .kernel = copy_source,
     .traits = kElementwise},
    {.schema = "aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)",
     .out_name = "aten::copy_",
     .infer = infer_copy_into_self,
     .kernel = copy_into_self,
     .traits = kMutatesSelf},
};

}  // namespace

extern constinit const OpFamily kCopyOps{kRows};

}  // namespace etalon::ops
