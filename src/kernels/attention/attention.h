// softmax(scale * Q x K^T [+ mask]) x V without storing the scores: rows of Q are taken in blocks, K and V are packed
// once per head, and the softmax is computed block by block with a running maximum (Dao et al., FlashAttention, 2022).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/isa.h"
#include "kernels/machine.h"
#include "kernels/math_mode.h"

namespace etalon::kernels {

// One head. Strides in floats between tokens; the elements of a token are dense.
struct AttentionShape {
  std::int64_t queries = 0, keys = 0, depth = 0, value_depth = 0;
  std::int64_t q_stride = 0, k_stride = 0, v_stride = 0, out_stride = 0;
  std::int64_t mask_stride = 0;  // between queries; 0 with a mask: one row for all
  float scale = 1;
};

struct AttentionKernel {
  std::string_view name;  // "f32_attention_ukernel_..__avx512f"
  Isa isa;
  MathMode math;  // the loosest mode it needs
  std::size_t (*scratch_bytes)(const AttentionShape&);  // per worker, 64-byte aligned
  // Queries [begin, end) of one head; `mask` is added to the scaled scores, may be null. `kv_is_packed`: the scratch
  // holds this head's K and V already (same worker, same head). `out` must not overlap the inputs.
  void (*run)(const AttentionShape&, const float* q, const float* k, const float* v, const float* mask, float* out,
              std::int64_t begin, std::int64_t end, bool kv_is_packed, std::byte* scratch);
};

// The best one within `cap` and `math`.
const AttentionKernel& attention_kernel(Isa cap, MathMode math = MathMode::kExact, const Machine& machine = {});

}  // namespace etalon::kernels
