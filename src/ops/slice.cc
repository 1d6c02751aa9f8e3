// Operators that take a part of a tensor: slice, select, narrow; and those that write one: slice_scatter, select_scatter.
#include "ops/slice.h"

#include <fmt/core.h>

#include "ops/infer.h"
#include "ops/view_op.h"

namespace etalon::ops {

Result<Slice> make_slice(const Dims& sizes, std::int64_t dim, std::optional<std::int64_t> start,
                         std::optional<std::int64_t> end, std::int64_t step) {
  if (sizes.empty()) return invalid_input("slice of a tensor without dims");
  Slice slice;
  ETALON_TRY(slice.dim, dim_of(dim, sizes.size()));
  if (step <= 0) return invalid_input(fmt::format("slice with step {}, want a positive one", step));
  const std::int64_t size = sizes[slice.dim];
  const auto clamped = [size](std::int64_t bound) {
    return std::clamp<std::int64_t>(bound < 0 ? bound + size : bound, 0, size);
  };
  slice.start = clamped(start.value_or(0));
  const std::int64_t count = std::max<std::int64_t>(0, clamped(end.value_or(size)) - slice.start);
  slice.length = count / step + (count % step != 0 ? 1 : 0);
  // With at most one element the step is of no use, and multiplied by a stride it could overflow.
  slice.step = slice.length > 1 ? step : 1;
  return slice;
}

Result<Selection> make_selection(const Dims& sizes, std::int64_t dim, std::int64_t index) {
  if (sizes.empty()) return invalid_input("select from a tensor without dims");
  Selection selection;
  ETALON_TRY(selection.dim, dim_of(dim, sizes.size()));
  const std::int64_t size = sizes[selection.dim];
  if (index < -size || index >= size) {
    return invalid_input(fmt::format("select index {} is out of range for dim {} of size {}", index, selection.dim, size));
  }
  selection.index = index < 0 ? index + size : index;
  return selection;
}

namespace {

Result<StridedView> sliced(const Call& call) {
  const StridedView view(call.tensor(0));
  ETALON_TRY(const Slice slice, make_slice(view.sizes, call.integer(1), call.optional_int(2), call.optional_int(3), call.integer(4)));
  return slice.of(view);
}

Result<StridedView> selected(const Call& call) {
  const StridedView view(call.tensor(0));
  ETALON_TRY(const Selection selection, make_selection(view.sizes, call.integer(1), call.integer(2)));
  return selection.of(view);
}

Result<StridedView> narrowed(const Call& call) {
  const StridedView view(call.tensor(0));
  if (view.rank() == 0) return invalid_input("narrow of a tensor without dims");
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), view.rank()));
  const std::int64_t size = view.sizes[dim];
  const std::int64_t length = call.integer(3);
  std::int64_t start = call.integer(2);
  if (start < 0 && start >= -size) start += size;
  if (start < 0 || start > size || length < 0 || length > size - start) {
    return invalid_input(fmt::format("narrow to {} from {} does not lie in dim {} of size {}", length, call.integer(2), dim, size));
  }
  return view.narrowed(dim, start, length);
}

Status check_part(std::string_view op, const Dims& part, const Dims& src) {
  if (part == src) return {};
  return invalid_input(fmt::format("{}: src has sizes {}, want {}", op, to_string(src), to_string(part)));
}

Result<StridedView> sliced_part(const Call& call, const StridedView& whole) {
  ETALON_TRY(const Slice slice, make_slice(whole.sizes, call.integer(2), call.optional_int(3), call.optional_int(4), call.integer(5)));
  const StridedView part = slice.of(whole);
  ETALON_CHECKED(check_part("slice_scatter", part.sizes, call.tensor(1).sizes()));
  return part;
}

Result<StridedView> selected_part(const Call& call, const StridedView& whole) {
  ETALON_TRY(const Selection selection, make_selection(whole.sizes, call.integer(2), call.integer(3)));
  const StridedView part = selection.of(whole);
  ETALON_CHECKED(check_part("select_scatter", part.sizes, call.tensor(1).sizes()));
  return part;
}

using PartFn = Result<StridedView> (*)(const Call&, const StridedView&);

template <PartFn kPart>
Status infer_scatter_part(const Call& call, OutShapes& outs) {
  ETALON_TRY(const StridedView part, kPart(call, StridedView(call.tensor(0))));
  return outs.set(0, part.dtype, call.tensor(0).sizes());
}

template <PartFn kPart>
Status scatter_part(const Call& call) {
  copy_cast(call.tensor(0), call.out());
  ETALON_TRY(const StridedView part, kPart(call, StridedView(call.out())));
  copy_cast(StridedView(call.tensor(1)), part);
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::slice_copy.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) "
               "-> Tensor",
     .out_name = "aten::slice_copy.Tensor_out",
     .infer = infer_view<sliced>,
     .kernel = copy_view<sliced>,
     .aliases = "aten::slice.Tensor"},
    {.schema = "aten::select_copy.int(Tensor self, int dim, SymInt index) -> Tensor",
     .out_name = "aten::select_copy.int_out",
     .infer = infer_view<selected>,
     .kernel = copy_view<selected>,
     .aliases = "aten::select.int"},
    {.schema = "aten::narrow_copy(Tensor self, int dim, SymInt start, SymInt length) -> Tensor",
     .out_name = "aten::narrow_copy.out",
     .infer = infer_view<narrowed>,
     .kernel = copy_view<narrowed>,
     .aliases = "aten::narrow"},
    {.schema = "aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, "
               "SymInt step=1) -> Tensor",
     .out_name = "aten::slice_scatter.out",
     .infer = infer_scatter_part<sliced_part>,
     .kernel = scatter_part<sliced_part>},
    {.schema = "aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor",
     .out_name = "aten::select_scatter.out",
     .infer = infer_scatter_part<selected_part>,
     .kernel = scatter_part<selected_part>},
};

}  // namespace

extern constinit const OpFamily kSliceOps{kRows};

}  // namespace etalon::ops
