// Products of two tensors that are both computed, and attention.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/native/operations/convolution_shape.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/operations/matrices.h"
#include "kernels/batch_matmul/batch_matmul.h"

namespace etalon::native {
namespace {

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
  set_product_isa(operation->evidence, kernel.isa, kernel.math, settings);
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
  const AttentionPlaces places = place_attention(builder, node, attention.scale);
  const kernels::AttentionShape& shape = places.shape;
  auto operation =
      std::make_unique<AttentionOperation>(kernel, shape, places.nest, places.q, places.k, places.v, places.out);
  operation->has_mask = places.has_mask;
  operation->mask = places.mask;
  set_product_isa(operation->evidence, kernel.isa, kernel.math, settings);
  operation->evidence.kernel = kernel.name;
  operation->evidence.flops = 2 * places.multiply_adds;
  operation->evidence.bytes = 4 * places.elements;
  operation->evidence.shape = shape_text(builder.dims(node.inputs[0]), builder.dims(node.output()));
  operation->is_shared = places.multiply_adds >= kSharedMultiplyAdds;
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
