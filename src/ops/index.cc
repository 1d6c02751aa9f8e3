// Advanced indexing: index reads the elements that a list of index tensors names, index_put writes them.
#include <fmt/core.h>

#include <cstring>

#include "ops/accumulate.h"
#include "ops/index_plan.h"
#include "ops/infer.h"

namespace etalon::ops {
namespace {

// Calls `visit(offset of operand 0, offset of operand 1)` for each innermost run of the slices after the indexed dims.
template <class Visit>
void for_each_indexed_run(const SliceLoops& loops, std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                          Visit&& visit) {
  if (loops.before.empty || loops.after.empty) return;
  for_each_run(loops.before, [&](const auto& outer) {
    for (std::int64_t i = 0; i < loops.before.run(); ++i) {
      const std::int64_t base0 = outer[0] + i * loops.before.step(0);
      const std::int64_t base1 = outer[1] + i * loops.before.step(1);
      for (std::size_t j = 0; j < first.size(); ++j) {
        const std::int64_t at0 = base0 + first[j];
        const std::int64_t at1 = base1 + second[j];
        if (loops.after.rank == 1) {
          visit(at0, at1);
        } else {
          for_each_run(loops.after, [&](const auto& inner) { visit(at0 + inner[0], at1 + inner[1]); });
        }
      }
    }
  });
}

// Writes operand 0 of the loops from operand 1.
template <class T>
void copy_indexed(const SliceLoops& loops, std::span<const std::int64_t> to, std::span<const std::int64_t> from, T* dst,
                  const T* src) {
  const std::int64_t count = loops.after.empty ? 0 : loops.after.run();
  if (count == 0) return;
  const std::int64_t dst_step = loops.after.step(0);
  const std::int64_t src_step = loops.after.step(1);
  constexpr std::int64_t kWorthMemcpy = 16;
  const bool dense = dst_step == 1 && src_step == 1 && count >= kWorthMemcpy;
  for_each_indexed_run(loops, to, from, [&](std::int64_t at, std::int64_t at_src) {
    if (dense) {
      std::memcpy(dst + at, src + at_src, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) dst[at + i * dst_step] = src[at_src + i * src_step];
  });
}

template <class T>
void add_indexed(const SliceLoops& loops, std::span<const std::int64_t> to, std::span<const std::int64_t> from, T* dst,
                 const T* src) {
  const std::int64_t count = loops.after.empty ? 0 : loops.after.run();
  if (count == 0) return;
  const std::int64_t dst_step = loops.after.step(0);
  const std::int64_t src_step = loops.after.step(1);
  for_each_indexed_run(loops, to, from, [&](std::int64_t at, std::int64_t at_src) {
    for (std::int64_t i = 0; i < count; ++i) accumulate(dst[at + i * dst_step], src[at_src + i * src_step]);
  });
}

std::size_t index_scratch(const Call& call) { return index_scratch_bytes(call.tensor(0), call.tensors(1)); }

Status infer_index(const Call& call, OutShapes& outs) {
  if (call.tensors(1).empty()) return invalid_input("index by an empty list");
  ETALON_TRY(const IndexPlan plan, plan_index("index", call.tensor(0), call.tensors(1)));
  return outs.set(0, call.tensor(0).dtype(), plan.sizes);
}

Status index_kernel(const Call& call) {
  ETALON_TRY(const IndexPlan plan, plan_index("index", call.tensor(0), call.tensors(1)));
  if (!(call.out().sizes() == plan.sizes)) ETALON_CHECKED(call.out().resize(plan.sizes));
  const StridedView self(call.tensor(0));
  const StridedView out(call.out());
  if (out.numel() == 0) return {};
  ETALON_TRY(const IndexOffsets offsets, compute_offsets("index", plan, self, out, call.scratch()));
  const SliceLoops loops = slice_loops(plan, self.strides, out.strides, false);
  return visit_element_size(self.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    copy_indexed(loops, offsets.other, offsets.self, reinterpret_cast<T*>(out.data), reinterpret_cast<const T*>(self.data));
    return {};
  });
}

Status check_values(const IndexPlan& plan, const TensorView& values) {
  const auto sizes = broadcast(plan.sizes, values.sizes());
  if (sizes && *sizes == plan.sizes) return {};
  return invalid_input(fmt::format("index_put: values of sizes {} do not broadcast to the indexed {}",
                                   to_string(values.sizes()), to_string(plan.sizes)));
}

Status infer_index_put(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  const TensorView& values = call.tensor(2);
  if (call.tensors(1).empty()) return invalid_input("index_put by an empty list");
  if (values.dtype() != self.dtype()) {
    return invalid_input(fmt::format("index_put: values have dtype {}, self {}", name_of(values.dtype()), name_of(self.dtype())));
  }
  ETALON_TRY(const IndexPlan plan, plan_index("index_put", self, call.tensors(1)));
  if (!plan.is_bound) ETALON_CHECKED(check_values(plan, values));
  return infer_same_as(call, outs);
}

// Writes into `target`, which has the sizes of self.
Status put(const Call& call, const TensorView& target) {
  ETALON_TRY(const IndexPlan plan, plan_index("index_put", target, call.tensors(1)));
  ETALON_CHECKED(check_values(plan, call.tensor(2)));
  const StridedView self(target);
  const StridedView values = StridedView(call.tensor(2)).broadcast_to(plan.sizes);
  if (numel(plan.sizes) == 0) return {};
  ETALON_TRY(const IndexOffsets offsets, compute_offsets("index_put", plan, self, values, call.scratch()));
  const SliceLoops loops = slice_loops(plan, self.strides, values.strides, true);
  if (call.flag(3)) {
    return visit_dtype(self.dtype, [&](auto tag) -> Status {
      using T = typename decltype(tag)::type;
      add_indexed(loops, offsets.self, offsets.other, reinterpret_cast<T*>(self.data), reinterpret_cast<const T*>(values.data));
      return {};
    });
  }
  return visit_element_size(self.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    copy_indexed(loops, offsets.self, offsets.other, reinterpret_cast<T*>(self.data), reinterpret_cast<const T*>(values.data));
    return {};
  });
}

Status index_put_kernel(const Call& call) {
  copy_cast(call.tensor(0), call.out());
  return put(call, call.out());
}

Status index_put_in_place_kernel(const Call& call) { return put(call, call.tensor(0)); }

std::int64_t index_put_flops(const Call& call) { return call.flag(3) ? call.tensor(2).numel() : 0; }

constexpr OpDef kRows[] = {
    {.schema = "aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
     .out_name = "aten::index.Tensor_out",
     .infer = infer_index,
     .kernel = index_kernel,
     .scratch = index_scratch,
     .traits = kDataDependent,
     .aliases = "aten::_unsafe_index.Tensor"},
    {.schema = "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
     .out_name = "aten::index_put.out",
     .infer = infer_index_put,
     .kernel = index_put_kernel,
     .flops = index_put_flops,
     .scratch = index_scratch,
     .aliases = "aten::_unsafe_index_put"},
    {.schema = "aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)",
     .out_name = "aten::index_put_",
     .infer = infer_index_put,
     .kernel = index_put_in_place_kernel,
     .flops = index_put_flops,
     .scratch = index_scratch,
     .traits = kMutatesSelf},
};

}  // namespace

extern constinit const OpFamily kIndexOps{kRows};

}  // namespace etalon::ops
