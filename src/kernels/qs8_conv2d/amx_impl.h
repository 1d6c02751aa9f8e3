// Convolutions of bytes on a tile unit, for any end of a sum; see amx_plan_impl.h for what becomes a tile.
//
// Weights are packed into panels of 32 channels:
//
//   header: Finish::kHeaderBytes, of which the first 128 are what sums start from | tiles [run][chunk][1 or 2][16][16][4]
//
// `Tiles` is the tile unit: the machine's, or one in plain C++ that lets all else be tested anywhere. `Bytes` copies bytes,
// `Finish` makes outputs of sums and knows the order of channels in a panel; see amx_plain_impl.h for both.
#pragma once

#include "kernels/qs8_conv2d/amx_plan_impl.h"
#include "kernels/qs8_conv2d/dense_panels_impl.h"

namespace etalon::kernels {
namespace {

// Sums that left the tiles and are not outputs yet.
struct TileSums {
  alignas(64) std::int32_t at[kPanel + 4][kPanel];  // rows behind the last are read, never used
  const std::byte* panel;
  std::int64_t channel, columns;  // the first of the panel, and how many
  const std::int64_t* targets;    // the output pixel of each row; negative for what is dropped
  std::int64_t rows, done;
};

// OHWI filters to panels. write_header(channel, sum of its weights, panel, slot) fills in the rest.
template <class Finish, class WriteHeader>
void pack_tiles(const Conv2dShape& s, const TilePlan& plan, const std::int8_t* filter, std::byte* packed,
                const WriteHeader& write_header) {
  constexpr std::int64_t kHeader = Finish::kHeaderBytes;
  for (std::int64_t channel = 0; channel < s.out_c; ++channel) {
    const std::int64_t c = channel % plan.out_per_group, p = c / kPanel, wide = plan.tiles_wide(p);
    const std::int64_t slot = wide == 2 ? Finish::slot(c % kPanel) : c % kPanel;
    std::byte* panel = packed + channel / plan.out_per_group * plan.group_bytes(kHeader) + p * plan.panel_bytes(kHeader);
    auto* tile = reinterpret_cast<std::int8_t*>(panel + kHeader) + slot / kTileColumns * kTileBytes + slot % kTileColumns * 4;
    const std::int8_t* from = filter + channel * plan.taps;
    std::uint32_t sum = 0;
    for (std::int64_t run = 0; run < plan.runs_y * plan.runs_x; ++run) {
      for (std::int64_t k = 0; k < plan.run_taps; ++k, ++from) {
        tile[(run * plan.chunks + k / kChunk) * wide * kTileBytes + k % kChunk / 4 * kChunk + k % 4] = *from;
        sum += static_cast<std::uint32_t>(*from);
      }
    }
    write_header(channel, sum, panel, slot);
  }
}

// Where the bytes of tiles lie.
struct TileSource {
  const std::int8_t* at;
  std::int64_t step;  // from row to row
};

template <class Tiles, class Bytes, class Finish>
class TileRun {
  using Gathering = DensePanels<Bytes, 2>;

 public:
  TileRun(const Conv2dShape& shape, const Machine& machine, const std::int8_t* input, const std::byte* packed,
          std::byte* scratch, const Finish& finish)
      : s_(shape), plan_(plan_of(shape)), lines_(lines_at_once(plan_, plan_.group_bytes(Finish::kHeaderBytes), machine)),
        is_large_(2 * plan_.group_bytes(Finish::kHeaderBytes) > static_cast<std::int64_t>(machine.l2_bytes)),
        finish_(finish), input_(input), packed_(packed) {
    copied_ = reinterpret_cast<std::int8_t*>(scratch);
    std::byte* at = scratch + copied_bytes(s_, plan_, lines_);
    sums_ = reinterpret_cast<TileSums*>(at);
    targets_ = reinterpret_cast<std::int64_t*>(at + sizeof(TileSums));
    pixels_ = reinterpret_cast<std::byte*>(targets_ + targets(plan_, lines_));
  }

  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine& machine) {
    const TilePlan plan = plan_of(s);
    const std::int64_t lines = lines_at_once(plan, plan.group_bytes(Finish::kHeaderBytes), machine);
    return static_cast<std::size_t>(copied_bytes(s, plan, lines) + 8 * targets(plan, lines) +
                                    Finish::kPixelBytes * lines * plan.line_outputs) +
           sizeof(TileSums);
  }

