// Convolutions that mix channels, as products of matrices: rows are output pixels, columns output channels, and what is
// summed over are the taps. `Dot` says how an ISA stores and multiplies; see dense_avx2.cc for what it must have.
//
// Weights are packed into panels of Dot::kColumns channels:
//
//   bias int32[kColumns] | scale float[kColumns] | weights [taps / kGroup][columns][kGroup]
//
// with columns in the order that the narrowing at the end of a tile undoes, and with the zero point of the input folded
// into the bias. The last panel is half as wide if that is enough. Input rows are gathered into the scratch, so that a
// tile walks through both operands in order; where pixels already lie like that, they are read in place.
#pragma once

#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

// What finishes a sum.
struct Finish {
  const std::int32_t* bias;  // of the panel
  const float* scales;
  float low, high;           // of the scaled sum
  std::int32_t zero_point, min, max;
};

template <class Dot>
struct Dense {
  using Stored = typename Dot::Stored;
  static constexpr std::int64_t kColumns = Dot::kColumns, kNarrow = Dot::kNarrowColumns, kRows = Dot::kRows;
  static constexpr std::int64_t kHeaderBytes = kColumns * 8;

  struct Layout {
    std::int64_t in_per_group, out_per_group;
    std::int64_t taps, padded_taps;  // of a column
    std::int64_t panels;             // of a group of channels
    std::int64_t panel_bytes, group_bytes;
  };

  static constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

  static Layout layout_of(const Conv2dShape& s) {
    Layout l{};
    l.in_per_group = s.in_c / s.groups, l.out_per_group = s.out_c / s.groups;
    l.taps = s.kernel_h * s.kernel_w * l.in_per_group;
    l.padded_taps = round_up(l.taps, Dot::kGroup);
    l.panels = round_up(l.out_per_group, kColumns) / kColumns;
    l.panel_bytes = round_up(kHeaderBytes + l.padded_taps * kColumns, 64);
    const bool is_narrow = l.out_per_group - (l.panels - 1) * kColumns <= kNarrow;
    l.group_bytes = (l.panels - 1) * l.panel_bytes +
                    (is_narrow ? round_up(kHeaderBytes + l.padded_taps * kNarrow, 64) : l.panel_bytes);
    return l;
  }

  static bool reads_in_place(const Conv2dShape& s) {
    return Dot::kReadsInput && s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 && s.stride_w == 1 &&
           s.pad_top == 0 && s.pad_left == 0 && s.groups == 1 && s.in_h == s.out_h && s.in_w == s.out_w &&
           s.in_c % Dot::kGroup == 0;
  }

