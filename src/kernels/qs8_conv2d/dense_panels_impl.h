// Convolutions that mix channels, as products of matrices: rows are output pixels, columns output channels, and what is
// summed over are the taps. Here is what does not depend on how a sum ends: weights in panels, pixels in rows, and the
// walk over both. `Dot` says how an ISA stores and multiplies; see tile_avx2_impl.h for what it must have.
//
// Weights are packed into panels of Dot::kColumns channels:
//
//   header: kWords words of 4 bytes of every column | weights [taps / kGroup][columns][kGroup]
//
// with columns in the order that Dot::slot() wants. The last panel is half as wide if that is enough. Input rows are
// gathered into the scratch, so that a tile walks through both operands in order; where pixels already lie like that,
// they are read in place.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace etalon::kernels {
namespace {

template <class Dot, std::int64_t kWords>
struct DensePanels {
  using Stored = typename Dot::Stored;
  static constexpr std::int64_t kColumns = Dot::kColumns, kNarrow = Dot::kNarrowColumns, kRows = Dot::kRows;
  static constexpr std::int64_t kHeaderBytes = kColumns * 4 * kWords;

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

  // A channel as it lies in the panels.
  struct Column {
    std::byte* panel;
    std::int64_t slot, columns;  // of the panel

    template <class Word>
    Word& word(std::int64_t i) const { return reinterpret_cast<Word*>(panel)[i * kColumns + slot]; }
  };

  // Returns the sum of the weights.
  static std::uint32_t pack_weights(const Layout& l, const std::int8_t* filter, const Column& to) {
    auto* to_group = reinterpret_cast<std::int8_t*>(to.panel + kHeaderBytes) + to.slot * Dot::kGroup;
    const std::int64_t whole = l.taps / Dot::kGroup * Dot::kGroup;
    for (std::int64_t k = 0; k < whole; k += Dot::kGroup, to_group += to.columns * Dot::kGroup) {
      __builtin_memcpy(to_group, filter + k, Dot::kGroup);
    }
    for (std::int64_t k = whole; k < l.taps; ++k) to_group[k - whole] = filter[k];
    std::uint32_t sum = 0;
    for (std::int64_t k = 0; k < l.taps; ++k) sum += static_cast<std::uint32_t>(filter[k]);
    return sum;
  }

  // Packs OHWI filters. write_header(channel, sum of its weights, its Column) fills in the rest.
  template <class WriteHeader>
  static void pack_panels(const Conv2dShape& s, const std::int8_t* filter, void* packed,
                          const WriteHeader& write_header) {
    const Layout l = layout_of(s);
    __builtin_memset(packed, 0, packed_bytes(s));
    for (std::int64_t g = 0; g < s.groups; ++g) {
      for (std::int64_t c = 0; c < l.out_per_group; ++c) {
        const std::int64_t first = c / kColumns * kColumns, channel = g * l.out_per_group + c;
        const bool is_narrow = l.out_per_group - first <= kNarrow;
        const Column to{static_cast<std::byte*>(packed) + g * l.group_bytes + c / kColumns * l.panel_bytes,
                        is_narrow ? Dot::narrow_slot(c - first) : Dot::slot(c - first), is_narrow ? kNarrow : kColumns};
        write_header(channel, pack_weights(l, filter + channel * l.taps, to), to);
      }
    }
  }

  // Conversions may write a little beyond what they should, which the next one then overwrites.
  static constexpr std::int64_t kSlackBytes = 256;

