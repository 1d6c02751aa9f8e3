// Convolutions and fully connected layers: the algorithm is chosen by kernels/conv2d, everything around it is
// fused.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "backends/native/operations/convolution_shape.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

using kernels::Conv2dAlgorithm;
using kernels::Conv2dShape;

enum Slot : std::size_t { kImage, kFilter, kBias, kResidual, kScale };

class Conv2dOperation final : public Operation {
 public:
  Conv2dOperation(const Conv2dAlgorithm& algorithm, const Conv2dShape& shape,
                  const kernels::Epilogue& epilogue, const kernels::Machine& machine)
      : algorithm_(algorithm), shape_(shape), epilogue_(epilogue), machine_(machine) {
    scratch_bytes = algorithm.scratch_bytes(shape, machine);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    kernels::Conv2dCall call;
    call.input = context.at(image);
    call.output = context.at(output);
    call.packed = packed;
    if (has_residual) {
      call.residual = context.at(residual);
      call.residual_pixel_stride = residual_pixel_stride;
    }
    if (shape_.has_input_scale) call.input_scale = context.at(scale);
    call.scratch = context.scratch;
    algorithm_.run(shape_, epilogue_, machine_, call, worker, workers);
  }

  Operand image, output, residual, scale;
  bool has_residual = false;
  std::int64_t residual_pixel_stride = 0;
  const void* packed = nullptr;

 private:
  const Conv2dAlgorithm& algorithm_;
  Conv2dShape shape_;
  kernels::Epilogue epilogue_;
  kernels::Machine machine_;
};

// Of a float that is brought from planes to pixels, at least.
constexpr double kTransposeCycles = 0.5;

bool is_winograd(const Conv2dAlgorithm& algorithm) {
  return algorithm.name.find("winograd") != std::string_view::npos;
}

// The best one that is not Winograd's, whose errors are larger than those of direct summation.
kernels::Conv2dChoice choose_direct(const Conv2dShape& shape, const kernels::Epilogue& epilogue,
                                    const Settings& settings) {
  kernels::Conv2dChoice choice;
  for (const Conv2dAlgorithm* algorithm : kernels::conv2d_algorithms()) {
    if (is_winograd(*algorithm) || algorithm->is_depthwise != shape.is_depthwise()) continue;
    if (!kernels::allows(settings.math, algorithm->math)) continue;
    if (!kernels::is_within(algorithm->isa, settings.cap) || algorithm->refusal(shape, epilogue) != nullptr)
      continue;
    const auto cycles = [&](const Conv2dAlgorithm& a) { return a.cycles(shape, settings.machine); };
    if (choice.algorithm == nullptr || cycles(*algorithm) < cycles(*choice.algorithm))
      choice.algorithm = algorithm;
  }
  choice.refusals.emplace_back("Winograd is switched off");
  return choice;
}

kernels::Conv2dChoice choose(const Conv2dShape& shape, const kernels::Epilogue& epilogue,
                             const Settings& settings) {
  auto choice = kernels::choose_conv2d(shape, epilogue, settings.cap, settings.math, settings.machine);
  if (settings.winograd || !is_winograd(*choice.algorithm)) return choice;
  return choose_direct(shape, epilogue, settings);
}

class ConvLowering {
 public:
  ConvLowering(PlanBuilder& builder, const Node& node, const Conv& conv)
      : builder_(builder),
        node_(node),
        conv_(conv),
        shape_(shape_of(conv, builder.dims(node.inputs[kImage]), builder.dims(node.output()))) {}

  Status run() {
    const Settings& settings = builder_.settings();
    shape_.has_input_scale = has(kScale);
    const Placement image = place_image();
    const Placement output = builder_.output(node_.output());
    shape_.out_pixel_stride =
        row_stride(builder_.dims(node_.output()), output.strides).value_or(shape_.out_c);
    const auto choice = choose(shape_, conv_.epilogue, settings);
    auto operation =
        std::make_unique<Conv2dOperation>(*choice.algorithm, shape_, conv_.epilogue, settings.machine);
    operation->image = image.at;
    operation->output = output.at;
    if (has(kScale)) operation->scale = builder_.contiguous_input(node_.inputs[kScale]).at;
    if (has(kResidual)) place_residual(*operation, output);
    pack(*choice.algorithm, &operation->packed);
    describe(*operation, choice);
    builder_.add(std::move(operation), node_);
    return {};
  }

