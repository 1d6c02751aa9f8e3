// int8 work on rows: sums and products of tensors, byte tables, conversions from and to float32, pooling, moving bytes.
// One table of functions per ISA. real = scale * (stored - zero point) throughout.
//
// Results are exact: every ISA gives the same bits, which are those of XNNPACK's operators (native/reference computes
// the same). Pointers may have any alignment; `out` may be the same memory as an input of its element size but must not
// overlap one partly. Functions neither allocate nor fail, and are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/isa.h"
#include "kernels/vector/vector.h"

namespace etalon::kernels {

// stored = clamp(((bias + a * left + b * right) >> shift) + zero_point, min, max), in 32 bits, the shift arithmetic.
struct Qs8Sum {
  std::int32_t bias = 0, left = 0, right = 0;  // |left|, |right| < 2^22; a difference has a negative one
  std::uint32_t shift = 0;                     // 12 .. 31
  std::int32_t zero_point = 0, min = -128, max = 127;
};

// stored = round half to even(clamp(float((a - left_zero) * (b - right_zero)) * scale, min - zero_point,
//                                   max - zero_point)) + zero_point
struct Qs8Product {
  std::int32_t left_zero = 0, right_zero = 0;
  float scale = 1;  // left scale * right scale / output scale; finite and positive
  std::int32_t zero_point = 0, min = -128, max = 127;
};

// stored = round half to even(clamp(float(sum - rows * input_zero) * scale + float(zero_point), min, max)), the
// multiplication and the addition rounded one after the other.
struct Qs8Mean {
  std::int32_t input_zero = 0;
  float scale = 1;  // input scale / output scale / number of elements
  std::int32_t zero_point = 0, min = -128, max = 127;
};

// How a row of dynamically quantised numbers is scaled.
struct Qd8Row {
  float scale = 1;
  std::int32_t zero_point = 0;  // -128 .. 127
};

struct Qs8VectorKernels {
  Isa isa;
  std::string_view suffix;  // of kernel names: "avx512vnni"

  // Both operands have n elements; "_scalar": b is one element; "_columns": a is [rows][columns] without gaps and b has
  // `columns` elements, used for every row. A difference or product with sides exchanged is the caller's to rearrange.
  void (*add)(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const Qs8Sum&);
  void (*add_scalar)(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const Qs8Sum&);
  void (*add_columns)(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t rows,
                      std::size_t columns, const Qs8Sum&);
  void (*multiply)(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const Qs8Product&);
  void (*multiply_scalar)(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n,
                          const Qs8Product&);
  void (*multiply_columns)(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t rows,
                           std::size_t columns, const Qs8Product&);

  // out[i] = table[byte of x[i]]: any function of one number; `table` has 256 entries.
  void (*translate)(const std::int8_t* x, std::int8_t* out, std::size_t n, const std::uint8_t* table);

  // round half to even(clamp(x * inverse_scale, -128 - zero_point, 127 - zero_point)) + zero_point; NaN becomes -128.
  void (*quantise)(const float* x, std::int8_t* out, std::size_t n, float inverse_scale, std::int32_t zero_point);
  // scale * float(x - zero_point)
  void (*dequantise)(const std::int8_t* x, float* out, std::size_t n, float scale, std::int32_t zero_point);
  // One row with the scale and zero point that fit its own range, of which zero is always a part; NaN counts as nothing.
  // The formula is run_convert()'s in native/reference/elementwise.cc, for the same scales to the bit.
  Qd8Row (*quantise_row)(const float* x, std::int8_t* out, std::size_t n);

  // Output rows [row_begin, row_end) of one NHWC image; only the sizes of PoolShape count. Padding never wins.
  void (*max_pool_rows)(const PoolShape&, const std::int8_t* x, std::int8_t* out, std::int64_t row_begin,
                        std::int64_t row_end, std::int8_t min, std::int8_t max);
  // out[c] = the mean over rows of x[row * stride + c]: average pooling over a whole image. rows < 2^23.
  void (*mean_columns)(const std::int8_t* x, std::size_t rows, std::size_t stride, std::size_t columns, const Qs8Mean&,
                       std::int8_t* out);

  // out[c * out_stride + r] = x[r * x_stride + c]; strides in bytes.
  void (*transpose_x8)(const void* x, std::size_t x_stride, void* out, std::size_t out_stride, std::size_t rows,
                       std::size_t columns);
};

// The best table within `cap`.
const Qs8VectorKernels& qs8_vector_kernels(Isa cap);

}  // namespace etalon::kernels