  static std::size_t gathered_bytes(const Conv2dShape& s, const Machine& machine) {
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

  // Rows and panels to multiply.
  struct Block {
    std::int64_t row, rows, group, panel_begin, panel_end;  // panels of the group
  };

  // zero_of(i) is the zero point of the i-th row. Counts pixels up, because finding each by division would take longer
  // than to copy a few channels.
  template <class ZeroOf>
  static void gather(const Conv2dShape& shape, const Layout& layout, const std::int8_t* input, const Block& block,
                     const ZeroOf& zero_of, Stored* to) {
    const Conv2dShape s = shape;  // of its own: bytes that are stored might else be the shape's
    const Layout l = layout;
    Pixel at{block.row / (s.out_h * s.out_w), block.row / s.out_w % s.out_h, block.row % s.out_w};
    const std::int8_t* first = input + block.group * l.in_per_group;
    for (std::int64_t r = 0, rows = block.rows; r < rows; ++r, to += l.padded_taps) {
      gather_pixel(s, l, first, at, zero_of(r), to);
      if (++at.x < s.out_w) continue;
      at.x = 0;
      if (++at.y < s.out_h) continue;
      at.y = 0;
      ++at.image;
    }
  }

  // Rows are split evenly, so that 49 of them become seven tiles of 7 and not six of 8 and one of 1. `finish` is a copy,
  // which compilers keep in registers: stored bytes might change anything that others know the address of.
  template <class In, class Finish, class Out>
  static void run_panel(const In* a, std::int64_t a_stride, std::int64_t rows, const Layout& l, const std::byte* panel,
                        Finish finish, bool is_narrow, std::int64_t columns, Out* out, std::int64_t out_stride) {
    const auto* weights = reinterpret_cast<const std::int8_t*>(panel + kHeaderBytes);
    const std::int64_t tiles = (rows + kRows - 1) / kRows;
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t row = rows * t / tiles, count = rows * (t + 1) / tiles - row;
      Dot::tile(count, is_narrow, a + row * a_stride, a_stride, weights, l.padded_taps / Dot::kGroup,
                finish.of_rows(row), out + row * out_stride, out_stride, columns);
    }
  }

  // Multiplies gathered rows, or those of the tensor if there are none. `out` is where the block's first row and the
  // group's first channel go. finish.of_panel() and, of what that returns, of_rows() say how the sums of a tile end.
  template <class Finish, class Out>
  static void run_panels(const Conv2dShape& s, const Layout& l, const Block& block, const std::int8_t* input,
                         const Stored* gathered, const void* packed, const Finish& finish, Out* out) {
    for (std::int64_t i = block.panel_begin; i < block.panel_end; ++i) {
      const std::int64_t left = l.out_per_group - i * kColumns, columns = left < kColumns ? left : kColumns;
      const std::byte* panel = static_cast<const std::byte*>(packed) + block.group * l.group_bytes + i * l.panel_bytes;
      const auto ends = finish.of_panel(panel, kColumns);
      Out* to = out + i * kColumns;
      if constexpr (Dot::kReadsInput) {
        if (gathered == nullptr) {
          run_panel(input + block.row * s.in_pixel_stride, s.in_pixel_stride, block.rows, l, panel, ends,
                    left <= kNarrow, columns, to, s.out_pixel_stride);
          continue;
        }
      }
      run_panel(gathered, l.padded_taps, block.rows, l, panel, ends, left <= kNarrow, columns, to, s.out_pixel_stride);
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

  // Calls run_block(layout, block) for all that is this worker's.
  template <class RunBlock>
  static void walk(const Conv2dShape& s, const Machine& machine, unsigned worker, unsigned workers,
                   const RunBlock& run_block) {
    const Layout l = layout_of(s);
    const Share share = share_of(s, l, worker, workers);
    const std::int64_t at_once = rows_at_once(s, l, machine);
    for (std::int64_t group = share.panel_begin / l.panels; group * l.panels < share.panel_end; ++group) {
      const std::int64_t first = group * l.panels;
      const std::int64_t begin = share.panel_begin > first ? share.panel_begin - first : 0;
      const std::int64_t end = share.panel_end - first < l.panels ? share.panel_end - first : l.panels;
      for (std::int64_t row = share.row_begin; row < share.row_end; row += at_once) {
        const std::int64_t left = share.row_end - row;
        run_block(l, Block{row, left < at_once ? left : at_once, group, begin, end});
      }
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