  void work(unsigned worker, unsigned workers) {
    const Share share = share_of(worker, workers);
    if (share.line_begin == share.line_end || share.panel_begin == share.panel_end) return;
    sums_->rows = sums_->done = 0;
    for (std::int64_t group = share.panel_begin / plan_.panels; group * plan_.panels < share.panel_end; ++group) {
      const std::int64_t first = group * plan_.panels;
      const std::int64_t begin = larger(share.panel_begin - first, 0), end = smaller(share.panel_end - first, plan_.panels);
      for (std::int64_t line = share.line_begin; line < share.line_end;) {
        const std::int64_t left = smaller(share.line_end - line, plan_.lines_per_image - line % plan_.lines_per_image);
        const std::int64_t count = smaller(lines_, left);
        run_block(group, line, count, begin, end);
        line += count;
      }
    }
    unit_.release();
  }

 private:
  struct Share {
    std::int64_t line_begin, line_end, panel_begin, panel_end;  // panels of all groups
  };

  // The worker with most to do decides; and if weights come from memory, each had better read its own.
  Share share_of(std::int64_t worker, std::int64_t workers) const {
    const std::int64_t panels = plan_.panels * s_.groups;
    const std::int64_t unit = plan_.input == TileInput::kPadded ? 1 : kTileRows, units = div_up(plan_.lines, unit);
    const std::int64_t by_lines = div_up(units, workers) * panels, by_panels = div_up(panels, workers) * units;
    if (is_large_ ? by_lines < by_panels : by_lines <= by_panels) {
      return {plan_.lines * worker / workers, plan_.lines * (worker + 1) / workers, 0, panels};
    }
    return {0, plan_.lines, panels * worker / workers, panels * (worker + 1) / workers};
  }

  static std::int64_t targets(const TilePlan& plan, std::int64_t lines) {
    return plan.positions(lines) + div_up(plan.positions(lines), kTileRows);
  }

  // The last positions read beyond the tensor where a run does not fill its chunks; those are copied.
  static std::int64_t unsafe_rows(const Conv2dShape& s, const TilePlan& plan) {
    return smaller(plan.lines, div_up(plan.chunks * kChunk - s.in_c, s.in_pixel_stride));
  }

  static std::int64_t copied_bytes(const Conv2dShape& s, const TilePlan& plan, std::int64_t lines) {
    switch (plan.input) {
      case TileInput::kInPlace: {
        const std::int64_t unsafe = unsafe_rows(s, plan);
        return unsafe == 0 ? 0 : round_up((unsafe + kTileRows) * plan.chunks * kChunk + Gathering::kSlackBytes, 64);
      }
      case TileInput::kPadded:
        return round_up((lines + plan.halo + 1) * plan.pitch * s.in_c + kChunk, 64);
      default:
        return round_up(lines * plan.position_step + Gathering::kSlackBytes, 64);
    }
  }

  // The input of `count` lines from `line` on.
  void take_input(std::int64_t group, std::int64_t line, std::int64_t count) {
    source_ = {copied_, plan_.position_step};
    safe_ = count;
    if (plan_.input == TileInput::kGathered) {
      const typename Gathering::Block block{line, count, group, 0, 0};
      Gathering::gather(s_, Gathering::layout_of(s_), input_, block,
                        [this, line](std::int64_t row) { return finish_.zero_of(line + row); }, copied_);
    } else if (plan_.input == TileInput::kPadded) {
      safe_ = plan_.positions(count);
      pad_lines(line, count + plan_.halo);
    } else {
      source_.at = input_ + line * s_.in_pixel_stride;
      copy_tail(line, count);
    }
  }

  void pad_lines(std::int64_t line, std::int64_t count) {
    const std::int64_t image = line / s_.out_h, first_y = line % s_.out_h - s_.pad_top;
    const std::int32_t zero = finish_.zero_of(line * s_.out_w);
    const auto bytes = [this](std::int64_t pixels) { return static_cast<std::size_t>(pixels * s_.in_c); };
    std::int8_t* to = copied_;
    for (std::int64_t y = first_y; y < first_y + count; ++y, to += plan_.pitch * s_.in_c) {
      if (y < 0 || y >= s_.in_h) {
        __builtin_memset(to, zero, bytes(plan_.pitch));
        continue;
      }
      __builtin_memset(to, zero, bytes(s_.pad_left));
      copy_line(input_ + (image * s_.in_h + y) * s_.in_w * s_.in_pixel_stride, to + s_.pad_left * s_.in_c);
      __builtin_memset(to + (s_.pad_left + s_.in_w) * s_.in_c, zero, bytes(plan_.pitch - s_.pad_left - s_.in_w));
    }
    __builtin_memset(to, zero, bytes(plan_.pitch - s_.in_w));
  }
  void copy_line(const std::int8_t* from, std::int8_t* to) const {
    if (s_.in_pixel_stride == s_.in_c) {
      __builtin_memcpy(to, from, static_cast<std::size_t>(s_.in_w * s_.in_c));
      return;
    }
    for (std::int64_t x = 0; x < s_.in_w; ++x) {
      __builtin_memcpy(to + x * s_.in_c, from + x * s_.in_pixel_stride, static_cast<std::size_t>(s_.in_c));
    }
  }

