// Operators that reorder dims, for elements of 4 bytes: blocks of a transposed matrix in registers.
#include <cstring>

#include "backends/native/operators/layout_facts.h"
#include "ops/infer.h"
#include "ops/strided.h"

namespace etalon::native {
namespace {

using kernels::Isa;
using ops::Call;
using Nest = ops::LoopNest<2>;  // operands: output, input

constexpr std::int64_t kShortestRow = 8;

// How one innermost run of the output is moved: copied as it is, or together with the runs along `dim`, in which the
// input's elements are neighbours, as a transposed matrix.
struct Plan {
  Nest nest;
  bool copies = false;
  std::size_t dim = 0;
};
Nest nest_of(const Call& call, const Dims& input_strides) {
  return {call.out().sizes(), {call.out().strides(), input_strides}};
}
const char* refusal_of(const Call& call, const Dims& input_strides, Plan& plan) {
  if (size_of(call.tensor(0).dtype()) != 4 || call.out().dtype() != call.tensor(0).dtype()) {
    return "wants elements of 4 bytes";
  }
  const Nest& nest = plan.nest = nest_of(call, input_strides);
  if (nest.empty) return nullptr;
  if (nest.step(0) != 1) return kOtherLayout;
  plan.copies = nest.step(1) == 1;
  if (plan.copies) return nest.rank == 1 || nest.run() >= kShortestRow ? nullptr : "wants longer rows";
  for (std::size_t d = 0; d + 1 < nest.rank; ++d) {
    if (nest.strides[1][d] != 1) continue;
    plan.dim = d;
    return nest.run() * nest.sizes[d] >= 64 ? nullptr : "wants larger matrices";
  }
  return kOtherLayout;
}

void run_plan(const Call& call, const Plan& plan, Isa cap) {
  const auto* x = call.tensor(0).data_as<const float>();
  auto* out = call.out().data_as<float>();
  Nest nest = plan.nest;
  if (nest.empty) return;
  const auto run = static_cast<std::size_t>(nest.run());
  if (plan.copies) {
    ops::for_each_run(nest, [&](const auto& at) { std::memcpy(out + at[0], x + at[1], run * sizeof(float)); });
    return;
  }
  const auto transpose = kernels::vector_kernels(cap).transpose_x32;
  const auto columns = static_cast<std::size_t>(nest.sizes[plan.dim]);
  const auto out_stride = static_cast<std::size_t>(nest.strides[0][plan.dim]);
  const auto x_stride = static_cast<std::size_t>(nest.step(1));
  nest.sizes[plan.dim] = 1;  // done by each call
  ops::for_each_run(nest, [&](const auto& at) { transpose(x + at[1], x_stride, out + at[0], out_stride, run, columns); });
}

// Strides of the input in the order of the output's dims.
Dims permuted_strides(const Call& call) {
  const TensorView& x = call.tensor(0);
  Dims strides;
  for (const std::int64_t dim : call.ints(1)) strides.push_back(x.stride(*wrap_dim(dim, x.rank())));
  return strides;
}
Dims swapped_strides(const Call& call) {
  Dims strides = call.tensor(0).strides();
  const std::size_t rank = strides.size();
  if (rank > 0) std::swap(strides[*wrap_dim(call.integer(1), rank)], strides[*wrap_dim(call.integer(2), rank)]);
  return strides;
}
Dims transposed_strides(const Call& call) {
  Dims strides = call.tensor(0).strides();
  if (strides.size() == 2) std::swap(strides[0], strides[1]);
  return strides;
}
Dims own_strides(const Call& call) { return call.tensor(0).strides(); }

template <Dims (*kStrides)(const Call&)>
struct Movement : NoScratch {
  static const char* refusal(const Call& call) {
    Plan plan{nest_of(call, kStrides(call))};
    return refusal_of(call, kStrides(call), plan);
  }
  static Status run(const Call& call, Isa cap) {
    Plan plan{nest_of(call, kStrides(call))};
    refusal_of(call, kStrides(call), plan);
    run_plan(call, plan, cap);
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) {
    const kernels::VectorKernels& k = kernels::vector_kernels(cap);
    return {"x32_transposec_ukernel__" + std::string(k.suffix), k.isa};
  }
};
struct Permute : Movement<permuted_strides> {
  static constexpr std::string_view kOutName = "aten::permute_copy.out";
};
struct Transpose : Movement<swapped_strides> {
  static constexpr std::string_view kOutName = "aten::transpose_copy.int_out";
};
struct T : Movement<transposed_strides> {
  static constexpr std::string_view kOutName = "aten::t_copy.out";
};
struct ToDimOrder : Movement<own_strides> {
  static constexpr std::string_view kOutName = "dim_order_ops::_to_dim_order_copy.out";
};

constexpr NativeOperator kRows[] = {native_operator<Permute>(), native_operator<Transpose>(), native_operator<T>(),
                                    native_operator<ToDimOrder>()};

}  // namespace

extern constinit const NativeFamily kPermuteOperators{kRows};

}  // namespace etalon::native
