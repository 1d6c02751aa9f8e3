// One and two operand arithmetic, with broadcasting.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

// Below this an extra thread costs more than it saves.
constexpr std::int64_t kSharedElements = 32 * 1024;
constexpr std::int64_t kGrain = 64;  // elements: no two workers write to one cache line

// Calls body(begin, length) with this worker's part of every run of `nest`.
template <class Body>
void for_each_run(const LoopNest& nest, unsigned worker, unsigned workers, Body&& body) {
  const std::int64_t rounds = nest.rounds(1);
  if (rounds < 2 * static_cast<std::int64_t>(workers)) {
    const Range part = share_of(nest.inner_size(), worker, workers, kGrain);
    if (part.begin == part.end) return;
    nest.for_each(1, 0, rounds,
                  [&](const LoopNest::Offsets& at) { body(at, part.begin, part.end - part.begin); });
    return;
  }
  const Range part = share_of(rounds, worker, workers);
  nest.for_each(1, part.begin, part.end,
                [&](const LoopNest::Offsets& at) { body(at, 0, nest.inner_size()); });
}

class UnaryOperation final : public Operation {
 public:
  UnaryOperation(Operand x, Operand out, const LoopNest& nest, kernels::UnaryFn fn,
                 const kernels::UnaryParams& params)
      : x_(x), out_(out), nest_(nest), fn_(fn), params_(params) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* x = context.at(x_);
    float* out = context.at(out_);
    for_each_run(nest_, worker, workers,
                 [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t n) {
                   fn_(x + at[1] + begin, out + at[0] + begin, static_cast<std::size_t>(n), params_);
                 });
  }

 private:
  Operand x_, out_;
  LoopNest nest_;
  kernels::UnaryFn fn_;
  kernels::UnaryParams params_;
};

class BinaryOperation final : public Operation {
 public:
  BinaryOperation(Operand a, Operand b, Operand out, const LoopNest& nest, kernels::BinaryFn fn,
                  const Binary& params)
      : a_(a), b_(b), out_(out), nest_(nest), fn_(fn), params_(params) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* a = context.at(a_);
    const float* b = context.at(b_);
    float* out = context.at(out_);
    const std::int64_t a_step = nest_.inner_stride(1);
    const std::int64_t b_step = nest_.inner_stride(2);
    for_each_run(nest_, worker, workers,
                 [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t n) {
                   fn_(a + at[1] + begin * a_step, b + at[2] + begin * b_step, out + at[0] + begin,
                       static_cast<std::size_t>(n), params_.min, params_.max);
                 });
  }

 private:
  Operand a_, b_, out_;
  LoopNest nest_;
  kernels::BinaryFn fn_;
  Binary params_;
};

// A row of numbers, one per column, against every row of a matrix.
class ColumnsOperation final : public Operation {
 public:
  ColumnsOperation(Operand x, Operand row, Operand out, const LoopNest& nest,
                   const kernels::VectorKernels& kernels, const Binary& params)
      : x_(x), row_(row), out_(out), nest_(nest), kernels_(kernels), params_(params) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const std::size_t rank = nest_.rank();
    const std::int64_t columns = nest_.size(rank - 1);
    const Range rows = share_of(nest_.size(rank - 2), worker, workers);
    const std::int64_t skip = rows.begin * columns;
    const auto count = static_cast<std::size_t>(rows.end - rows.begin);
    if (count == 0) return;
    const float* x = context.at(x_) + skip;
    const float* row = context.at(row_);
    float* out = context.at(out_) + skip;
    nest_.for_each(2, 0, nest_.rounds(2), [&](const LoopNest::Offsets& at) {
      if (params_.op == kernels::Binary::kMultiply) {
        kernels_.scale_columns(x + at[1], row + at[2], out + at[0], count, static_cast<std::size_t>(columns));
      } else {
        kernels_.add_columns(x + at[1], row + at[2], out + at[0], count, static_cast<std::size_t>(columns),
                             params_.min, params_.max);
      }
    });
  }

 private:
  Operand x_, row_, out_;
  LoopNest nest_;
  const kernels::VectorKernels& kernels_;
  Binary params_;
};

void finish(Operation& operation, const Settings& settings, kernels::Isa isa, std::string kernel,
            const Dims& in, const Dims& out, std::int64_t operands) {
  set_isa(operation.evidence, isa, settings);
  operation.evidence.kernel = std::move(kernel);
  operation.evidence.flops = numel(out);
  operation.evidence.bytes = 4 * numel(out) * (operands + 1);
  operation.evidence.shape = shape_text(in, out);
  operation.is_shared = numel(out) >= kSharedElements;
}

Dims broadcast_strides(const Dims& dims, const Dims& strides, const Dims& out) {
  Dims result(out.size(), std::int64_t{0});
  const std::size_t skip = out.size() - dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    result[skip + i] = dims[i] == 1 && out[skip + i] != 1 ? 0 : strides[i];
  }
  return result;
}

bool runs_are_direct(const LoopNest& nest, std::size_t operands) {
  if (nest.rank() == 0) return true;
  if (nest.inner_stride(0) != 1) return false;
  for (std::size_t k = 1; k <= operands; ++k) {
    if (nest.inner_stride(k) > 1) return false;
  }
  return true;
}

struct BinaryPlaces {
  Placement a, b, out;
  LoopNest nest;
};

LoopNest nest_of(const Dims& dims, const Dims& out, const Dims& a_dims, const Dims& a, const Dims& b_dims,
                 const Dims& b) {
  const std::array<Dims, 3> strides = {out, broadcast_strides(a_dims, a, dims),
                                       broadcast_strides(b_dims, b, dims)};
  return LoopNest(dims, strides, 0);
}

