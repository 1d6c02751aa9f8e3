// float32 convolution, and everything that is one: fully connected layers (1x1 over a column of rows), depthwise,
// grouped. An algorithm is one way to compute it on one ISA; conv2d.def lists them and choose_conv2d() picks.
//
//   shape -> choose -> pack the weights once -> run any number of times, on one or several workers
//
// Tensors are NHWC, channels innermost and dense; a pixel's channels start `*_pixel_stride` floats after those of the
// pixel before, rows follow each other without a gap ((y * width + x) * pixel_stride), images likewise.
// Filters come as OHWI ([out_c][kh][kw][in_c / groups]) or, for depthwise, [kh][kw][out_c]; bias as [out_c] or null.
// Functions neither allocate nor fail; they are thread-safe as long as workers have different numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/epilogue.h"
#include "kernels/isa.h"
#include "kernels/machine.h"
#include "kernels/math_mode.h"

namespace etalon::kernels {

struct Conv2dShape {
  std::int64_t batch = 1;
  std::int64_t in_h = 1, in_w = 1, in_c = 1;     // in_c of all groups together
  std::int64_t out_h = 1, out_w = 1, out_c = 1;  // out_c of all groups together
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;        // bottom and right follow from out_h and out_w
  std::int64_t groups = 1;
  std::int64_t in_pixel_stride = 1, out_pixel_stride = 1;  // floats; at least in_c and out_c
  bool input_is_nchw = false;                    // dense planes; only for what reads a model's input directly
  bool has_input_scale = false;                  // input is multiplied by input_scale[batch][in_c] (squeeze-and-excite)

  __attribute__((always_inline)) bool is_depthwise() const { return groups == in_c && groups > 1; }  // out_c may be a multiple of in_c
  __attribute__((always_inline)) bool is_pointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 && pad_left == 0 &&
           groups == 1 && in_h == out_h && in_w == out_w;
  }
  std::int64_t multiply_adds() const {  // padded taps counted
    return batch * out_h * out_w * out_c * kernel_h * kernel_w * (in_c / groups);
  }
};

struct Conv2dCall {
  const float* input = nullptr;
  float* output = nullptr;            // must not overlap the input
  const void* packed = nullptr;       // 64-byte aligned, from pack()
  const float* residual = nullptr;    // dense like the output: pixel stride residual_pixel_stride; may be the output
  std::int64_t residual_pixel_stride = 0;
  const float* input_scale = nullptr;  // [batch][in_c]; only if shape.has_input_scale
  std::byte* scratch = nullptr;       // this worker's own, 64-byte aligned, of scratch_bytes()
};

struct Conv2dAlgorithm {
  std::string_view name;  // XNNPACK's grammar: "f32_gemm_minmax_ukernel_7x32__avx512f"
  std::string_view tile;  // "7x32", "F(4x4,3x3)"
  Isa isa;
  MathMode math;          // the loosest mode it needs; kExact algorithms are always allowed
  bool is_depthwise;      // filter layout it packs from
  // Null if it can do this; else what it lacks: "wants a 3x3 kernel with stride 1".
  const char* (*refusal)(const Conv2dShape&, const Epilogue&);
  // Estimated cycles on one worker. Only the order between algorithms matters.
  double (*cycles)(const Conv2dShape&, const Machine&);
  std::size_t (*packed_bytes)(const Conv2dShape&);
  // `packed` is 64-byte aligned and fully written, padding included.
  void (*pack)(const Conv2dShape&, const float* filter, const float* bias, void* packed);
  std::size_t (*scratch_bytes)(const Conv2dShape&, const Machine&);  // per worker
  // Computes this worker's share of the output. Every worker must be called; no order or synchronisation is needed.
  void (*run)(const Conv2dShape&, const Epilogue&, const Machine&, const Conv2dCall&, unsigned worker, unsigned workers);
};

// In the order of conv2d.def.
std::span<const Conv2dAlgorithm* const> conv2d_algorithms();

// The best ISA within `cap` that has something to offer for float32 at all in this mode: dot products of bytes have not.
Isa best_float_isa(Isa cap, MathMode math = MathMode::kExact);

struct Conv2dChoice {
  const Conv2dAlgorithm* algorithm = nullptr;  // never null: the scalar ones take every shape
  // Why no algorithm of a better ISA than the chosen one's runs, one entry per ISA below the cap; empty if it is the cap's.
  std::vector<std::string> refusals;
};
// The algorithm with the fewest estimated cycles among those within `cap` and `math` that accept the shape.
Conv2dChoice choose_conv2d(const Conv2dShape& shape, const Epilogue& epilogue, Isa cap, MathMode math,
                           const Machine& machine);

}  // namespace etalon::kernels
