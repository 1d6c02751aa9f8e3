// Tiles of 4 pixels by 16 channels in Advanced SIMD registers, for any way to multiply signed bytes (`Product`) and any end
// of a sum: start_sums() and store_sums() are found by the type of what finishes it, `Ends`. Those for int8 results are
// here, too.
#pragma once

#include "kernels/qs8_vector/bytes_neon.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/dense_impl.h"

namespace etalon::kernels {
namespace {

template <int kV>
ETALON_INLINE void start_sums(int32x4_t (&sums)[kV], const Finish& f, int) {
#pragma GCC unroll 4
  for (int j = 0; j < kV; ++j) sums[j] = vld1q_s32(f.bias + 4 * j);
}

template <int kR, int kV>
ETALON_INLINE void store_sums(const int32x4_t (&sums)[kR][kV], const Finish& f, std::int8_t* out, std::int64_t out_stride,
                              std::int64_t columns) {
  const Storing stored(f.zero_point, f.min, f.max);
#pragma GCC unroll 4
  for (int i = 0; i < kR; ++i) {
    int32x4_t rounded[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      // To nearest even, and with saturation: nothing has to be cut before.
      const float32x4_t scale = vld1q_f32(f.scales + 4 * (j % kV));
      rounded[j] = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sums[i][j % kV]), scale));
    }
    const Bytes bytes = stored(rounded);
    if (columns == 16) bytes.store(out + i * out_stride);
    else bytes.store(out + i * out_stride, static_cast<std::size_t>(columns));
  }
}

template <class Product>
struct TilesNeon : Product {
  using Stored = std::int8_t;  // of gathered inputs
  static constexpr std::int64_t kColumns = 16, kNarrowColumns = 8, kRows = 4;
  static constexpr bool kReadsInput = true;

  // What the start of a sum takes back for every unit of weight.
  static std::int32_t folded(std::int32_t zero_point) { return zero_point; }
  static std::int64_t slot(std::int64_t c) { return c; }
  static std::int64_t narrow_slot(std::int64_t c) { return c; }

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t, std::int8_t* to) {
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) Bytes::load(from + i).store(to + i);
    if (i < n) Bytes::load(from + i, static_cast<std::size_t>(n - i)).store(to + i, static_cast<std::size_t>(n - i));
  }
  // `runs` of `n` bytes each, `step` apart, one after the other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::int8_t* to) {
    for (std::int64_t r = 0; r < runs; ++r) convert(from + r * step, n, zero_point, to + r * n);
  }
  static void fill(std::int64_t n, std::int32_t zero_point, std::int8_t* to) {
    __builtin_memset(to, zero_point, static_cast<std::size_t>(n));
  }

  template <int kR, int kV, class Ends, class Out>
  static void compute(const std::int8_t* a, std::int64_t a_stride, const std::int8_t* w, std::int64_t steps,
                      const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    int32x4_t sums[kR][kV];
#pragma GCC unroll 4
    for (int i = 0; i < kR; ++i) start_sums(sums[i], ends, i);
    Product::multiply(sums, a, a_stride, w, steps);
    store_sums(sums, ends, out, out_stride, columns);
  }

  template <int kV, class Ends, class Out>
  static void tile_of(std::int64_t rows, const std::int8_t* a, std::int64_t a_stride, const std::int8_t* w,
                      std::int64_t steps, const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    switch (rows) {
      case 1: return compute<1, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 2: return compute<2, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 3: return compute<3, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      default: return compute<4, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
    }
  }

  // `rows` <= kRows pixels `a_stride` apart, `steps` groups of taps; writes `columns` channels of each.
  template <class Ends, class Out>
  static void tile(std::int64_t rows, bool is_narrow, const std::int8_t* a, std::int64_t a_stride, const std::int8_t* w,
                   std::int64_t steps, const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    if (is_narrow) tile_of<2>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
    else tile_of<4>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
  }

  static void translate(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
    translate_bytes(data, data, static_cast<std::size_t>(n), table);
  }
};

}  // namespace
}  // namespace etalon::kernels
