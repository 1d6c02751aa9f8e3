// float32 products of two tensors that are both known only at run time: C = A x B, packing B on the fly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/isa.h"
#include "kernels/machine.h"
#include "kernels/math_mode.h"

namespace etalon::kernels {

// One product: A is m x k, B is k x n (or n x k when b_is_transposed), C is m x n. Strides in floats between rows;
// elements of a row are dense.
struct MatmulShape {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;
  bool b_is_transposed = false;
  float scale = 1;  // multiplies the result
};

struct BatchMatmulKernel {
  std::string_view name;  // "f32_gemm_minmax_ukernel_7x32__avx512f"
  std::string_view tile;
  Isa isa;
  MathMode math;  // the loosest mode it needs
  std::size_t (*scratch_bytes)(const MatmulShape&);  // per worker, 64-byte aligned
  // Rows [m_begin, m_end) of one product. C must not overlap A or B. `b_is_packed`: the scratch holds this B already.
  void (*run)(const MatmulShape&, const float* a, const float* b, float* c, std::int64_t m_begin, std::int64_t m_end,
              bool b_is_packed, std::byte* scratch);
};

// The best one within `cap` and `math`.
const BatchMatmulKernel& batch_matmul_kernel(Isa cap, MathMode math = MathMode::kExact, const Machine& machine = {});

}  // namespace etalon::kernels
