// Pooling over windows, and over whole images.
#include <fmt/format.h>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

constexpr std::int64_t kSharedElements = 32 * 1024;

class PoolOperation final : public Operation {
 public:
  PoolOperation(Operand in, Operand out, std::int64_t batch, const kernels::PoolShape& shape,
                decltype(kernels::VectorKernels::max_pool_rows) rows)
      : in_(in), out_(out), batch_(batch), shape_(shape), rows_(rows) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* in = context.at(in_);
    float* out = context.at(out_);
    const std::int64_t in_image = shape_.in_h * shape_.in_w * shape_.channels;
    const std::int64_t out_image = shape_.out_h * shape_.out_w * shape_.channels;
    const Range part = share_of(shape_.out_h, worker, workers);
    if (part.begin == part.end) return;
    for (std::int64_t n = 0; n < batch_; ++n)
      rows_(shape_, in + n * in_image, out + n * out_image, part.begin, part.end);
  }

 private:
  Operand in_, out_;
  std::int64_t batch_;
  kernels::PoolShape shape_;
  decltype(kernels::VectorKernels::max_pool_rows) rows_;
};

class GlobalAverageOperation final : public Operation {
 public:
  GlobalAverageOperation(Operand in, Operand out, const Dims& dims, std::int64_t pixel_stride,
                         const GlobalAverage& params, const kernels::VectorKernels& kernels)
      : in_(in),
        out_(out),
        batch_(dims[0]),
        pixels_(dims[1] * dims[2]),
        channels_(dims[3]),
        pixel_stride_(pixel_stride),
        params_(params),
        kernels_(kernels) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* in = context.at(in_);
    float* out = context.at(out_);
    const Range part = share_of(channels_, worker, workers, 64);
    if (part.begin == part.end) return;
    const float scale = 1.0f / static_cast<float>(pixels_);
    for (std::int64_t n = 0; n < batch_; ++n) {
      kernels_.sum_columns(in + n * pixels_ * pixel_stride_ + part.begin, static_cast<std::size_t>(pixels_),
                           static_cast<std::size_t>(pixel_stride_),
                           static_cast<std::size_t>(part.end - part.begin), scale, params_.min, params_.max,
                           out + n * channels_ + part.begin);
    }
  }

 private:
  Operand in_, out_;
  std::int64_t batch_, pixels_, channels_, pixel_stride_;
  GlobalAverage params_;
  const kernels::VectorKernels& kernels_;
};

void describe(Operation& operation, const Settings& settings, kernels::Isa isa, std::string kernel,
              const Dims& in, const Dims& out) {
  set_isa(operation.evidence, isa, settings);
  operation.evidence.kernel = std::move(kernel);
  operation.evidence.bytes = 4 * (numel(in) + numel(out));
  operation.evidence.shape = shape_text(in, out);
  operation.is_shared = numel(in) >= kSharedElements;
}

}  // namespace

kernels::PoolShape shape_of(const Pool& pool, const Dims& in, const Dims& out) {
  kernels::PoolShape shape;
  shape.in_h = in[1];
  shape.in_w = in[2];
  shape.out_h = out[1];
  shape.out_w = out[2];
  shape.channels = in[3];
  shape.kernel_h = pool.kernel_h;
  shape.kernel_w = pool.kernel_w;
  shape.stride_h = pool.stride_h;
  shape.stride_w = pool.stride_w;
  shape.dilation_h = pool.dilation_h;
  shape.dilation_w = pool.dilation_w;
  shape.pad_top = pool.pad_top;
  shape.pad_left = pool.pad_left;
  shape.min = pool.min;
  shape.max = pool.max;
  return shape;
}

Status lower(PlanBuilder& builder, const Node& node, const Pool& pool) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  const Dims& in = builder.dims(node.inputs[0]);
  const Dims& out = builder.dims(node.output());
  const Placement from = builder.contiguous_input(node.inputs[0]);
  const Placement to = builder.output(node.output());
  const kernels::PoolShape shape = shape_of(pool, in, out);
  const auto rows = pool.is_max ? kernels.max_pool_rows : kernels.average_pool_rows;
  auto operation = std::make_unique<PoolOperation>(from.at, to.at, in[0], shape, rows);
  describe(*operation, builder.settings(), kernels.isa,
           fmt::format("f32_{}pool_minmax_ukernel__{}", pool.is_max ? "max" : "avg", kernels.suffix), in,
           out);
  operation->evidence.flops = numel(out) * pool.kernel_h * pool.kernel_w;
  builder.add(std::move(operation), node);
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const GlobalAverage& average) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  const Dims& in = builder.dims(node.inputs[0]);
  std::int64_t pixel_stride = 0;
  const Placement from = builder.row_input(node.inputs[0], pixel_stride);
  const Placement to = builder.output(node.output());
  auto operation =
      std::make_unique<GlobalAverageOperation>(from.at, to.at, in, pixel_stride, average, kernels);
  describe(*operation, builder.settings(), kernels.isa,
           fmt::format("f32_rdsum_minmax_ukernel__{}", kernels.suffix), in, builder.dims(node.output()));
  operation->evidence.flops = numel(in);
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