// The layout of an operand is kept for the output if all of the operands then run directly.
BinaryPlaces place_binary(PlanBuilder& builder, const Node& node) {
  const ValueId a_id = node.inputs[0];
  const ValueId b_id = node.inputs[1];
  const Dims& dims = builder.dims(node.output());
  BinaryPlaces places{builder.input(a_id), builder.input(b_id), {}, {}};
  const auto works = [&](const Dims& out) {
    places.nest =
        nest_of(dims, out, builder.dims(a_id), places.a.strides, builder.dims(b_id), places.b.strides);
    return runs_are_direct(places.nest, 2);
  };
  for (const ValueId id : {a_id, b_id}) {
    const Dims strides = id == a_id ? places.a.strides : places.b.strides;
    if (!builder.output_is_free(node.output()) || builder.dims(id) != dims || !is_dense(dims, strides))
      continue;
    if (!works(strides)) continue;
    places.out = builder.output(node.output(), &strides);
    return places;
  }
  places.out = builder.output(node.output());
  if (works(places.out.strides)) return places;
  places.a = builder.contiguous_input(a_id);
  places.b = builder.contiguous_input(b_id);
  ETALON_CHECK(works(places.out.strides));
  return places;
}

bool is_row_against_matrix(const LoopNest& nest, std::size_t matrix, std::size_t row) {
  const std::size_t rank = nest.rank();
  if (rank < 2) return false;
  const std::int64_t columns = nest.size(rank - 1);
  return nest.inner_stride(matrix) == 1 && nest.inner_stride(row) == 1 && nest.stride(row, rank - 2) == 0 &&
         nest.stride(matrix, rank - 2) == columns && nest.stride(0, rank - 2) == columns;
}

std::unique_ptr<Operation> make_columns(const BinaryPlaces& places, const Binary& params,
                                        const kernels::VectorKernels& kernels) {
  const bool unclamped = params.min == -__builtin_inff() && params.max == __builtin_inff();
  const bool fits =
      params.op == kernels::Binary::kAdd || (params.op == kernels::Binary::kMultiply && unclamped);
  if (!fits) return nullptr;
  if (is_row_against_matrix(places.nest, 1, 2)) {
    return std::make_unique<ColumnsOperation>(places.a.at, places.b.at, places.out.at, places.nest, kernels,
                                              params);
  }
  if (!is_row_against_matrix(places.nest, 2, 1)) return nullptr;
  // The matrix comes first in the operation's nest.
  const std::size_t rank = places.nest.rank();
  Dims sizes;
  std::array<Dims, 3> strides;
  for (std::size_t d = 0; d < rank; ++d) {
    sizes.push_back(places.nest.size(d));
    strides[0].push_back(places.nest.stride(0, d));
    strides[1].push_back(places.nest.stride(2, d));
    strides[2].push_back(places.nest.stride(1, d));
  }
  const LoopNest swapped(sizes, strides, rank);
  return std::make_unique<ColumnsOperation>(places.b.at, places.a.at, places.out.at, swapped, kernels,
                                            params);
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Unary& params) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  const Dims& dims = builder.dims(node.output());
  const Dims& in_dims = builder.dims(node.inputs[0]);
  Placement in = builder.input(node.inputs[0]);
  const bool keeps_layout = is_dense(in_dims, in.strides);
  const Placement out = builder.output(node.output(), keeps_layout ? &in.strides : nullptr);
  std::array<Dims, 2> strides = {out.strides, in.strides};
  LoopNest nest(dims, strides, 0);
  if (!runs_are_direct(nest, 1) || (nest.rank() != 0 && nest.inner_stride(1) == 0)) {
    in = builder.contiguous_input(node.inputs[0]);
    strides[1] = in.strides;
    nest = LoopNest(dims, strides, 0);
  }
  if (nest.moves_alike(1)) builder.allow_in_place(out, in);
  auto operation = std::make_unique<UnaryOperation>(
      in.at, out.at, nest, kernels.unary[static_cast<std::size_t>(params.op)], params.params);
  finish(*operation, builder.settings(), kernels.isa,
         fmt::format("f32_{}_ukernel__{}", kernels::name_of(params.op), kernels.suffix), in_dims, dims, 1);
  builder.add(std::move(operation), node);
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const Binary& params) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  const BinaryPlaces places = place_binary(builder, node);
  const Dims& dims = builder.dims(node.output());
  if (places.nest.moves_alike(1)) builder.allow_in_place(places.out, places.a);
  if (places.nest.moves_alike(2)) builder.allow_in_place(places.out, places.b);
  const auto op = static_cast<std::size_t>(params.op);
  const bool a_is_scalar = places.nest.rank() != 0 && places.nest.inner_stride(1) == 0;
  const bool b_is_scalar = places.nest.rank() != 0 && places.nest.inner_stride(2) == 0;
  const auto& table = a_is_scalar   ? kernels.binary_by_scalar
                      : b_is_scalar ? kernels.binary_scalar
                                    : kernels.binary;
  auto operation = make_columns(places, params, kernels);
  if (operation == nullptr) {
    operation = std::make_unique<BinaryOperation>(places.a.at, places.b.at, places.out.at, places.nest,
                                                  table[op], params);
  }
  finish(*operation, builder.settings(), kernels.isa,
         fmt::format("f32_{}{}{}_minmax_ukernel__{}", a_is_scalar ? "vr" : "",
                     kernels::name_of(params.op).substr(a_is_scalar), a_is_scalar || b_is_scalar ? "c" : "",
                     kernels.suffix),
         builder.dims(node.inputs[0]), dims, 2);
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
