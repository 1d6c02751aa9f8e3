// softmax(scale * Q x K^T [+ mask]) x V of int8 tensors with an int8 result: kernels/attention for what quantised
// programs dequantise before and quantise again after it.
//
// Scores are sums of products of (stored - zero point), exact in 32 bits, and float32 from there on; weights of the second
// product keep at least 16 bits. A result may differ by one step from that of float32 attention between conversions,
// where it lies next to a half; nowhere by more. A query whose scores are NaN for a key, or infinite for the best, gives
// -128 as the conversion of NaN does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/attention/attention.h"

namespace etalon::kernels {

// How stored numbers count: real = scale * (stored - zero point).
struct Qs8AttentionParams {
  std::int32_t q_zero = 0, k_zero = 0, v_zero = 0;
  float qk_scale = 1;          // of Q times that of K; the shape's own scale comes on top
  float v_scale = 1;
  float inverse_out_scale = 1;
  std::int32_t out_zero = 0;   // stored = round half to even(clamp(real * inverse scale, ..)) + zero point
};

struct Qs8AttentionKernel {
  std::string_view name;  // "qs8_attention_ukernel_..__avx512vnni"
  Isa isa;
  std::size_t (*scratch_bytes)(const AttentionShape&);  // per worker, 64-byte aligned
  // Queries [begin, end) of one head. The shape's strides count elements, which are bytes here; elements of a token are
  // dense. `mask` is float32, may be null. `out` must not overlap the inputs. Thread-safe, allocates nothing.
  void (*run)(const AttentionShape&, const Qs8AttentionParams&, const std::int8_t* q, const std::int8_t* k,
              const std::int8_t* v, const float* mask, std::int8_t* out, std::int64_t begin, std::int64_t end,
              std::byte* scratch);
};

// The best one within `cap`; never missing: without dot products of bytes it converts and calls kernels/attention.
const Qs8AttentionKernel& qs8_attention_kernel(Isa cap);

}  // namespace etalon::kernels
