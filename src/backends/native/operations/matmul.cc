// Products of two tensors that are both computed, and attention.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"
#include "kernels/attention/attention.h"
#include "kernels/batch_matmul/batch_matmul.h"

namespace etalon::native {
namespace {

constexpr std::int64_t kSharedMultiplyAdds = 150'000;

// A matrix per round of the outer dims; `rows` and `columns` are strides of the last two dims.
struct Matrices {
  Placement at;
  Dims outer;  // strides, broadcast to the outer dims of the result
  std::int64_t rows = 0, columns = 0;
};

Matrices matrices_of(const Placement& placement, const Dims& dims, const Dims& out_dims) {
  Matrices m;
  m.at = placement;
  const std::size_t rank = dims.size();
  m.rows = placement.strides[rank - 2];
  m.columns = placement.strides[rank - 1];
  const std::size_t outer = out_dims.size() - 2;
  for (std::size_t i = 0; i < outer; ++i) {
    const std::size_t back = outer - i;  // counted from the last outer dim
    const bool has = back + 2 <= rank;
    const std::size_t d = has ? rank - 2 - back : 0;
    m.outer.push_back(!has || (dims[d] == 1 && out_dims[i] != 1) ? 0 : placement.strides[d]);
  }
  return m;
}

// Rows of a matrix are usable as they are if their elements are adjacent; a single column is as good.
bool has_dense_rows(const Placement& placement, const Dims& dims) {
  return dims.back() == 1 || placement.strides.back() == 1;
}
bool has_dense_columns(const Placement& placement, const Dims& dims) {
  const std::size_t d = dims.size() - 2;
  return dims[d] == 1 || placement.strides[d] == 1;
}

Matrices rows_of(PlanBuilder& builder, ValueId id, const Dims& out_dims) {
  Placement placement = builder.input(id);
  if (!has_dense_rows(placement, builder.dims(id))) placement = builder.contiguous_input(id);
  return matrices_of(placement, builder.dims(id), out_dims);
}

Dims outer_of(const Dims& dims) { return Dims(dims.span().first(dims.size() - 2)); }

// Rounds of the outer dims times rows of each product, shared so that a worker keeps to few products.
template <class Body>
void for_each_part(const LoopNest& nest, std::int64_t rows, unsigned worker, unsigned workers, Body&& body) {
  const std::int64_t rounds = nest.rounds(0);
  if (rounds >= 2 * static_cast<std::int64_t>(workers) || workers == 1) {
    const Range part = share_of(rounds, worker, workers);
    nest.for_each(0, part.begin, part.end, [&](const LoopNest::Offsets& at) { body(at, 0, rows); });
    return;
  }
  const Range part = share_of(rows, worker, workers);
  if (part.begin == part.end) return;
  nest.for_each(0, 0, rounds, [&](const LoopNest::Offsets& at) { body(at, part.begin, part.end); });
}

class MatmulOperation final : public Operation {
 public:
  MatmulOperation(const kernels::BatchMatmulKernel& kernel, const kernels::MatmulShape& shape,
                  const LoopNest& nest, Operand a, Operand b, Operand out)
      : kernel_(kernel), shape_(shape), nest_(nest), a_(a), b_(b), out_(out) {
    scratch_bytes = kernel.scratch_bytes(shape);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* a = context.at(a_);
    const float* b = context.at(b_);
    float* out = context.at(out_);
    for_each_part(nest_, shape_.m, worker, workers,
                  [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t end) {
                    kernel_.run(shape_, a + at[1], b + at[2], out + at[0], begin, end, false,
                                context.scratch);
                  });
  }

 private:
  const kernels::BatchMatmulKernel& kernel_;
  kernels::MatmulShape shape_;
  LoopNest nest_;
  Operand a_, b_, out_;
};

class AttentionOperation final : public Operation {
 public:
  AttentionOperation(const kernels::AttentionKernel& kernel, const kernels::AttentionShape& shape,
                     const LoopNest& nest, Operand q, Operand k, Operand v, Operand out)
      : kernel_(kernel), shape_(shape), nest_(nest), q_(q), k_(k), v_(v), out_(out) {
    scratch_bytes = kernel.scratch_bytes(shape);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* q = context.at(q_);
    const float* k = context.at(k_);
    const float* v = context.at(v_);
    const float* added = has_mask ? context.at(mask) : nullptr;
    float* out = context.at(out_);
    for_each_part(nest_, shape_.queries, worker, workers,
                  [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t end) {
                    kernel_.run(shape_, q + at[1], k + at[2], v + at[3], has_mask ? added + at[4] : nullptr,
                                out + at[0], begin, end, false, context.scratch);
                  });
  }

  Operand mask;
  bool has_mask = false;

