// Dynamic quantisation: rows get a scale each when they are there, and products of them are float32 again.
#include <fmt/format.h>

#include <vector>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/convolution_shape.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"
#include "backends/native/quantised_nodes.h"
#include "kernels/qd8_conv2d/qd8_conv2d.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::native {
namespace {

using kernels::Conv2dShape;
using kernels::Qd8Conv2dAlgorithm;
using kernels::Qd8Conv2dParams;
using kernels::Qd8Row;

enum Slot : std::size_t { kImage, kFilter, kBias };
constexpr std::int64_t kSharedElements = 32 * 1024;

// Numbers first, then one Qd8Row per row, which is what the plain nodes expect too.
std::int64_t rows_offset(const Dims& dims) { return (numel(dims) + 15) / 16 * 16; }

std::int64_t row_length(const Value& value) {
  std::int64_t length = 1;
  const std::size_t rank = value.dims.size();
  for (std::size_t i = rank - value.quantisation.nonbatch_dims; i < rank; ++i) length *= value.dims[i];
  return length;
}

class QuantiseRowsOperation final : public Operation {
 public:
  QuantiseRowsOperation(Operand x, Operand out, const Value& output, const kernels::Qs8VectorKernels& kernels)
      : x_(x), out_(out), length_(row_length(output)), rows_(numel(output.dims) / length_),
        offset_(rows_offset(output.dims)), quantise_row_(kernels.quantise_row) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* x = context.at(x_);
    auto* out = context.at<std::int8_t>(out_);
    auto* rows = reinterpret_cast<Qd8Row*>(out + offset_);
    const Range part = share_of(rows_, worker, workers);
    for (std::int64_t row = part.begin; row < part.end; ++row) {
      rows[row] = quantise_row_(x + row * length_, out + row * length_, static_cast<std::size_t>(length_));
    }
  }

 private:
  Operand x_, out_;
  std::int64_t length_, rows_, offset_;
  decltype(kernels::Qs8VectorKernels::quantise_row) quantise_row_;
};

class Qd8Conv2dOperation final : public Operation {
 public:
  Qd8Conv2dOperation(const Qd8Conv2dAlgorithm& algorithm, const Conv2dShape& shape, const Qd8Conv2dParams& params,
                     const kernels::Machine& machine)
      : algorithm_(algorithm), shape_(shape), params_(params), machine_(machine) {
    scratch_bytes = algorithm.scratch_bytes(shape, machine);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    kernels::Qd8Conv2dCall call;
    call.input = context.at<std::int8_t>(image);
    call.rows = reinterpret_cast<const Qd8Row*>(call.input + rows_at);
    call.output = context.at(output);
    call.packed = packed;
    call.scratch = context.scratch;
    algorithm_.run(shape_, params_, machine_, call, worker, workers);
  }

  Operand image, output;
  std::int64_t rows_at = 0;
  const void* packed = nullptr;

 private:
  const Qd8Conv2dAlgorithm& algorithm_;
  Conv2dShape shape_;
  Qd8Conv2dParams params_;
  kernels::Machine machine_;
};

void pack(PlanBuilder& builder, const Node& node, const Qd8Conv& conv, const Conv2dShape& shape,
          const Qd8Conv2dAlgorithm& algorithm, const void** where) {
  const Value& filter = builder.value(node.inputs[kFilter]);
  const Value* bias = node.inputs[kBias] == kNoValue ? nullptr : &builder.value(node.inputs[kBias]);
  auto scales = filter_scales(filter);
  const std::size_t bytes = algorithm.packed_bytes(shape);
  const Bytes scale_bytes = {reinterpret_cast<const std::byte*>(scales.data()), scales.size() * sizeof(float)};
  std::string key =
      fmt::format("{} {} {} s{:016x}", filter.data_name, bias == nullptr ? "" : bias->data_name,
                  packing_key(conv, shape, algorithm.name, bytes), content_hash(scale_bytes));
  const auto* numbers = reinterpret_cast<const std::int8_t*>(filter.constant.data());
  const auto* addends = bias == nullptr ? nullptr : reinterpret_cast<const float*>(bias->constant.data());
  builder.pack(
      std::move(key), bytes,
      [numbers, addends, shape, geometry = static_cast<const ConvGeometry&>(conv), scales = std::move(scales),
       &algorithm](std::byte* packed) {
        std::vector<std::int8_t> storage;
        const kernels::Qd8Conv2dWeights weights{.filter = in_kernel_order(geometry, numbers, shape, storage),
                                                .bias = addends,
                                                .scales = scales.data(),
                                                .scale_is_per_channel = scales.size() > 1};
        algorithm.pack(shape, weights, packed);
      },
      where);
}

void describe(Qd8Conv2dOperation& operation, const Settings& settings, const kernels::Qd8Conv2dChoice& choice,
              const Conv2dShape& shape, const Dims& in, const Dims& out) {
  auto& evidence = operation.evidence;
  set_isas(evidence, choice.algorithm->isa, kernels::best_qd8_isa(settings.cap), joined(choice.refusals));
  evidence.kernel = choice.algorithm->name;
  evidence.tile = choice.algorithm->tile;
  evidence.flops = 2 * shape.multiply_adds();
  evidence.bytes =
      numel(in) + 4 * numel(out) + shape.out_c * shape.kernel_h * shape.kernel_w * (shape.in_c / shape.groups);
  evidence.shape = shape_text(in, out);
  operation.is_shared = shape.multiply_adds() >= 4 * kSharedMultiplyAdds;
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const QuantiseRows&) {
  const auto& kernels = kernels::qs8_vector_kernels(builder.settings().cap);
  const Value& value = builder.value(node.output());
  const Placement in = builder.contiguous_input(node.inputs[0]);
  const Placement out = builder.output(node.output());
  auto operation = std::make_unique<QuantiseRowsOperation>(in.at, out.at, value, kernels);
  auto& evidence = operation->evidence;
  set_isas(evidence, kernels.isa, kernels::best_qs8_isa(builder.settings().cap));
  evidence.kernel = fmt::format("f32_qdu8_vcvt_ukernel__{}", kernels.suffix);
  evidence.bytes = 5 * numel(value.dims);
  evidence.shape = to_string(value.dims);
  operation->is_shared = numel(value.dims) >= kSharedElements;
  builder.add(std::move(operation), node);
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const Qd8Conv& conv) {
  const Settings& settings = builder.settings();
  const Value& image = builder.value(node.inputs[kImage]);
  const Dims& out_dims = builder.dims(node.output());
  Conv2dShape shape = shape_of(conv, image.dims, out_dims);
  const Placement in = builder.contiguous_input(node.inputs[kImage]);
  const Placement out = builder.output(node.output());
  shape.in_pixel_stride = shape.in_c;
  shape.out_pixel_stride = row_stride(out_dims, out.strides).value_or(shape.out_c);
  const Qd8Conv2dParams params{conv.min, conv.max, row_length(image) / shape.in_c};
  const auto choice = kernels::choose_qd8_conv2d(shape, params, settings.cap, settings.machine);
  if (choice.algorithm == nullptr) return unsupported("rows of an image that are quantised apart from each other");
  auto operation = std::make_unique<Qd8Conv2dOperation>(*choice.algorithm, shape, params, settings.machine);
  operation->image = in.at;
  operation->output = out.at;
  operation->rows_at = rows_offset(image.dims);
  pack(builder, node, conv, shape, *choice.algorithm, &operation->packed);
  describe(*operation, settings, choice, shape, image.dims, out_dims);
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
