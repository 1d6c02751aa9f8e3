// Products on a tile unit (qs8_conv2d/amx_impl.h) with float32 results. The header of a panel is
//
//   zeros int32[32] | sums of the weights int32[32] | scale float[32] | bias float[32]
//
// as every row of a tile has a zero point of its own: sums lose what it contributes when they are finished.
#pragma once

#include "kernels/qd8_conv2d/qd8_conv2d.h"
#include "kernels/qd8_conv2d/rows_impl.h"
#include "kernels/qs8_conv2d/amx_impl.h"

namespace etalon::kernels {
namespace {

// What becomes of sums, but for rows().
struct FloatsOfTiles {
  static constexpr std::int64_t kHeaderBytes = 16 * kPanel, kPixelBytes = sizeof(Qd8Row);

  const Conv2dShape& shape;
  const Qd8Conv2dParams& params;
  const Qd8Row* all_rows;
  float* output;
  const Qd8Row* rows_of_block = nullptr;
  std::int64_t first_pixel = 0;

  static std::int64_t slot(std::int64_t c) { return c; }
  void take_pixels(std::int64_t first, std::int64_t count, std::byte* scratch) {
    rows_of_block = rows_of_pixels(shape, params, all_rows, first, count, reinterpret_cast<Qd8Row*>(scratch));
    first_pixel = first;
  }
  const Qd8Row& row(std::int64_t pixel) const { return rows_of_block[pixel - first_pixel]; }
  std::int32_t zero_of(std::int64_t pixel) const { return row(pixel).zero_point; }
};

// Where the parts of a header lie.
struct FloatsHeader {
  const std::int32_t* weight_sums;
  const float* scales;
  const float* bias;

  explicit FloatsHeader(const std::byte* panel)
      : weight_sums(reinterpret_cast<const std::int32_t*>(panel) + kPanel),
        scales(reinterpret_cast<const float*>(panel) + 2 * kPanel), bias(scales + kPanel) {}
};

template <class Tiles, class Bytes, class Floats>
struct FloatTiles {
  using Run = TileRun<Tiles, Bytes, Floats>;

  static const char* refusal(const Conv2dShape& s, const Qd8Conv2dParams& p) {
    return s.is_depthwise() ? "does not do depthwise convolutions" : refusal_of_rows(s, p);
  }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const TilePlan plan = plan_of(s);
    const std::int64_t columns = s.groups * round_up(plan.out_per_group, kTileColumns);
    return 400 + product_cycles(s, plan) + static_cast<double>(s.batch * s.out_h * s.out_w * columns) * (0.066 + 0.3);
  }

  static std::size_t packed_bytes(const Conv2dShape& s) {
    return static_cast<std::size_t>(s.groups * plan_of(s).group_bytes(Floats::kHeaderBytes));
  }

  static void pack(const Conv2dShape& s, const Qd8Conv2dWeights& w, void* packed) {
    __builtin_memset(packed, 0, packed_bytes(s));
    const auto write_header = [&](std::int64_t channel, std::uint32_t sum, std::byte* panel, std::int64_t slot) {
      reinterpret_cast<std::int32_t*>(panel)[kPanel + slot] = static_cast<std::int32_t>(sum);
      auto* floats = reinterpret_cast<float*>(panel) + 2 * kPanel;
      floats[slot] = w.scales[w.scale_is_per_channel ? channel : 0];
      floats[kPanel + slot] = w.bias == nullptr ? 0 : w.bias[channel];
    };
    pack_tiles<Floats>(s, plan_of(s), w.filter, static_cast<std::byte*>(packed), write_header);
  }

  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine& machine) { return Run::scratch_bytes(s, machine); }

  static void run(const Conv2dShape& s, const Qd8Conv2dParams& p, const Machine& machine, const Qd8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const Floats floats{{s, p, call.rows, call.output}};
    Run(s, machine, call.input, static_cast<const std::byte*>(call.packed), call.scratch, floats).work(worker, workers);
  }
};

template <class Kernel>
constexpr Qd8Conv2dAlgorithm float_tiles(Isa isa, std::string_view name) {
  return {.name = name, .tile = "32x32c4", .isa = isa, .is_depthwise = false, .refusal = Kernel::refusal,
          .cycles = Kernel::cycles, .packed_bytes = Kernel::packed_bytes, .pack = Kernel::pack,
          .scratch_bytes = Kernel::scratch_bytes, .run = Kernel::run};
}

}  // namespace
}  // namespace etalon::kernels
