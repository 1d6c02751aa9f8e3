// One and two operand arithmetic, with broadcasting.
#include <fmt/format.h>

#include <array>

#include "backends/native/operations/broadcast.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

// Below this an extra thread costs more than it saves.
constexpr std::int64_t kSharedElements = 32 * 1024;

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
  const LoopNest swapped = with_sides_swapped(places.nest);
  return std::make_unique<ColumnsOperation>(places.b.at, places.a.at, places.out.at, swapped, kernels,
                                            params);
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Unary& params) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  const UnaryPlaces places = place_unary(builder, node);
  if (places.nest.moves_alike(1)) builder.allow_in_place(places.out, places.in);
  auto operation = std::make_unique<UnaryOperation>(
      places.in.at, places.out.at, places.nest, kernels.unary[static_cast<std::size_t>(params.op)], params.params);
  finish(*operation, builder.settings(), kernels.isa,
         fmt::format("f32_{}_ukernel__{}", kernels::name_of(params.op), kernels.suffix),
         builder.dims(node.inputs[0]), builder.dims(node.output()), 1);
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
