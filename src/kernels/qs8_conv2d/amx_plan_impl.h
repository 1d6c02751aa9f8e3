// How a convolution of bytes becomes products of tiles: rows are output positions, columns output channels.
//
// What a position sums over are `runs` of bytes that lie one after another, each of them cut into chunks of 64 bytes, of
// which one tile holds 16 positions. Tiles are read from where they lie, as long as neighbouring positions are equally far
// apart:
//
//   in place   1x1 kernels: the tensor itself, one run of all channels
//   padded     kernels without stride: a copy of some lines of the image with its padding, where a run is a row of the
//              kernel; what lies between the lines of the output is computed as well, and dropped
//   gathered   all else: each position's taps side by side, one run
//
// A run may be read beyond its end, as weights are zero there. Include one kernels/simd/<isa>.h first.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/lanes_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kTileRows = 16, kChunk = 64;       // positions of a tile, and bytes of each
constexpr std::int64_t kTileBytes = kTileRows * kChunk;
constexpr std::int64_t kTileColumns = 16, kPanel = 2 * kTileColumns;  // channels of a tile of sums, and of two

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return div_up(n, to) * to; }

enum class TileInput : std::uint8_t { kInPlace, kPadded, kGathered };

// Positions are counted along lines: single pixels, or the output's lines with what lies between them.
struct TilePlan {
  TileInput input = TileInput::kGathered;
  std::int64_t in_per_group, out_per_group, taps;
  std::int64_t runs_y = 1, runs_x = 1, run_taps, chunks;
  std::int64_t run_step_y = 0, run_step_x = 0;  // bytes
  std::int64_t position_step;                   // bytes
  std::int64_t pitch = 1, line_outputs = 1;     // positions from line to line, and those that count
  std::int64_t lines;                           // of all images
  std::int64_t lines_per_image;
  std::int64_t halo = 0;                        // lines of input beyond those of the output
  std::int64_t panels;                          // of a group

  std::int64_t steps() const { return runs_y * runs_x * chunks; }
  std::int64_t positions(std::int64_t of_lines) const { return (of_lines - 1) * pitch + line_outputs; }
  std::int64_t weight_bytes(std::int64_t tiles_wide) const { return steps() * tiles_wide * kTileBytes; }
  std::int64_t columns_of(std::int64_t panel) const { return smaller(kPanel, out_per_group - panel * kPanel); }
  std::int64_t tiles_wide(std::int64_t panel) const { return div_up(columns_of(panel), kTileColumns); }
  std::int64_t panel_bytes(std::int64_t header) const { return header + weight_bytes(2); }  // of all but the last
  std::int64_t group_bytes(std::int64_t header) const {
    return (panels - 1) * panel_bytes(header) + header + weight_bytes(tiles_wide(panels - 1));
  }
};

// One side's padding serves as the other's of the line before.
inline std::int64_t padded_pitch(const Conv2dShape& s) {
  const std::int64_t right = s.out_w - 1 + (s.kernel_w - 1) * s.dilation_w - s.pad_left - (s.in_w - 1);
  return s.in_w + larger(larger(s.pad_left, right), 0);
}

inline void plan_gathered(const Conv2dShape& s, TilePlan& plan) {
  plan.run_taps = plan.taps;
  plan.chunks = div_up(plan.taps, kChunk);
  plan.position_step = plan.chunks * kChunk;
  plan.lines = plan.lines_per_image = s.batch * s.out_h * s.out_w;
}

inline void plan_padded(const Conv2dShape& s, TilePlan& plan) {
  plan.input = TileInput::kPadded;
  plan.runs_y = s.kernel_h, plan.runs_x = s.dilation_w == 1 ? 1 : s.kernel_w;
  plan.run_taps = plan.taps / (plan.runs_y * plan.runs_x);
  plan.chunks = div_up(plan.run_taps, kChunk);
  plan.pitch = padded_pitch(s), plan.line_outputs = s.out_w;
  plan.position_step = s.in_c;
  plan.run_step_y = s.dilation_h * plan.pitch * s.in_c, plan.run_step_x = s.dilation_w * s.in_c;
  plan.lines = s.batch * s.out_h, plan.lines_per_image = s.out_h;
  plan.halo = (s.kernel_h - 1) * s.dilation_h;
}

// A product of tiles with its loads takes 22 cycles if all rows are used, and half of that at least.
inline double tile_cycles(std::int64_t rows) { return 5.5 + static_cast<double>(larger(rows, 10)) * 1.03; }

// Rows that each of the tiles should have, so that the last is no smaller than the others.
inline std::int64_t tile_rows(std::int64_t positions) { return div_up(positions, div_up(positions, kTileRows)); }

// Cycles of the products of `images` images, or of all if lines are pixels, and of copying what they read.
inline double product_cycles(const Conv2dShape& s, const TilePlan& plan) {
  const std::int64_t positions = plan.positions(plan.lines_per_image), tiles = div_up(positions, kTileRows);
  const auto products = static_cast<double>(tiles * div_up(plan.out_per_group, kTileColumns) * plan.steps());
  const double copied = plan.input == TileInput::kInPlace ? 0
                        : plan.input == TileInput::kPadded ? 2 + static_cast<double>(s.in_c) / 12
                                                           : 4 + static_cast<double>(plan.taps) / 16;
  const double images = static_cast<double>(plan.lines) / static_cast<double>(plan.lines_per_image);
  return images * static_cast<double>(s.groups) *
         (products * tile_cycles(tile_rows(positions)) + copied * static_cast<double>(positions));
}

inline TilePlan plan_of(const Conv2dShape& s) {
  TilePlan plan{};
  plan.in_per_group = s.in_c / s.groups, plan.out_per_group = s.out_c / s.groups;
  plan.taps = s.kernel_h * s.kernel_w * plan.in_per_group;
  plan.panels = div_up(plan.out_per_group, kPanel);
  TilePlan gathered = plan;
  plan_gathered(s, gathered);
  if (s.is_pointwise()) {
    gathered.input = TileInput::kInPlace;
    gathered.position_step = s.in_pixel_stride;
    return gathered;
  }
  if (s.stride_h != 1 || s.stride_w != 1 || s.groups != 1) return gathered;
  plan_padded(s, plan);
  return product_cycles(s, plan) < product_cycles(s, gathered) ? plan : gathered;
}

// Lines of output that are computed with one copy of their input. While all weights stay in L2, these are so few that the
// copy stays in L1. Larger weights are walked through once for as many lines as L2 holds.
inline std::int64_t lines_at_once(const TilePlan& plan, std::int64_t weight_bytes, const Machine& machine) {
  const auto l1 = static_cast<std::int64_t>(machine.l1_bytes), l2 = static_cast<std::int64_t>(machine.l2_bytes);
  const bool is_large = weight_bytes > l2 / 2;
  if (plan.input == TileInput::kPadded) {
    const std::int64_t line_bytes = plan.pitch * plan.position_step;
    const std::int64_t in_l1 = is_large ? 0 : l1 / 2 / line_bytes - plan.halo;
    const std::int64_t fit = in_l1 >= 2 * plan.halo ? in_l1 : (is_large ? l2 / 2 : l2 / 4) / line_bytes - plan.halo;
    return smaller(larger(fit, 1), plan.lines_per_image);
  }
  const std::int64_t room = is_large ? l2 / 2 : l1 / 2, all = plan.lines;
  const std::int64_t most = larger(room / (plan.chunks * kChunk) / kPanel * kPanel, 2 * kPanel);
  return most >= all ? all : round_up(div_up(all, div_up(all, most)), kPanel);  // about the same each time
}

}  // namespace
}  // namespace etalon::kernels