 private:
  const kernels::AttentionKernel& kernel_;
  kernels::AttentionShape shape_;
  LoopNest nest_;
  Operand q_, k_, v_, out_;
};

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Matmul& matmul) {
  const Settings& settings = builder.settings();
  const auto& kernel = kernels::batch_matmul_kernel(settings.cap, settings.math, settings.machine);
  const Dims& dims = builder.dims(node.output());
  const Dims& b_dims = builder.dims(node.inputs[1]);
  const Matrices a = rows_of(builder, node.inputs[0], dims);
  Placement b_place = builder.input(node.inputs[1]);
  if (!has_dense_rows(b_place, b_dims) && !has_dense_columns(b_place, b_dims)) {
    b_place = builder.contiguous_input(node.inputs[1]);
  }
  const Matrices b = matrices_of(b_place, b_dims, dims);
  const Placement out = builder.output(node.output());
  const std::size_t rank = dims.size();

  kernels::MatmulShape shape;
  shape.m = dims[rank - 2];
  shape.n = dims[rank - 1];
  shape.k = builder.dims(node.inputs[0]).back();
  shape.a_stride = a.rows;
  shape.b_is_transposed = !has_dense_rows(b_place, b_dims);
  shape.b_stride = shape.b_is_transposed ? b.columns : b.rows;
  shape.c_stride = out.strides[rank - 2];
  shape.scale = matmul.scale;
  const std::array<Dims, 3> strides = {Dims(out.strides.span().first(rank - 2)), a.outer, b.outer};
  const LoopNest nest(outer_of(dims), strides, 0);
  auto operation = std::make_unique<MatmulOperation>(kernel, shape, nest, a.at.at, b.at.at, out.at);
  set_isa(operation->evidence, kernel.isa, settings);
  operation->evidence.kernel = kernel.name;
  operation->evidence.tile = kernel.tile;
  operation->evidence.flops = 2 * numel(dims) * shape.k;
  operation->evidence.bytes = 4 * (numel(builder.dims(node.inputs[0])) + numel(b_dims) + numel(dims));
  operation->evidence.shape = shape_text(builder.dims(node.inputs[0]), dims);
  operation->is_shared = numel(dims) * shape.k >= kSharedMultiplyAdds;
  builder.add(std::move(operation), node);
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const Attention& attention) {
  const Settings& settings = builder.settings();
  const auto& kernel = kernels::attention_kernel(settings.cap, settings.math, settings.machine);
  const Dims& dims = builder.dims(node.output());
  const Dims& q_dims = builder.dims(node.inputs[0]);
  const Dims& k_dims = builder.dims(node.inputs[1]);
  const Matrices q = rows_of(builder, node.inputs[0], dims);
  const Matrices v = rows_of(builder, node.inputs[2], dims);
  // The kernel wants a key's elements adjacent: the columns of the second factor.
  const Matrices k = matrices_of(builder.column_input(node.inputs[1]), k_dims, dims);
  const Placement out = builder.output(node.output());
  const std::size_t rank = dims.size();

  kernels::AttentionShape shape;
  shape.queries = dims[rank - 2];
  shape.value_depth = dims[rank - 1];
  shape.keys = k_dims.back();
  shape.depth = q_dims.back();
  shape.q_stride = q.rows;
  shape.k_stride = k.columns;
  shape.v_stride = v.rows;
  shape.out_stride = out.strides[rank - 2];
  shape.scale = attention.scale;
  const bool has_mask = node.inputs.size() > 3 && node.inputs[3] != kNoValue;
  Matrices mask;
  if (has_mask) {
    mask = rows_of(builder, node.inputs[3], dims);
    const Dims& mask_dims = builder.dims(node.inputs[3]);
    shape.mask_stride = mask_dims.size() < 2 || mask_dims[mask_dims.size() - 2] == 1 ? 0 : mask.rows;
  } else {
    mask.outer = Dims(rank - 2, std::int64_t{0});
  }
  const std::array<Dims, 5> strides = {Dims(out.strides.span().first(rank - 2)), q.outer, k.outer, v.outer,
                                       mask.outer};
  const LoopNest nest(outer_of(dims), strides, 0);
  auto operation =
      std::make_unique<AttentionOperation>(kernel, shape, nest, q.at.at, k.at.at, v.at.at, out.at);
  operation->has_mask = has_mask;
  operation->mask = mask.at.at;
  const std::int64_t multiply_adds = numel(dims) / std::max<std::int64_t>(shape.value_depth, 1) * shape.keys *
                                     (shape.depth + shape.value_depth);
  set_isa(operation->evidence, kernel.isa, settings);
  operation->evidence.kernel = kernel.name;
  operation->evidence.flops = 2 * multiply_adds;
  operation->evidence.bytes =
      4 * (numel(q_dims) + numel(k_dims) + numel(builder.dims(node.inputs[2])) + numel(dims));
  operation->evidence.shape = shape_text(q_dims, dims);
  operation->is_shared = multiply_adds >= kSharedMultiplyAdds;
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