  void copy_tail(std::int64_t line, std::int64_t count) {
    const std::int64_t unsafe_from = plan_.lines - unsafe_rows(s_, plan_);
    safe_ = smaller(count, larger(unsafe_from - line, 0));
    if (safe_ == count) return;
    tail_from_ = larger(safe_ - kTileRows, 0);
    const std::int64_t step = plan_.chunks * kChunk;
    for (std::int64_t i = tail_from_; i < count; ++i) {
      Bytes::convert(source_.at + i * source_.step, s_.in_c, 0, copied_ + (i - tail_from_) * step);
    }
  }

  TileSource source_of(std::int64_t first) const {
    if (first + height_ <= safe_) return {source_.at + first * source_.step, source_.step};
    const std::int64_t step = plan_.chunks * kChunk;
    return {copied_ + (first - tail_from_) * step, step};
  }

  // The last tile ends with the last position, if need be by computing some of those before again.
  std::int64_t first_of(std::int64_t tile) const { return smaller(tile * height_, positions_ - height_); }

  void list_targets(std::int64_t line) {
    std::int64_t* to = targets_;
    const std::int64_t height = height_;
    for (std::int64_t t = 0; t < tiles_; ++t, to += height) {
      const std::int64_t first = first_of(t);
      if (plan_.pitch == 1) {
        for (std::int64_t i = 0; i < height; ++i) to[i] = line + first + i;
      } else {
        list_targets_of_tile(line + first / plan_.pitch, first % plan_.pitch, to);
      }
    }
  }
  void list_targets_of_tile(std::int64_t y, std::int64_t x, std::int64_t* to) const {
    for (std::int64_t i = 0; i < height_; ++i) {
      to[i] = x < plan_.line_outputs ? y * plan_.line_outputs + x : -1;
      if (++x == plan_.pitch) x = 0, ++y;
    }
  }

  void run_block(std::int64_t group, std::int64_t line, std::int64_t count, std::int64_t panel_begin, std::int64_t panel_end) {
    positions_ = plan_.positions(count), tiles_ = div_up(positions_, kTileRows);
    const std::int64_t height = tile_rows(positions_);
    if (height != height_) unit_.configure(static_cast<std::uint8_t>(height_ = height));
    finish_.take_pixels(line * plan_.line_outputs, count * plan_.line_outputs, pixels_);
    take_input(group, line, count);
    list_targets(line);
    const std::byte* panels = packed_ + group * plan_.group_bytes(Finish::kHeaderBytes);
    for (std::int64_t p = panel_begin; p < panel_end; ++p) {
      const std::int64_t channel = group * plan_.out_per_group + p * kPanel;
      const std::byte* panel = panels + p * plan_.panel_bytes(Finish::kHeaderBytes);
      if (plan_.tiles_wide(p) == 2) {
        run_panel<2>(panel, channel, plan_.columns_of(p));
      } else {
        run_panel<1>(panel, channel, plan_.columns_of(p));
      }
    }
    finish_all();
  }

  void finish_all() { wide_ == 2 ? finish_rows<2>(sums_->rows) : finish_rows<1>(sums_->rows); }

  template <int kWide>
  void run_panel(const std::byte* panel, std::int64_t channel, std::int64_t columns) {
    if (wide_ != kWide) finish_all();
    wide_ = kWide;
    const std::int64_t pairs = div_up(tiles_, 2), bytes = plan_.weight_bytes(kWide);
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      // What follows in memory is the next panel: its share of this pair's time.
      const std::byte* next = is_large_ ? panel + Finish::kHeaderBytes + bytes + bytes * pair / pairs : nullptr;
      const std::int64_t share = div_up(kWide * kTileBytes, pairs);
      if (2 * pair + 1 < tiles_) {
        multiply<2, kWide>(panel, 2 * pair, next, share);
      } else {
        multiply<1, kWide>(panel, 2 * pair, next, share);
      }
      sums_->panel = panel, sums_->channel = channel, sums_->columns = columns;
    }
  }

