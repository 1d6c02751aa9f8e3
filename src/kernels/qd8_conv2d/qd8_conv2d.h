// Convolutions and fully connected layers whose int8 input was quantised row by row at run time, with float32 results
// (XNNPACK's qd8_f32_qc8w kernels). Made like kernels/qs8_conv2d: algorithms, a list, choose, pack, run.
//
// Input is NHWC int8. Every `pixels_per_row` input pixels share one Qd8Row (one for a fully connected layer or a 1x1
// convolution, in_h * in_w for others). Filters are OHWI with zero point 0, or [kh][kw][out_c] for depthwise ones. Per output:
//
//   sum    = sum of (input - zero point of its row) * weight     in 32 bits that wrap around; taps outside the image count 0
//   output = clamp(float(sum) * (scale of the row * scale of the channel) + bias, min, max)
//
// Sums are exact; the float part differs between ISAs by a few units in the last place. Functions neither allocate nor
// fail; they are thread-safe as long as workers have different numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"
#include "kernels/qs8_vector/qs8_vector.h"

namespace etalon::kernels {

struct Qd8Conv2dParams {
  float min = -__builtin_inff(), max = __builtin_inff();
  // Windows must lie in one row: a multiple of in_h * in_w, or any number for kernels of one tap without padding.
  std::int64_t pixels_per_row = 1;
};

// What pack() reads; nothing of it is kept.
struct Qd8Conv2dWeights {
  const std::int8_t* filter = nullptr;
  const float* bias = nullptr;        // [out_c], or null
  const float* scales = nullptr;      // of the filter; finite and positive
  bool scale_is_per_channel = false;  // [out_c] of them; else one
};

struct Qd8Conv2dCall {
  const std::int8_t* input = nullptr;
  const Qd8Row* rows = nullptr;
  float* output = nullptr;
  const void* packed = nullptr;  // 64-byte aligned, from pack()
  std::byte* scratch = nullptr;  // this worker's own, 64-byte aligned, of scratch_bytes()
};

struct Qd8Conv2dAlgorithm {
  std::string_view name;  // XNNPACK's grammar: "qd8_f32_qc8w_gemm_minmax_ukernel_8x32c4__avx512vnni"
  std::string_view tile;
  Isa isa;
  bool is_depthwise;
  const char* (*refusal)(const Conv2dShape&, const Qd8Conv2dParams&);
  double (*cycles)(const Conv2dShape&, const Machine&);
  std::size_t (*packed_bytes)(const Conv2dShape&);
  void (*pack)(const Conv2dShape&, const Qd8Conv2dWeights&, void* packed);
  std::size_t (*scratch_bytes)(const Conv2dShape&, const Machine&);  // per worker
  void (*run)(const Conv2dShape&, const Qd8Conv2dParams&, const Machine&, const Qd8Conv2dCall&, unsigned worker,
              unsigned workers);
};

// In the order of qd8_conv2d.def.
std::span<const Qd8Conv2dAlgorithm* const> qd8_conv2d_algorithms();

// The best ISA within `cap` that has something to offer for dynamically quantised input at all.
Isa best_qd8_isa(Isa cap);

struct Qd8Conv2dChoice {
  // Null only if there is nothing to compute: planes (NCHW), scaled inputs, windows across rows.
  const Qd8Conv2dAlgorithm* algorithm = nullptr;
  std::vector<std::string> refusals;  // as in Qs8Conv2dChoice
};
Qd8Conv2dChoice choose_qd8_conv2d(const Conv2dShape& shape, const Qd8Conv2dParams& params, Isa cap,
                                  const Machine& machine);

}  // namespace etalon::kernels