  static std::int64_t rows_at_once(const Conv2dShape& s, const Layout& l, const Machine& machine) {
    // Where all weights stay in L1, so should the rows that they meet.
    const bool is_small = l.group_bytes <= static_cast<std::int64_t>(machine.l1_bytes / 2);
    const auto room = static_cast<std::int64_t>(is_small ? machine.l1_bytes / 4 : machine.l2_bytes / 4);
    const std::int64_t fit = room / (l.padded_taps * static_cast<std::int64_t>(sizeof(Stored))) / kRows * kRows;
    const std::int64_t rows = round_up(s.batch * s.out_h * s.out_w, kRows);
    return fit < kRows ? kRows : fit < rows ? fit : rows;
  }

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
    return s.groups == s.in_c && s.groups > 1 ? "does not do depthwise convolutions" : nullptr;
  }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const Layout l = layout_of(s);
    const auto rows = static_cast<double>(s.batch * s.out_h * s.out_w * s.groups);
    const auto columns = static_cast<double>(round_up(l.out_per_group, kNarrow));
    const double gathered = reads_in_place(s) ? 0 : static_cast<double>(l.taps) / Dot::kGatheredPerCycle + 4;
    const double product = static_cast<double>(l.padded_taps) * columns / Dot::kProductsPerCycle;
    return rows * (gathered + product + columns * Dot::kFinishCycles);
  }

  static std::size_t packed_bytes(const Conv2dShape& s) {
    return static_cast<std::size_t>(s.groups * layout_of(s).group_bytes);
  }

  // The channel `c` of the panel as it lies in there.
  static std::int64_t slot_of(std::int64_t c, bool is_narrow) { return is_narrow ? Dot::narrow_slot(c) : Dot::slot(c); }

  static void pack_channel(const Layout& l, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, std::int64_t channel,
                           std::int64_t slot, std::int64_t columns, std::byte* panel) {
    auto* weights = reinterpret_cast<std::int8_t*>(panel + kHeaderBytes);
    const std::int8_t* filter = w.filter + channel * l.taps;
    std::uint32_t sum = 0;
    for (std::int64_t k = 0; k < l.taps; ++k) {
      weights[k / Dot::kGroup * columns * Dot::kGroup + slot * Dot::kGroup + k % Dot::kGroup] = filter[k];
      sum += static_cast<std::uint32_t>(filter[k]);
    }
    const std::uint32_t shift = static_cast<std::uint32_t>(Dot::folded(p.input_zero_point)) * sum;
    const auto bias = static_cast<std::uint32_t>(w.bias == nullptr ? 0 : w.bias[channel]);
    reinterpret_cast<std::int32_t*>(panel)[slot] = static_cast<std::int32_t>(bias - shift);
    reinterpret_cast<float*>(panel + kColumns * 4)[slot] = w.scales[w.scale_is_per_channel ? channel : 0];
  }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    const Layout l = layout_of(s);
    __builtin_memset(packed, 0, packed_bytes(s));
    for (std::int64_t g = 0; g < s.groups; ++g) {
      for (std::int64_t c = 0; c < l.out_per_group; ++c) {
        const std::int64_t first = c / kColumns * kColumns;
        const bool is_narrow = l.out_per_group - first <= kNarrow;
        std::byte* panel = static_cast<std::byte*>(packed) + g * l.group_bytes + c / kColumns * l.panel_bytes;
        pack_channel(l, p, w, g * l.out_per_group + c, slot_of(c - first, is_narrow), is_narrow ? kNarrow : kColumns, panel);
      }
    }
  }

  // Conversions may write a little beyond what they should, which the next one then overwrites.
  static constexpr std::int64_t kSlackBytes = 256;

  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine& machine) {
    if (reads_in_place(s)) return 0;
    const Layout l = layout_of(s);
    return static_cast<std::size_t>(rows_at_once(s, l, machine) * l.padded_taps) * sizeof(Stored) + kSlackBytes;
  }

  // Channels of the taps of one row of the kernel; `in_x` is where its first one lies.
  static Stored* gather_taps(const Conv2dShape& s, const Layout& l, const std::int8_t* row, std::int64_t in_x,
                             std::int32_t zero, Stored* to) {
    for (std::int64_t kx = 0; kx < s.kernel_w; ++kx, in_x += s.dilation_w, to += l.in_per_group) {
      if (in_x < 0 || in_x >= s.in_w) {
        Dot::fill(l.in_per_group, zero, to);
      } else {
        Dot::convert(row + in_x * s.in_pixel_stride, l.in_per_group, zero, to);
      }
    }
    return to;
  }

  struct Pixel {
    std::int64_t image, y, x;
  };

  // A pixel whose taps all lie inside the image: runs of equal length, at equal distances.
  static void gather_inner(const Conv2dShape& s, const Layout& l, const std::int8_t* first, std::int32_t zero, Stored* to) {
    const std::int64_t row_step = s.dilation_h * s.in_w * s.in_pixel_stride;
    if (s.dilation_w == 1 && s.groups == 1 && s.in_pixel_stride == s.in_c) {
      return Dot::convert_runs(first, row_step, s.kernel_h, s.kernel_w * s.in_c, zero, to);
    }
    for (std::int64_t ky = 0; ky < s.kernel_h; ++ky, first += row_step, to += s.kernel_w * l.in_per_group) {
      Dot::convert_runs(first, s.dilation_w * s.in_pixel_stride, s.kernel_w, l.in_per_group, zero, to);
    }
  }

  static void gather_pixel(const Conv2dShape& s, const Layout& l, const std::int8_t* group, const Pixel& at,
                           std::int32_t zero, Stored* to) {
    const std::int8_t* first = group + at.image * s.in_h * s.in_w * s.in_pixel_stride;
    const std::int64_t in_x = at.x * s.stride_w - s.pad_left, first_y = at.y * s.stride_h - s.pad_top;
    if (in_x >= 0 && in_x + (s.kernel_w - 1) * s.dilation_w < s.in_w && first_y >= 0 &&
        first_y + (s.kernel_h - 1) * s.dilation_h < s.in_h) {
      return gather_inner(s, l, first + (first_y * s.in_w + in_x) * s.in_pixel_stride, zero, to);
    }
    for (std::int64_t ky = 0; ky < s.kernel_h; ++ky) {
      const std::int64_t in_y = first_y + ky * s.dilation_h;
      if (in_y < 0 || in_y >= s.in_h) {
        Dot::fill(s.kernel_w * l.in_per_group, zero, to);
        to += s.kernel_w * l.in_per_group;
      } else {
        to = gather_taps(s, l, first + in_y * s.in_w * s.in_pixel_stride, in_x, zero, to);
      }
    }
  }

  // Counts pixels up, because finding each by division would take longer than to copy a few channels.
  static void gather(const Conv2dShape& shape, const Layout& layout, const std::int8_t* input, std::int64_t group,
                     std::int64_t row, std::int64_t rows, std::int32_t zero, Stored* to) {
    const Conv2dShape s = shape;  // of its own: bytes that are stored might else be the shape's
    const Layout l = layout;
    Pixel at{row / (s.out_h * s.out_w), row / s.out_w % s.out_h, row % s.out_w};
    for (std::int64_t r = 0; r < rows; ++r, to += l.padded_taps) {
      gather_pixel(s, l, input + group * l.in_per_group, at, zero, to);
      if (++at.x < s.out_w) continue;
      at.x = 0;
      if (++at.y < s.out_h) continue;
      at.y = 0;
      ++at.image;
    }
  }

  // Rows are split evenly, so that 49 of them become seven tiles of 7 and not six of 8 and one of 1.
  template <class Rows>
  static void run_panel(const Rows* a, std::int64_t a_stride, std::int64_t rows, const Layout& l, const std::byte* panel,
                        Finish finish, bool is_narrow, std::int64_t columns, std::int8_t* out, std::int64_t out_stride) {
    finish.bias = reinterpret_cast<const std::int32_t*>(panel);
    finish.scales = reinterpret_cast<const float*>(panel + kColumns * 4);
    const auto* weights = reinterpret_cast<const std::int8_t*>(panel + kHeaderBytes);
    const std::int64_t tiles = (rows + kRows - 1) / kRows;
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t row = rows * t / tiles, count = rows * (t + 1) / tiles - row;
      Dot::tile(count, is_narrow, a + row * a_stride, a_stride, weights, l.padded_taps / Dot::kGroup, finish,
                out + row * out_stride, out_stride, columns);
    }
  }

  struct Share {
    std::int64_t row_begin, row_end, panel_begin, panel_end;  // panels of all groups
  };
  static Share share_of(const Conv2dShape& s, const Layout& l, unsigned worker, unsigned workers) {
    const std::int64_t rows = s.batch * s.out_h * s.out_w, panels = l.panels * s.groups;
    if (rows >= 2 * kRows * workers) return {rows * worker / workers, rows * (worker + 1) / workers, 0, panels};
    return {0, rows, panels * worker / workers, panels * (worker + 1) / workers};
  }

  static void translate_rows(const Conv2dShape& s, const Qs8Conv2dParams& p, std::int8_t* out, std::int64_t rows,
                             std::int64_t columns) {
    if (p.table == nullptr) return;
    if (columns == s.out_pixel_stride) return Dot::translate(out, rows * columns, p.table);
    for (std::int64_t r = 0; r < rows; ++r) Dot::translate(out + r * s.out_pixel_stride, columns, p.table);
  }

  static void run_block(const Conv2dShape& s, const Qs8Conv2dParams& p, const Layout& l, const Qs8Conv2dCall& call,
                        std::int64_t row, std::int64_t rows, std::int64_t group, std::int64_t panel_begin,
                        std::int64_t panel_end) {
    const bool in_place = reads_in_place(s);
    auto* gathered = reinterpret_cast<Stored*>(call.scratch);
    if (!in_place) gather(s, l, call.input, group, row, rows, p.input_zero_point, gathered);
    const Finish finish{nullptr, nullptr, static_cast<float>(p.min - p.output_zero_point),
                        static_cast<float>(p.max - p.output_zero_point), p.output_zero_point, p.min, p.max};
    std::int8_t* out = call.output + row * s.out_pixel_stride + group * l.out_per_group;
    for (std::int64_t i = panel_begin; i < panel_end; ++i) {
      const std::int64_t left = l.out_per_group - i * kColumns, columns = left < kColumns ? left : kColumns;
      const std::byte* panel = static_cast<const std::byte*>(call.packed) + group * l.group_bytes + i * l.panel_bytes;
      std::int8_t* to = out + i * kColumns;
      if constexpr (Dot::kReadsInput) {
        if (in_place) {
          run_panel(call.input + row * s.in_pixel_stride, s.in_pixel_stride, rows, l, panel, finish, left <= kNarrow,
                    columns, to, s.out_pixel_stride);
          continue;
        }
      }
      run_panel(gathered, l.padded_taps, rows, l, panel, finish, left <= kNarrow, columns, to, s.out_pixel_stride);
    }
    const std::int64_t end = panel_end * kColumns < l.out_per_group ? panel_end * kColumns : l.out_per_group;
    translate_rows(s, p, out + panel_begin * kColumns, rows, end - panel_begin * kColumns);
  }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine& machine, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const Layout l = layout_of(s);
    const Share share = share_of(s, l, worker, workers);
    const std::int64_t at_once = rows_at_once(s, l, machine);
    for (std::int64_t group = share.panel_begin / l.panels; group * l.panels < share.panel_end; ++group) {
      const std::int64_t first = group * l.panels;
      const std::int64_t begin = share.panel_begin > first ? share.panel_begin - first : 0;
      const std::int64_t end = share.panel_end - first < l.panels ? share.panel_end - first : l.panels;
      for (std::int64_t row = share.row_begin; row < share.row_end; row += at_once) {
        const std::int64_t left = share.row_end - row;
        run_block(s, p, l, call, row, left < at_once ? left : at_once, group, begin, end);
      }
    }
  }
};

template <class Dot>
constexpr Qs8Conv2dAlgorithm dense(Isa isa, std::string_view name, std::string_view tile) {
  using Kernel = Dense<Dot>;
  return {.name = name, .tile = tile, .isa = isa, .is_depthwise = false, .refusal = Kernel::refusal,
          .cycles = Kernel::cycles, .packed_bytes = Kernel::packed_bytes, .pack = Kernel::pack,
          .scratch_bytes = Kernel::scratch_bytes, .run = Kernel::run};
}

}  // namespace
}  // namespace etalon::kernels
