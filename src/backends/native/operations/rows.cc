// Softmax and layer normalisation: every row of the last dim by itself.
#include <fmt/format.h>

#include <array>

#include "backends/native/loop_nest.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

constexpr std::int64_t kSharedElements = 16 * 1024;

// Rows of input and output, each row dense.
struct RowPlaces {
  Placement in, out;
  LoopNest nest;
};

RowPlaces place_rows(PlanBuilder& builder, const Node& node) {
  const Dims& dims = builder.dims(node.output());
  RowPlaces places{builder.input(node.inputs[0]), builder.output(node.output()), {}};
  if (dims.back() != 1 && places.in.strides.back() != 1) places.in = builder.contiguous_input(node.inputs[0]);
  const std::array<Dims, 2> strides = {places.out.strides, places.in.strides};
  places.nest = LoopNest(dims, strides, 1);
  if (places.nest.moves_alike(1)) builder.allow_in_place(places.out, places.in);
  return places;
}

class SoftmaxOperation final : public Operation {
 public:
  SoftmaxOperation(const RowPlaces& places, float scale, const kernels::VectorKernels& kernels)
      : in_(places.in.at), out_(places.out.at), nest_(places.nest), scale_(scale), kernels_(kernels) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* in = context.at(in_);
    float* out = context.at(out_);
    const Range part = share_of(nest_.rounds(1), worker, workers);
    nest_.for_each(1, part.begin, part.end, [&](const LoopNest::Offsets& at) {
      kernels_.softmax_row(in + at[1], out + at[0], static_cast<std::size_t>(nest_.inner_size()), scale_);
    });
  }

 private:
  Operand in_, out_;
  LoopNest nest_;
  float scale_;
  const kernels::VectorKernels& kernels_;
};

class LayerNormOperation final : public Operation {
 public:
  LayerNormOperation(const RowPlaces& places, float epsilon, const kernels::VectorKernels& kernels)
      : in_(places.in.at), out_(places.out.at), nest_(places.nest), epsilon_(epsilon), kernels_(kernels) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const float* in = context.at(in_);
    const float* scale = has_gamma ? context.at(gamma) : nullptr;
    const float* offset = has_beta ? context.at(beta) : nullptr;
    float* out = context.at(out_);
    const Range part = share_of(nest_.rounds(1), worker, workers);
    nest_.for_each(1, part.begin, part.end, [&](const LoopNest::Offsets& at) {
      kernels_.layer_norm_row(in + at[1], scale, offset, out + at[0],
                              static_cast<std::size_t>(nest_.inner_size()), epsilon_, nullptr, nullptr);
    });
  }

  Operand gamma, beta;
  bool has_gamma = false, has_beta = false;

 private:
  Operand in_, out_;
  LoopNest nest_;
  float epsilon_;
  const kernels::VectorKernels& kernels_;
};

void finish(PlanBuilder& builder, const Node& node, std::unique_ptr<Operation> operation,
            const kernels::VectorKernels& kernels, std::string_view kind, std::int64_t flops_per_element) {
  const Dims& dims = builder.dims(node.output());
  set_isa(operation->evidence, kernels.isa, builder.settings());
  operation->evidence.kernel = fmt::format("f32_{}_ukernel__{}", kind, kernels.suffix);
  operation->evidence.flops = flops_per_element * numel(dims);
  operation->evidence.bytes = 8 * numel(dims);
  operation->evidence.shape = shape_text(dims, dims);
  operation->is_shared = numel(dims) >= kSharedElements;
  builder.add(std::move(operation), node);
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Softmax& softmax) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  finish(builder, node, std::make_unique<SoftmaxOperation>(place_rows(builder, node), softmax.scale, kernels),
         kernels, "softmax", 5);
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const LayerNorm& norm) {
  const auto& kernels = kernels::vector_kernels(builder.settings().cap);
  auto operation = std::make_unique<LayerNormOperation>(place_rows(builder, node), norm.epsilon, kernels);
  operation->has_gamma = node.inputs[1] != kNoValue;
  operation->has_beta = node.inputs[2] != kNoValue;
  if (operation->has_gamma) operation->gamma = builder.contiguous_input(node.inputs[1]).at;
  if (operation->has_beta) operation->beta = builder.contiguous_input(node.inputs[2]).at;
  finish(builder, node, std::move(operation), kernels, "layer_norm", 8);
  return {};
}

}  // namespace etalon::native
