// int8 attention by float32 attention: stored numbers less their zero points are small integers, which
// float32 holds and multiplies exactly, and scales go where the float kernel scales anyway. Nothing here
// depends on an ISA but the tables it calls, so this file is compiled for none.
#include <algorithm>
#include <utility>

#include "kernels/qs8_attention/qs8_attention.h"
#include "kernels/qs8_vector/qs8_vector.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kBlockRows = 224;  // queries at a time: whole blocks of every float kernel's

// Where things are in the scratch; floats. What the float kernel needs for itself comes last.
struct ConvertingPlan {
  AttentionShape block;  // the float kernel's: tokens follow each other without gaps
  std::int64_t values, queries, results, end;

  explicit ConvertingPlan(const AttentionShape& s) : block(s) {
    block.queries = std::min(s.queries, kBlockRows);
    block.q_stride = block.k_stride = s.depth;
    block.v_stride = block.out_stride = s.value_depth;
    values = line(s.keys * s.depth);
    queries = values + line(s.keys * s.value_depth);
    results = queries + line(block.queries * s.depth);
    end = results + line(block.queries * s.value_depth);
  }

 private:
  static std::int64_t line(std::int64_t floats) { return (floats + 15) / 16 * 16; }
};

using Dequantise = void (*)(const std::int8_t*, float*, std::size_t, float, std::int32_t);

void subtract_zero_point(Dequantise dequantise, const std::int8_t* from, std::int64_t rows,
                         std::int64_t columns, std::int64_t stride, std::int32_t zero_point, float* to) {
  if (stride == columns) columns *= std::exchange(rows, 1);
  for (std::int64_t row = 0; row < rows; ++row) {
    dequantise(from + row * stride, to + row * columns, static_cast<std::size_t>(columns), 1.0f, zero_point);
  }
}

template <Isa kIsa>
std::size_t scratch_bytes(const AttentionShape& s) {
  const ConvertingPlan plan(s);
  return static_cast<std::size_t>(plan.end) * sizeof(float) +
         attention_kernel(kIsa).scratch_bytes(plan.block);
}

template <Isa kIsa>
void run(const AttentionShape& s, const Qs8AttentionParams& p, const std::int8_t* q, const std::int8_t* k,
         const std::int8_t* v, const float* mask, std::int8_t* out, std::int64_t begin, std::int64_t end,
         std::byte* scratch) {
  const AttentionKernel& attention = attention_kernel(kIsa);
  const Qs8VectorKernels& bytes = qs8_vector_kernels(kIsa);
  ConvertingPlan plan(s);
  plan.block.scale = s.scale * p.qk_scale;
  float* const floats = reinterpret_cast<float*>(scratch);
  float* const queries = floats + plan.queries;
  float* const results = floats + plan.results;
  subtract_zero_point(bytes.dequantise, k, s.keys, s.depth, s.k_stride, p.k_zero, floats);
  subtract_zero_point(bytes.dequantise, v, s.keys, s.value_depth, s.v_stride, p.v_zero, floats + plan.values);
  for (std::int64_t first = begin; first < end; first += kBlockRows) {
    const std::int64_t rows = std::min(kBlockRows, end - first);
    subtract_zero_point(bytes.dequantise, q + first * s.q_stride, rows, s.depth, s.q_stride, p.q_zero,
                        queries);
    attention.run(plan.block, queries, floats, floats + plan.values,
                  mask == nullptr ? nullptr : mask + first * s.mask_stride, results, 0, rows, first != begin,
                  reinterpret_cast<std::byte*>(floats + plan.end));
    for (std::int64_t row = 0; row < rows; ++row) {
      bytes.quantise(results + row * s.value_depth, out + (first + row) * s.out_stride,
                     static_cast<std::size_t>(s.value_depth), p.v_scale * p.inverse_out_scale, p.out_zero);
    }
  }
}

template <Isa kIsa>
constexpr Qs8AttentionKernel converting(std::string_view name) {
  return {.name = name, .isa = kIsa, .scratch_bytes = scratch_bytes<kIsa>, .run = run<kIsa>};
}

}  // namespace

// Named after the tiles of the float kernels.
extern constinit const Qs8AttentionKernel kQs8AttentionScalar =
    converting<Isa::kScalar>("qs8_attention_f32_ukernel_6x2__scalar");
#if defined(__x86_64__)
extern constinit const Qs8AttentionKernel kQs8AttentionAvx2 =
    converting<Isa::kAvx2>("qs8_attention_f32_ukernel_6x16__fma3");
extern constinit const Qs8AttentionKernel kQs8AttentionAvx512 =
    converting<Isa::kAvx512>("qs8_attention_f32_ukernel_14x32__avx512f");
#endif
#if defined(__aarch64__)
extern constinit const Qs8AttentionKernel kQs8AttentionNeon =
    converting<Isa::kNeon>("qs8_attention_f32_ukernel_14x8__neon");
#endif

}  // namespace etalon::kernels
