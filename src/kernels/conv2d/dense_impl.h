// Convolutions with dense channels (fully connected layers among them) in float32, straight from the input: no im2col, no
// padded copy. Include one kernels/simd/<isa>.h first.
#pragma once

#include "kernels/conv2d/dense_run_impl.h"

namespace etalon::kernels {
namespace {

// A pointwise layer has no use for rows and images: it becomes one row of pixels.
Conv2dShape flattened(const Conv2dShape& shape) {
  Conv2dShape s = shape;
  if (!s.is_pointwise() || (s.has_input_scale && s.batch > 1)) return s;
  s.in_w = s.out_w = s.batch * s.out_h * s.out_w;
  s.batch = s.in_h = s.out_h = 1;
  return s;
}

double cycles(const Conv2dShape& s, const Machine& machine) {
  const PanelPlan plan = plan_of(s);
  const auto pixels = static_cast<double>(s.batch * s.out_h * s.out_w), vecs = static_cast<double>(plan.groups * plan.vecs);
  const double fmas = pixels * vecs * static_cast<double>(plan.taps * plan.k) * inside_share(s);
  const double compute = fmas * (kLanes == 1 ? 0.7 : 0.53) + pixels * vecs * 2 + 200;
  const double weights = 4.0 * static_cast<double>(plan.floats());
  const double memory = weights / (weights > static_cast<double>(machine.l2_bytes) ? 20 : 40);
  return compute > memory ? compute + 0.2 * memory : memory + 0.2 * compute;
}

std::size_t packed_bytes(const Conv2dShape& s) {
  return static_cast<std::size_t>(plan_of(s).floats()) * sizeof(float);
}

void pack(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  const PanelPlan plan = plan_of(s);
  const std::int64_t length = plan.taps * plan.k;
  for (std::int64_t group = 0; group < plan.groups; ++group) {
    for (std::int64_t panel = 0; panel < plan.count; ++panel) {
      const std::int64_t width = plan.width(panel) * kLanes;
      const std::int64_t channel = group * plan.channels + plan.first_vec(panel) * kLanes;
      float* out = static_cast<float*>(packed) + plan.offset(group, panel);
      pack_bias(plan, panel, bias == nullptr ? nullptr : bias + channel, out);
      pack_transposed(plan, panel, filter + channel * length, length, length, Vec::of(1.0f), out + width);
    }
  }
}

std::size_t scratch_bytes(const Conv2dShape& s, const Machine&) { return Scratch(s, nullptr).bytes; }

void run(const Conv2dShape& s, const Epilogue& e, const Machine& machine, const Conv2dCall& call, unsigned worker,
         unsigned workers) {
  DenseRun(flattened(s), e, machine, call).work(worker, workers);
}

constexpr Conv2dAlgorithm gemm(std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = Isa::ETALON_ISA, .math = MathMode::kExact, .is_depthwise = false,
          .refusal = refusal_gemm, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
          .scratch_bytes = scratch_bytes, .run = run};
}
constexpr Conv2dAlgorithm igemm(std::string_view name, std::string_view tile) {
  Conv2dAlgorithm out = gemm(name, tile);
  out.refusal = refusal_igemm;
  return out;
}

}  // namespace
}  // namespace etalon::kernels
