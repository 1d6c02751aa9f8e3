// int8 pooling over windows, and over whole images.
#include <fmt/format.h>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"
#include "kernels/qs8_vector/qs8_vector.h"

namespace etalon::native {
namespace {

constexpr std::int64_t kSharedElements = 128 * 1024;

class Qs8MaxPoolOperation final : public Operation {
 public:
  Qs8MaxPoolOperation(Operand in, Operand out, std::int64_t batch, const kernels::PoolShape& shape,
                      StoredLimits limits, const kernels::Qs8VectorKernels& kernels)
      : in_(in), out_(out), batch_(batch), shape_(shape), limits_(limits), rows_(kernels.max_pool_rows) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const auto* in = context.at<const std::int8_t>(in_);
    auto* out = context.at<std::int8_t>(out_);
    const Range part = share_of(shape_.out_h, worker, workers);
    if (part.begin == part.end) return;
    for (std::int64_t n = 0; n < batch_; ++n) {
      rows_(shape_, in + n * shape_.in_h * shape_.in_w * shape_.channels,
            out + n * shape_.out_h * shape_.out_w * shape_.channels, part.begin, part.end,
            static_cast<std::int8_t>(limits_.min), static_cast<std::int8_t>(limits_.max));
    }
  }

 private:
  Operand in_, out_;
  std::int64_t batch_;
  kernels::PoolShape shape_;
  StoredLimits limits_;
  decltype(kernels::Qs8VectorKernels::max_pool_rows) rows_;
};

class Qs8GlobalAverageOperation final : public Operation {
 public:
  Qs8GlobalAverageOperation(Operand in, Operand out, const Dims& dims, std::int64_t pixel_stride,
                            const kernels::Qs8Mean& params, const kernels::Qs8VectorKernels& kernels)
      : in_(in), out_(out), batch_(dims[0]), pixels_(dims[1] * dims[2]), channels_(dims[3]),
        pixel_stride_(pixel_stride), params_(params), mean_(kernels.mean_columns) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const auto* in = context.at<const std::int8_t>(in_);
    auto* out = context.at<std::int8_t>(out_);
    const Range part = share_of(channels_, worker, workers, 64);
    if (part.begin == part.end) return;
    for (std::int64_t n = 0; n < batch_; ++n) {
      mean_(in + n * pixels_ * pixel_stride_ + part.begin, static_cast<std::size_t>(pixels_),
            static_cast<std::size_t>(pixel_stride_), static_cast<std::size_t>(part.end - part.begin), params_,
            out + n * channels_ + part.begin);
    }
  }

 private:
  Operand in_, out_;
  std::int64_t batch_, pixels_, channels_, pixel_stride_;
  kernels::Qs8Mean params_;
  decltype(kernels::Qs8VectorKernels::mean_columns) mean_;
};

void describe(Operation& operation, const Settings& settings, const kernels::Qs8VectorKernels& kernels,
              std::string_view kernel, const Dims& in, const Dims& out) {
  set_isas(operation.evidence, kernels.isa, kernels::best_qs8_isa(settings.cap));
  operation.evidence.kernel = fmt::format("{}_ukernel__{}", kernel, kernels.suffix);
  operation.evidence.bytes = numel(in) + numel(out);
  operation.evidence.shape = shape_text(in, out);
  operation.is_shared = numel(in) >= kSharedElements;
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Qs8MaxPool& pool) {
  const auto& kernels = kernels::qs8_vector_kernels(builder.settings().cap);
  const Dims& in = builder.dims(node.inputs[0]);
  const Dims& out = builder.dims(node.output());
  const Placement from = builder.contiguous_input(node.inputs[0]);
  const Placement to = builder.output(node.output());
  auto operation = std::make_unique<Qs8MaxPoolOperation>(from.at, to.at, in[0], shape_of(pool.window, in, out),
                                                         pool.limits, kernels);
  describe(*operation, builder.settings(), kernels, "s8_maxpool_minmax", in, out);
  operation->evidence.flops = numel(out) * pool.window.kernel_h * pool.window.kernel_w;
  builder.add(std::move(operation), node);
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const Qs8GlobalAverage& average) {
  const auto& kernels = kernels::qs8_vector_kernels(builder.settings().cap);
  const Value& input = builder.value(node.inputs[0]);
  const Value& output = builder.value(node.output());
  std::int64_t pixel_stride = 0;
  const Placement from = builder.row_input(node.inputs[0], pixel_stride);
  const Placement to = builder.output(node.output());
  const auto pixels = static_cast<float>(input.dims[1] * input.dims[2]);
  const kernels::Qs8Mean params{.input_zero = input.quantisation.zero_point,
                                .scale = input.quantisation.scale / output.quantisation.scale / pixels,
                                .zero_point = output.quantisation.zero_point,
                                .min = average.limits.min,
                                .max = average.limits.max};
  auto operation =
      std::make_unique<Qs8GlobalAverageOperation>(from.at, to.at, input.dims, pixel_stride, params, kernels);
  describe(*operation, builder.settings(), kernels, "qs8_rdsum_minmax_fp32", input.dims, output.dims);
  operation->evidence.flops = numel(input.dims);
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