  // Sums of up to two tiles of positions. What the tiles left before becomes outputs meanwhile, step by step.
  template <int kHigh, int kWide>
  __attribute__((noinline)) void multiply(const std::byte* panel, std::int64_t tile, const std::byte* next, std::int64_t share) {
    const TileSource a = source_of(first_of(tile)), b = kHigh == 2 ? source_of(first_of(tile + 1)) : a;
    const auto* weights = reinterpret_cast<const std::int8_t*>(panel + Finish::kHeaderBytes);
    unit_.template load<0>(panel, 0);  // each row the same
    if constexpr (kWide == 2) unit_.template load<1>(panel + 64, 0);
    if constexpr (kHigh == 2) unit_.template load<2>(panel, 0);
    if constexpr (kHigh == 2 && kWide == 2) unit_.template load<3>(panel + 64, 0);
    const std::int64_t run_bytes = plan_.chunks * kChunk;
    const std::int64_t rows = round_up(div_up(sums_->rows, plan_.steps()), 4);  // so that none are left
    for (std::int64_t y = 0; y < plan_.runs_y; ++y) {
      for (std::int64_t x = 0; x < plan_.runs_x; ++x) {
        const std::int64_t run = y * plan_.run_step_y + x * plan_.run_step_x;
        for (std::int64_t k = run; k < run + run_bytes; k += kChunk, weights += kWide * kTileBytes) {
          unit_.template load<4>(a.at + k, a.step);
          unit_.template load<6>(weights, kChunk);
          unit_.template multiply<0, 4, 6>();
          if constexpr (kWide == 2) unit_.template load<7>(weights + kTileBytes, kChunk);
          if constexpr (kWide == 2) unit_.template multiply<1, 4, 7>();
          if constexpr (kHigh == 2) unit_.template load<5>(b.at + k, b.step);
          if constexpr (kHigh == 2) unit_.template multiply<2, 5, 6>();
          if constexpr (kHigh == 2 && kWide == 2) unit_.template multiply<3, 5, 7>();
          if (next != nullptr) {
            for (std::int64_t i = 0; i < share; i += 64) __builtin_prefetch(next + i, 0, 2);
            next += share;
          }
          finish_rows<kWide>(rows);
        }
      }
    }
    store<kHigh, kWide>(tile);
  }

  template <int kHigh, int kWide>
  ETALON_INLINE void store(std::int64_t tile) {
    constexpr std::int64_t kStep = kPanel * 4;
    unit_.template store<0>(sums_->at[0], kStep);
    if constexpr (kWide == 2) unit_.template store<1>(sums_->at[0] + kTileColumns, kStep);
    if constexpr (kHigh == 2) unit_.template store<2>(sums_->at[height_], kStep);
    if constexpr (kHigh == 2 && kWide == 2) unit_.template store<3>(sums_->at[height_] + kTileColumns, kStep);
    sums_->targets = targets_ + tile * height_;
    sums_->rows = kHigh * height_, sums_->done = 0;
  }

  // Up to `count` more rows, a multiple of four or all.
  template <int kWide>
  ETALON_INLINE void finish_rows(std::int64_t count) {
    const std::int64_t begin = sums_->done, end = smaller(begin + count, sums_->rows);
    if (begin >= end) return;
    finish_.template rows<kWide>(*sums_, begin, end);
    sums_->done = end;
  }

  const Conv2dShape s_;
  const TilePlan plan_;
  const std::int64_t lines_;  // at once
  const bool is_large_;       // weights, for L2
  Finish finish_;
  const std::int8_t* input_;
  const std::byte* packed_;
  std::int8_t* copied_;
  TileSums* sums_;
  std::int64_t* targets_;
  std::byte* pixels_;  // what Finish wants to know of each pixel of a block
  Tiles unit_;
  // Of the block at hand.
  TileSource source_{};
  std::int64_t positions_ = 0, tiles_ = 0, height_ = 0;
  int wide_ = 2;  // tiles of the sums that wait
  std::int64_t safe_ = 0, tail_from_ = 0;  // positions that can be read in place, and the first that is copied
};

}  // namespace
}  // namespace etalon::kernels