 private:
  bool has(Slot slot) const { return node_.inputs[slot] != kNoValue; }

  // A model's NCHW input is read as it is, if the algorithm that reads it so is not worse.
  Placement place_image() {
    const ValueId id = node_.inputs[kImage];
    const Placement as_is = builder_.input(id);
    shape_.in_pixel_stride = shape_.in_c;
    if (!conv_.is_linear && !has(kScale) && is_planes(builder_.dims(id), as_is.strides) &&
        !row_stride(builder_.dims(id), as_is.strides)) {
      shape_.input_is_nchw = true;
      if (reads_planes()) return as_is;
      shape_.input_is_nchw = false;
    }
    return builder_.row_input(id, shape_.in_pixel_stride);
  }

  bool reads_planes() const {
    const Settings& settings = builder_.settings();
    const auto planes = choose(shape_, conv_.epilogue, settings);
    Conv2dShape rows = shape_;
    rows.input_is_nchw = false;
    const auto pixels = choose(rows, conv_.epilogue, settings);
    const auto inputs = static_cast<double>(shape_.batch * shape_.in_h * shape_.in_w * shape_.in_c);
    return planes.algorithm->cycles(shape_, settings.machine) <=
           pixels.algorithm->cycles(rows, settings.machine) + inputs * kTransposeCycles;
  }

  void place_residual(Conv2dOperation& operation, const Placement& output) {
    const Placement residual = builder_.row_input(node_.inputs[kResidual], operation.residual_pixel_stride);
    operation.has_residual = true;
    operation.residual = residual.at;
    if (operation.residual_pixel_stride == shape_.out_pixel_stride) builder_.allow_in_place(output, residual);
  }

  void pack(const Conv2dAlgorithm& algorithm, const void** where) {
    const auto floats = [&](ValueId id) {
      return id == kNoValue ? nullptr : reinterpret_cast<const float*>(builder_.value(id).constant.data());
    };
    const float* filter = floats(node_.inputs[kFilter]);
    const float* bias = floats(node_.inputs[kBias]);
    const Conv2dShape shape = shape_;
    const ConvGeometry& geometry = conv_;
    const auto name = [&](ValueId id) {
      return id == kNoValue ? std::string() : builder_.value(id).data_name;
    };
    const std::size_t bytes = algorithm.packed_bytes(shape);
    builder_.pack(
        fmt::format("{} {} {}", name(node_.inputs[kFilter]), name(node_.inputs[kBias]),
                    packing_key(geometry, shape, algorithm.name, bytes)),
        bytes,
        [filter, bias, shape, geometry, &algorithm](std::byte* packed) {
          std::vector<float> storage;
          algorithm.pack(shape, in_kernel_order(geometry, filter, shape, storage), bias, packed);
        },
        where);
  }

  void describe(Conv2dOperation& operation, const kernels::Conv2dChoice& choice) const {
    const Dims& in = builder_.dims(node_.inputs[kImage]);
    const Dims& out = builder_.dims(node_.output());
    auto& evidence = operation.evidence;
    const Conv2dAlgorithm& algorithm = *choice.algorithm;
    set_product_isa(evidence, algorithm.isa, algorithm.math, builder_.settings(), joined(choice.refusals));
    evidence.kernel = choice.algorithm->name;
    evidence.tile = choice.algorithm->tile;
    evidence.flops = 2 * shape_.multiply_adds();
    const std::int64_t weights =
        shape_.out_c * shape_.kernel_h * shape_.kernel_w * (shape_.in_c / shape_.groups);
    evidence.bytes = 4 * (numel(in) + numel(out) * (has(kResidual) ? 2 : 1) + weights);
    evidence.shape = shape_text(in, out);
    operation.is_shared = shape_.multiply_adds() >= kSharedMultiplyAdds;
  }

  PlanBuilder& builder_;
  const Node& node_;
  const Conv& conv_;
  Conv2dShape shape_;
};

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Conv& conv) {
  return ConvLowering(builder, node, conv).run();
}

}  // namespace etalon::native
