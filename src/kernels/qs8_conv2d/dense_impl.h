// Convolutions that mix channels, with int8 results. The header of a panel (dense_panels_impl.h) is
//
//   bias int32[kColumns] | scale float[kColumns]
//
// with the zero point of the input folded into the bias.
#pragma once

#include "kernels/qs8_conv2d/dense_panels_impl.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

// What finishes a sum.
struct Finish {
  const std::int32_t* bias;  // of the panel; sums start from it
  const float* scales;
  float low, high;           // of the scaled sum
  std::int32_t zero_point, min, max;

  Finish of_panel(const std::byte* panel, std::int64_t columns) const {
    Finish f = *this;
    f.bias = reinterpret_cast<const std::int32_t*>(panel);
    f.scales = reinterpret_cast<const float*>(f.bias + columns);
    return f;
  }
  Finish of_rows(std::int64_t) const { return *this; }
};

template <class Dot>
struct Dense : DensePanels<Dot, 2> {
  using Panels = DensePanels<Dot, 2>;
  using typename Panels::Block;
  using typename Panels::Column;
  using typename Panels::Layout;
  using typename Panels::Stored;

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
    return s.groups == s.in_c && s.groups > 1 ? "does not do depthwise convolutions" : nullptr;
  }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    const auto folded = static_cast<std::uint32_t>(Dot::folded(p.input_zero_point));
    Panels::pack_panels(s, w.filter, packed, [&](std::int64_t channel, std::uint32_t sum, const Column& to) {
      const auto bias = static_cast<std::uint32_t>(w.bias == nullptr ? 0 : w.bias[channel]);
      to.template word<std::int32_t>(0) = static_cast<std::int32_t>(bias - folded * sum);
      to.template word<float>(1) = w.scales[w.scale_is_per_channel ? channel : 0];
    });
  }

  static void translate_rows(const Conv2dShape& s, const Qs8Conv2dParams& p, std::int8_t* out, std::int64_t rows,
                             std::int64_t columns) {
    if (p.table == nullptr) return;
    if (columns == s.out_pixel_stride) return Dot::translate(out, rows * columns, p.table);
    for (std::int64_t r = 0; r < rows; ++r) Dot::translate(out + r * s.out_pixel_stride, columns, p.table);
  }

  static void run_block(const Conv2dShape& s, const Qs8Conv2dParams& p, const Layout& l, const Qs8Conv2dCall& call,
                        const Block& block) {
    auto* gathered = Panels::reads_in_place(s) ? nullptr : reinterpret_cast<Stored*>(call.scratch);
    const std::int32_t zero = p.input_zero_point;
    if (gathered != nullptr) Panels::gather(s, l, call.input, block, [zero](std::int64_t) { return zero; }, gathered);
    const Finish finish{nullptr, nullptr, static_cast<float>(p.min - p.output_zero_point),
                        static_cast<float>(p.max - p.output_zero_point), p.output_zero_point, p.min, p.max};
    std::int8_t* out = call.output + block.row * s.out_pixel_stride + block.group * l.out_per_group;
    Panels::run_panels(s, l, block, call.input, gathered, call.packed, finish, out);
    const std::int64_t begin = block.panel_begin * Panels::kColumns, end = block.panel_end * Panels::kColumns;
    translate_rows(s, p, out + begin, block.rows, (end < l.out_per_group ? end : l.out_per_group) - begin);
  }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine& machine, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    Panels::walk(s, machine, worker, workers,
                 [&](const Layout& l, const Block& block) { run_block(s, p, l, call, block); });
  }
};

template <class Dot>
constexpr Qs8Conv2dAlgorithm dense(Isa isa, std::string_view name, std::string_view tile) {
  using Kernel = Dense<Dot>;
  return {.name = name, .tile = tile, .isa = isa, .is_depthwise = false, .refusal = Kernel::refusal,
          .cycles = Kernel::cycles, .packed_bytes = Kernel::packed_bytes, .pack = Kernel::pack,
          .scratch_bytes = Kernel::gathered_bytes, .run = Kernel::run};
}

}  // namespace
}  // namespace etalon::kernels
