// 1x1 convolutions of few input channels: the expansions of mobile networks. See thin_panels_avx512vnni_impl.h.
#pragma once

#include "kernels/qs8_conv2d/thin_panels_avx512vnni_impl.h"

namespace etalon::kernels {
namespace {

struct ThinMatrix {
  static constexpr std::int64_t kMaxTaps = 128;

  static std::int64_t rows(const Conv2dShape& s) { return s.batch * s.out_h * s.out_w; }
  static ThinPanels panels(const Conv2dShape& s) { return {s.out_c, s.in_c / 4}; }

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
    if (!s.is_pointwise()) return "wants a 1x1 kernel with stride 1";
    if (s.in_c % 4 != 0 || s.in_pixel_stride != s.in_c) return "wants pixels without gaps, of multiples of 4 channels";
    if (s.in_c > kMaxTaps) return "wants few input channels";
    return rows(s) < kThinMaxRows ? "wants more pixels" : nullptr;
  }

  // What is read and what is written should both stay in L1.
  static std::int64_t rows_at_once(const Conv2dShape& s, const Machine& machine) {
    const std::int64_t fit = static_cast<std::int64_t>(machine.l1_bytes) * 3 / 4 / (s.in_c + s.out_c) / kThinMaxRows;
    return (fit < 2 ? 2 : fit) * kThinMaxRows;
  }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const auto outputs = static_cast<double>(rows(s) * ((s.out_c + 15) / 16));
    return outputs * (static_cast<double>(s.in_c) / 8 + 1.2) + static_cast<double>(rows(s) * s.in_c) / 32;
  }

  static std::size_t packed_bytes(const Conv2dShape& s) { return static_cast<std::size_t>(panels(s).bytes()); }
  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    panels(s).pack(p, w, s.in_c, [](std::int64_t tap) { return tap; }, static_cast<std::byte*>(packed));
  }

  // Flipped rows, and room for the bytes that a wide store writes beyond them.
  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine& machine) {
    return static_cast<std::size_t>(rows_at_once(s, machine) * s.in_c) + 64;
  }

  // A worker has whole tiles of rows, but for the last one. Blocks end where they do, too; what is less than a tile is
  // computed together with rows before it, which are then written twice.
  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine& machine, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const std::int64_t all = rows(s), tiles = all / kThinMaxRows, at_once = rows_at_once(s, machine);
    const std::int64_t begin = tiles * worker / workers * kThinMaxRows;
    const std::int64_t end = worker + 1 == workers ? all : tiles * (worker + 1) / workers * kThinMaxRows;
    auto* flipped = reinterpret_cast<std::uint8_t*>(call.scratch);
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t count = thin_share(end - row, at_once);
      flip_bytes(call.input + row * s.in_c, count * s.in_c, flipped);
      std::int8_t* out = call.output + row * s.out_pixel_stride;
      panels(s).run(RowsInOrder{flipped, s.in_c}, count, static_cast<const std::byte*>(call.packed), p, out,
                    s.out_pixel_stride);
      translate_thin(p, out, count, s.out_c, s.out_pixel_stride);
      row += count;
    }
  }
};

constexpr Qs8Conv2dAlgorithm thin_matrix(Isa isa, std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = isa, .is_depthwise = false, .refusal = ThinMatrix::refusal,
          .cycles = ThinMatrix::cycles, .packed_bytes = ThinMatrix::packed_bytes, .pack = ThinMatrix::pack,
          .scratch_bytes = ThinMatrix::scratch_bytes, .run = ThinMatrix::run};
}

}  // namespace
}  // namespace etalon::kernels
