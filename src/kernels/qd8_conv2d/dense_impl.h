// Convolutions that mix channels, from rows with a scale and a zero point each to float32 results. The header of a
// panel (qs8_conv2d/dense_panels_impl.h) is
//
//   sums of the weights int32[kColumns] | scale float[kColumns] | bias float[kColumns]
//
// Every row of a tile has its own zero point: either it is taken off when the row is gathered, or sums start from what
// it contributes. What a tile needs of an ISA are start_sums() and store_sums() for FloatEnds.
#pragma once

#include "kernels/qd8_conv2d/qd8_conv2d.h"
#include "kernels/qd8_conv2d/rows_impl.h"
#include "kernels/qs8_conv2d/dense_panels_impl.h"

namespace etalon::kernels {
namespace {

// What starts and finishes the sums of a tile.
template <class Dot>
struct FloatEnds {
  const std::int32_t* weight_sums;  // of the panel
  const float* scales;
  const float* bias;
  const Qd8Row* rows;               // of the tile
  float min, max;

  FloatEnds of_panel(const std::byte* panel, std::int64_t columns) const {
    FloatEnds f = *this;
    f.weight_sums = reinterpret_cast<const std::int32_t*>(panel);
    f.scales = reinterpret_cast<const float*>(f.weight_sums + columns);
    f.bias = f.scales + columns;
    return f;
  }
  FloatEnds of_rows(std::int64_t row) const {
    FloatEnds f = *this;
    f.rows += row;
    return f;
  }
  // How often the sums of the weights are part of row `i`'s products and must be taken back.
  std::int32_t excess(int i) const { return Dot::folded(rows[i].zero_point); }
};

template <class Dot>
struct DenseFloats : DensePanels<Dot, 3> {
  using Panels = DensePanels<Dot, 3>;
  using typename Panels::Block;
  using typename Panels::Column;
  using typename Panels::Layout;
  using typename Panels::Stored;

  static const char* refusal(const Conv2dShape& s, const Qd8Conv2dParams& p) {
    return s.is_depthwise() ? "does not do depthwise convolutions" : refusal_of_rows(s, p);
  }

  static void pack(const Conv2dShape& s, const Qd8Conv2dWeights& w, void* packed) {
    Panels::pack_panels(s, w.filter, packed, [&](std::int64_t channel, std::uint32_t sum, const Column& to) {
      to.template word<std::int32_t>(0) = static_cast<std::int32_t>(sum);
      to.template word<float>(1) = w.scales[w.scale_is_per_channel ? channel : 0];
      to.template word<float>(2) = w.bias == nullptr ? 0 : w.bias[channel];
    });
  }

  // What is gathered, then the Qd8Row of every output pixel of a block.
  static std::size_t rows_offset(const Conv2dShape& s, const Machine& machine) {
    return (Panels::gathered_bytes(s, machine) + 63) / 64 * 64;
  }
  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine& machine) {
    const std::int64_t rows = Panels::rows_at_once(s, Panels::layout_of(s), machine);
    return rows_offset(s, machine) + static_cast<std::size_t>(rows) * sizeof(Qd8Row);
  }

  static void run_block(const Conv2dShape& s, const Qd8Conv2dParams& p, const Layout& l, const Qd8Conv2dCall& call,
                        const Block& block, Qd8Row* scratch_rows) {
    const Qd8Row* rows = rows_of_pixels(s, p, call.rows, block.row, block.rows, scratch_rows);
    auto* gathered = Panels::reads_in_place(s) ? nullptr : reinterpret_cast<Stored*>(call.scratch);
    const auto zero_of = [rows](std::int64_t i) { return rows[i].zero_point; };
    if (gathered != nullptr) Panels::gather(s, l, call.input, block, zero_of, gathered);
    const FloatEnds<Dot> ends{nullptr, nullptr, nullptr, rows, p.min, p.max};
    float* out = call.output + block.row * s.out_pixel_stride + block.group * l.out_per_group;
    Panels::run_panels(s, l, block, call.input, gathered, call.packed, ends, out);
  }

  static void run(const Conv2dShape& s, const Qd8Conv2dParams& p, const Machine& machine, const Qd8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    auto* rows = reinterpret_cast<Qd8Row*>(call.scratch + rows_offset(s, machine));
    Panels::walk(s, machine, worker, workers,
                 [&](const Layout& l, const Block& block) { run_block(s, p, l, call, block, rows); });
  }
};

template <class Dot>
constexpr Qd8Conv2dAlgorithm dense_floats(Isa isa, std::string_view name, std::string_view tile) {
  using Kernel = DenseFloats<Dot>;
  return {.name = name, .tile = tile, .isa = isa, .is_depthwise = false, .refusal = Kernel::refusal,
          .cycles = Kernel::cycles, .packed_bytes = Kernel::packed_bytes, .pack = Kernel::pack,
          .scratch_bytes = Kernel::scratch_bytes, .run = Kernel::run};
}

}  // namespace
}  // namespace etalon::kernels
