// float32 work on rows: elementwise, normalisation, pooling, moving data. One table of functions per ISA.
//
// Unless said otherwise `out` may be the same memory as an input but must not overlap it partly. Functions neither
// allocate nor fail, and are thread-safe. Errors against exact arithmetic, in units of the last place, stand with each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/epilogue.h"
#include "kernels/isa.h"

namespace etalon::kernels {

enum class Unary : std::uint8_t {
#define UNARY(enumerator, name) enumerator,
#include "kernels/vector/unary.def"
#undef UNARY
};
enum class Binary : std::uint8_t {
#define BINARY(enumerator, name) enumerator,
#include "kernels/vector/binary.def"
#undef BINARY
};
std::string_view name_of(Unary op);   // "vhswish": XNNPACK's kernel names
std::string_view name_of(Binary op);  // "vadd"

// alpha is the parameter of leaky ReLU and ELU; the clamp comes last.
struct UnaryParams {
  float alpha = 0;
  float min = -__builtin_inff();
  float max = __builtin_inff();
};

using UnaryFn = void (*)(const float* x, float* out, std::size_t n, const UnaryParams&);
// out[i] = a[i] op b[i], clamped.
using BinaryFn = void (*)(const float* a, const float* b, float* out, std::size_t n, float min, float max);

// A pooling window over an NHWC image; rows of output are computed for all columns and channels.
struct PoolShape {
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1, channels = 1;
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  float min = -__builtin_inff(), max = __builtin_inff();
};

struct VectorKernels {
  Isa isa;
  std::string_view suffix;  // of kernel names: "avx512f"

  std::span<const UnaryFn> unary;              // by Unary
  std::span<const BinaryFn> binary;            // by Binary; both operands have n elements
  std::span<const BinaryFn> binary_scalar;     // b is one element
  std::span<const BinaryFn> binary_by_scalar;  // a is one element

  // Softmax of one row of n; `scale` multiplies x first. n may be 0.
  void (*softmax_row)(const float* x, float* out, std::size_t n, float scale);
  // (x - mean) / sqrt(var + eps) * gamma + beta over one row of n; gamma and beta may be null. A large mean
  // costs no accuracy: where one pass would cancel, two are made. `mean` and `rstd` receive what was used unless null.
  void (*layer_norm_row)(const float* x, const float* gamma, const float* beta, float* out, std::size_t n, float eps,
                         float* mean, float* rstd);
  float (*sum_row)(const float* x, std::size_t n);
  float (*max_row)(const float* x, std::size_t n);
  // out[c] = scale * sum over rows of x[row * stride + c], clamped: average pooling over a whole image.
  void (*sum_columns)(const float* x, std::size_t rows, std::size_t stride, std::size_t columns, float scale, float min,
                      float max, float* out);
  // out[c] = sum over rows of weight[row] * x[row * stride + c]: one row times a matrix. `out` overlaps nothing.
  void (*weighted_sum_columns)(const float* weight, const float* x, std::size_t rows, std::size_t stride,
                               std::size_t columns, float* out);
  // Sum over i of a[i] * b[i].
  float (*dot_row)(const float* a, const float* b, std::size_t n);
  // out[r][c] = x[r][c] * scale[c]
  void (*scale_columns)(const float* x, const float* scale, float* out, std::size_t rows, std::size_t columns);
  // out[r][c] = clamp(x[r][c] + offset[c])
  void (*add_columns)(const float* x, const float* offset, float* out, std::size_t rows, std::size_t columns, float min,
                      float max);

  // Output rows [row_begin, row_end) of one image. Padding never wins a maximum and is not counted in an average
  // (XNNPACK's rule: the divisor is the number of elements inside the image).
  void (*max_pool_rows)(const PoolShape&, const float* x, float* out, std::int64_t row_begin, std::int64_t row_end);
  void (*average_pool_rows)(const PoolShape&, const float* x, float* out, std::int64_t row_begin, std::int64_t row_end);

  // out[c][r] = x[r][c] for 4-byte elements; strides in elements.
  void (*transpose_x32)(const void* x, std::size_t x_stride, void* out, std::size_t out_stride, std::size_t rows,
                        std::size_t columns);
  // Between float32 and IEEE binary16; halves may lie at any address, `out` overlaps nothing. Narrowing rounds to
  // nearest even and keeps infinities and subnormals; a NaN stays one, its payload may change.
  void (*half_to_float)(const std::uint16_t* x, float* out, std::size_t n);
  void (*float_to_half)(const float* x, std::uint16_t* out, std::size_t n);
  // One output row of bilinear resizing: out[i][c] mixes four pixels. left/right are pixel offsets in elements into the
  // rows `top` and `bottom`, wx their horizontal weights, wy the vertical one.
  void (*bilinear_row)(const float* top, const float* bottom, const std::int64_t* left, const std::int64_t* right,
                       const float* wx, float wy, float* out, std::size_t pixels, std::size_t channels);
};

// The best table within `cap`.
const VectorKernels& vector_kernels(Isa cap);

}  // namespace etalon::kernels
