// int8 convolution, and everything that is one: fully connected layers (1x1 over a column of rows), depthwise,
// grouped. Made like kernels/conv2d: an algorithm is one way to compute it on one ISA, qs8_conv2d.def lists them and
// choose_qs8_conv2d() picks.
//
//   shape -> choose -> pack the weights once -> run any number of times, on one or several workers
//
// All tensors are int8. A Conv2dShape's strides count elements, which are bytes here. Input and output are NHWC as in
// conv2d.h; filters come as OHWI ([out_c][kh][kw][in_c / groups]) or, for depthwise, [kh][kw][out_c], with zero point 0.
// Every algorithm gives the same bits, which are those of XNNPACK's "fp32" requantisation:
//
//   sum    = bias + sum of (input - input_zero_point) * weight             in 32 bits that wrap around
//   scaled = float(sum) * scale of the channel                             rounded to float32 once
//   stored = round half to even(clamp(scaled, min - zero, max - zero)) + zero
//   output = table == null ? stored : table[byte of stored]
//
// Taps outside the image count as input_zero_point. Functions neither allocate nor fail; they are thread-safe as long
// as workers have different numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"

namespace etalon::kernels {

struct Qs8Conv2dParams {
  std::int32_t input_zero_point = 0, output_zero_point = 0;  // -128..127
  std::int32_t min = -128, max = 127;                        // of what is stored; min <= max
  // 256 bytes, applied last: any function of one number becomes a part of the convolution. Or null.
  const std::uint8_t* table = nullptr;
};

// What pack() reads; nothing of it is kept.
struct Qs8Conv2dWeights {
  const std::int8_t* filter = nullptr;
  const std::int32_t* bias = nullptr;  // [out_c], or null
  const float* scales = nullptr;       // input scale * filter scale / output scale; finite and positive
  bool scale_is_per_channel = false;   // [out_c] of them; else one
};

struct Qs8Conv2dCall {
  const std::int8_t* input = nullptr;
  std::int8_t* output = nullptr;  // must not overlap the input
  const void* packed = nullptr;   // 64-byte aligned, from pack()
  std::byte* scratch = nullptr;   // this worker's own, 64-byte aligned, of scratch_bytes()
};

struct Qs8Conv2dAlgorithm {
  std::string_view name;  // XNNPACK's grammar: "qs8_qc8w_gemm_minmax_fp32_ukernel_8x32c4__avx512vnni"
  std::string_view tile;  // "8x32"
  Isa isa;
  bool is_depthwise;      // filter layout it packs from
  // Null if it can do this; else what it lacks: "wants a 3x3 kernel with stride 1".
  const char* (*refusal)(const Conv2dShape&, const Qs8Conv2dParams&);
  // Estimated cycles on one worker. Only the order between algorithms matters.
  double (*cycles)(const Conv2dShape&, const Machine&);
  std::size_t (*packed_bytes)(const Conv2dShape&);
  // `packed` is 64-byte aligned and fully written, padding included. Of the parameters, the input's zero point is used.
  void (*pack)(const Conv2dShape&, const Qs8Conv2dParams&, const Qs8Conv2dWeights&, void* packed);
  std::size_t (*scratch_bytes)(const Conv2dShape&, const Machine&);  // per worker
  // Computes this worker's share of the output. Every worker must be called; no order or synchronisation is needed.
  void (*run)(const Conv2dShape&, const Qs8Conv2dParams&, const Machine&, const Qs8Conv2dCall&, unsigned worker,
              unsigned workers);
  bool reads_planes = false;  // as well as pixels: takes shape.input_is_nchw
};

// In the order of qs8_conv2d.def.
std::span<const Qs8Conv2dAlgorithm* const> qs8_conv2d_algorithms();

// The best ISA within `cap` that has something to offer for int8 at all.
Isa best_qs8_isa(Isa cap);

struct Qs8Conv2dChoice {
  // Null only if the input is scaled, or comes in planes (NCHW) that nothing reads: planes of few channels may be read.
  const Qs8Conv2dAlgorithm* algorithm = nullptr;
  // Why no algorithm of a better ISA than the chosen one's runs, one entry per ISA below the cap; empty if it is the cap's.
  std::vector<std::string> refusals;
};
// The algorithm with the fewest estimated cycles among those within `cap` that accept the shape.
Qs8Conv2dChoice choose_qs8_conv2d(const Conv2dShape& shape, const Qs8Conv2dParams& params, Isa cap,
                                  const Machine& machine);

}  // namespace etalon::kernels
