// Attention of int8 tensors with an int8 result.
#include "backends/native/operations/convolution_shape.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/operations/matrices.h"
#include "kernels/qs8_attention/qs8_attention.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::native {
namespace {

class Qs8AttentionOperation final : public Operation {
 public:
  Qs8AttentionOperation(const kernels::Qs8AttentionKernel& kernel, const kernels::Qs8AttentionParams& params,
                        const AttentionPlaces& places)
      : kernel_(kernel), params_(params), places_(places) {
    scratch_bytes = kernel.scratch_bytes(places.shape);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const auto* q = context.at<const std::int8_t>(places_.q);
    const auto* k = context.at<const std::int8_t>(places_.k);
    const auto* v = context.at<const std::int8_t>(places_.v);
    const float* mask = places_.has_mask ? context.at<const float>(places_.mask) : nullptr;
    auto* out = context.at<std::int8_t>(places_.out);
    for_each_part(places_.nest, places_.shape.queries, worker, workers,
                  [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t end) {
                    kernel_.run(places_.shape, params_, q + at[1], k + at[2], v + at[3],
                                mask == nullptr ? nullptr : mask + at[4], out + at[0], begin, end, context.scratch);
                  });
  }

 private:
  const kernels::Qs8AttentionKernel& kernel_;
  kernels::Qs8AttentionParams params_;
  AttentionPlaces places_;
};

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Qs8Attention& attention) {
  const Settings& settings = builder.settings();
  const auto& kernel = kernels::qs8_attention_kernel(settings.cap);
  const auto quantisation = [&](ValueId id) { return builder.value(id).quantisation; };
  const auto q = quantisation(node.inputs[0]), k = quantisation(node.inputs[1]), v = quantisation(node.inputs[2]);
  const auto out = quantisation(node.output());
  const kernels::Qs8AttentionParams params{.q_zero = q.zero_point,
                                           .k_zero = k.zero_point,
                                           .v_zero = v.zero_point,
                                           .qk_scale = q.scale * k.scale,
                                           .v_scale = v.scale,
                                           .inverse_out_scale = 1 / out.scale,
                                           .out_zero = out.zero_point};
  const AttentionPlaces places = place_attention(builder, node, attention.scale);
  auto operation = std::make_unique<Qs8AttentionOperation>(kernel, params, places);
  set_isas(operation->evidence, kernel.isa, kernels::best_qs8_isa(settings.cap));
  operation->evidence.kernel = kernel.name;
  operation->evidence.flops = 2 * places.multiply_adds;
  operation->evidence.bytes = places.elements;
  operation->evidence.shape = shape_text(builder.dims(node.inputs[0]), builder.dims(node.output()));
  operation->is_shared = places.multiply_adds >= 4 * kSharedMultiplyAdds;
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
