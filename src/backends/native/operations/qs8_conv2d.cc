// int8 convolutions and fully connected layers: the algorithm is chosen by kernels/qs8_conv2d.
#include <fmt/format.h>

#include <vector>

#include "backends/native/operations/convolution_shape.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"
#include "backends/native/quantised_nodes.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::native {
namespace {

using kernels::Conv2dShape;
using kernels::Qs8Conv2dAlgorithm;
using kernels::Qs8Conv2dParams;

enum Slot : std::size_t { kImage, kFilter, kBias };

class Qs8Conv2dOperation final : public Operation {
 public:
  Qs8Conv2dOperation(const Qs8Conv2dAlgorithm& algorithm, const Conv2dShape& shape, const Qs8Conv& conv,
                     const Qs8Conv2dParams& params, const kernels::Machine& machine)
      : algorithm_(algorithm), shape_(shape), params_(params), table_(conv.table), machine_(machine) {
    if (table_) params_.table = table_->data();
    scratch_bytes = algorithm.scratch_bytes(shape, machine);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    kernels::Qs8Conv2dCall call;
    call.input = context.at<std::int8_t>(image);
    call.output = context.at<std::int8_t>(output);
    call.packed = packed;
    call.scratch = context.scratch;
    algorithm_.run(shape_, params_, machine_, call, worker, workers);
  }

  Operand image, output;
  const void* packed = nullptr;

 private:
  const Qs8Conv2dAlgorithm& algorithm_;
  Conv2dShape shape_;
  Qs8Conv2dParams params_;
  std::optional<ByteTable> table_;
  kernels::Machine machine_;
};

class Qs8ConvLowering {
 public:
  Qs8ConvLowering(PlanBuilder& builder, const Node& node, const Qs8Conv& conv)
      : builder_(builder),
        node_(node),
        conv_(conv),
        image_(builder.value(node.inputs[kImage])),
        output_(builder.value(node.output())),
        shape_(shape_of(conv, image_.dims, output_.dims)) {}

  Status run() {
    const Settings& settings = builder_.settings();
    const Qs8Conv2dParams params{.input_zero_point = image_.quantisation.zero_point,
                                 .output_zero_point = conv_.zero_point,
                                 .min = conv_.limits.min,
                                 .max = conv_.limits.max,
                                 .table = conv_.table ? conv_.table->data() : nullptr};
    const Placement image = place_image(params);
    const Placement output = builder_.output(node_.output());
    shape_.out_pixel_stride = row_stride(output_.dims, output.strides).value_or(shape_.out_c);
    const auto choice = kernels::choose_qs8_conv2d(shape_, params, settings.cap, settings.machine);
    auto operation =
        std::make_unique<Qs8Conv2dOperation>(*choice.algorithm, shape_, conv_, params, settings.machine);
    operation->image = image.at;
    operation->output = output.at;
    pack(*choice.algorithm, params, &operation->packed);
    describe(*operation, choice);
    builder_.add(std::move(operation), node_);
    return {};
  }

 private:
  // A model's NCHW input is read as it is, if something can that is as fast as what reads pixels.
  Placement place_image(const Qs8Conv2dParams& params) {
    const ValueId id = node_.inputs[kImage];
    const Placement as_is = builder_.input(id);
    shape_.in_pixel_stride = shape_.in_c;
    if (!conv_.is_linear && is_planes(image_.dims, as_is.strides) && !row_stride(image_.dims, as_is.strides)) {
      shape_.input_is_nchw = true;
      if (reads_planes(params)) return as_is;
      shape_.input_is_nchw = false;
    }
    return builder_.row_input(id, shape_.in_pixel_stride);
  }

  bool reads_planes(const Qs8Conv2dParams& params) const {
    const Settings& settings = builder_.settings();
    const auto* planes = kernels::choose_qs8_conv2d(shape_, params, settings.cap, settings.machine).algorithm;
    if (planes == nullptr) return false;
    Conv2dShape rows = shape_;
    rows.input_is_nchw = false;
    const auto* pixels = kernels::choose_qs8_conv2d(rows, params, settings.cap, settings.machine).algorithm;
    return planes->cycles(shape_, settings.machine) <= 1.2 * pixels->cycles(rows, settings.machine);
  }

  void pack(const Qs8Conv2dAlgorithm& algorithm, Qs8Conv2dParams params, const void** where) {
    const Value& filter = builder_.value(node_.inputs[kFilter]);
    const Value* bias = node_.inputs[kBias] == kNoValue ? nullptr : &builder_.value(node_.inputs[kBias]);
    auto scales = *requantising_scales(image_, filter, conv_.scale);
    const std::size_t bytes = algorithm.packed_bytes(shape_);
    const Bytes scale_bytes = {reinterpret_cast<const std::byte*>(scales.data()), scales.size() * sizeof(float)};
    std::string key = fmt::format("{} {} {} z{} s{:016x}", filter.data_name, bias == nullptr ? "" : bias->data_name,
                                  packing_key(conv_, shape_, algorithm.name, bytes), params.input_zero_point,
                                  content_hash(scale_bytes));
    params.table = nullptr;  // packing does not look at it, and it may be gone by then
    const auto* numbers = reinterpret_cast<const std::int8_t*>(filter.constant.data());
    const auto* sums = bias == nullptr ? nullptr : reinterpret_cast<const std::int32_t*>(bias->constant.data());
    builder_.pack(
        std::move(key), bytes,
        [numbers, sums, shape = shape_, geometry = static_cast<const ConvGeometry&>(conv_), params,
         scales = std::move(scales), &algorithm](std::byte* packed) {
          std::vector<std::int8_t> storage;
          const kernels::Qs8Conv2dWeights weights{.filter = in_kernel_order(geometry, numbers, shape, storage),
                                                  .bias = sums,
                                                  .scales = scales.data(),
                                                  .scale_is_per_channel = scales.size() > 1};
          algorithm.pack(shape, params, weights, packed);
        },
        where);
  }

  void describe(Qs8Conv2dOperation& operation, const kernels::Qs8Conv2dChoice& choice) const {
    const Settings& settings = builder_.settings();
    auto& evidence = operation.evidence;
    set_isas(evidence, choice.algorithm->isa, kernels::best_qs8_isa(settings.cap), joined(choice.refusals));
    evidence.kernel = choice.algorithm->name;
    evidence.tile = choice.algorithm->tile;
    evidence.flops = 2 * shape_.multiply_adds();
    const std::int64_t weights = shape_.out_c * shape_.kernel_h * shape_.kernel_w * (shape_.in_c / shape_.groups);
    evidence.bytes = numel(image_.dims) + numel(output_.dims) + weights;
    evidence.shape = shape_text(image_.dims, output_.dims);
    operation.is_shared = shape_.multiply_adds() >= 4 * kSharedMultiplyAdds;
  }

  PlanBuilder& builder_;
  const Node& node_;
  const Qs8Conv& conv_;
  const Value& image_;
  const Value& output_;
  Conv2dShape shape_;
};

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Qs8Conv& conv) {
  return Qs8ConvLowering(builder, node, conv).run();
}

}  // namespace etalon::native
