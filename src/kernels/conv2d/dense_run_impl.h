// How convolutions with dense channels are walked as tiles of matrix products. Output pixels are sorted into regions
// whose taps inside the image are the same; taps outside cost nothing. Include one kernels/simd/<isa>.h first, and
// a pairs_<isa>_impl.h before this if floats stand for pairs of 16-bit numbers.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/tile_impl.h"

namespace etalon::kernels {
namespace {

PanelPlan plan_of(const Conv2dShape& s) {
  return {s.groups, s.out_c / s.groups, s.in_c / s.groups, s.kernel_h * s.kernel_w};
}

std::int64_t tile_rows_of(const PanelPlan& plan) {
  return smaller(rows_of(plan.width(0)), rows_of(plan.width(plan.count - 1)));
}

// By pixels every worker reads all weights, by channels all of the input; the smaller tile makes the better balance.
bool splits_pixels(const Conv2dShape& s, const PanelPlan& plan, unsigned workers) {
  const std::int64_t pixels = s.batch * s.out_h * s.out_w, tiles = div_up(pixels, tile_rows_of(plan));
  if (tiles < 20 * static_cast<std::int64_t>(workers) && tiles % static_cast<std::int64_t>(workers) != 0) return false;
  return plan.floats() <= s.batch * s.in_h * s.in_w * s.in_c || tiles >= 400;
}

// One axis of a convolution: which taps of an output position are inside the input.
struct Axis {
  std::int64_t in, out, kernel, stride, dilation, pad;

  std::int64_t origin(std::int64_t o) const { return o * stride - pad; }
  std::int64_t first_tap(std::int64_t o) const {
    return origin(o) >= 0 ? 0 : smaller(kernel, div_up(-origin(o), dilation));
  }
  std::int64_t end_tap(std::int64_t o) const {
    return origin(o) >= in ? 0 : smaller(kernel, div_up(in - origin(o), dilation));
  }
  // The first position after `o` whose taps differ.
  std::int64_t run_end(std::int64_t o) const {
    std::int64_t end = out;
    const std::int64_t first = first_tap(o), last = end_tap(o);
    if (first > 0) end = smaller(end, div_up(larger(0, pad - (first - 1) * dilation), stride));
    if (last > 0) end = smaller(end, div_up(larger(0, in + pad - (last - 1) * dilation), stride));
    return end;
  }
};

// A rectangle of output pixels and the taps that some of them (all, if uniform) have inside the image.
struct Region {
  std::int64_t y_begin, y_end, x_begin, x_end;
  std::int64_t ky_begin, ky_end, kx_begin, kx_end;
  bool uniform;

  std::int64_t pixels() const { return (y_end - y_begin) * (x_end - x_begin); }
  std::int64_t cost_of_pixel() const { return larger(1, (ky_end - ky_begin) * (kx_end - kx_begin)); }
};

// Tiles of equal height in a block; see TileRun.
struct Strip {
  const Tap* taps;
  std::int64_t taps_count;
  const float* const* inputs;
  const std::int64_t* pixels;
  std::int64_t rows, tiles;
  bool own_taps;
};

// A worker's scratch: a block of strips with all they point to, zeros to read outside of the image, and a panel whose
// weights have been multiplied by the input's scale.
struct Scratch {
  static constexpr std::int64_t kStrips = 64;
  std::int64_t taps_limit, inputs_limit, pixels_limit, zeros_size, panel_size;
  Strip* strips;
  Tap* taps;
  const float** inputs;
  std::int64_t* pixels;
  float* zeros;
  float* panel;
  std::size_t bytes = 0;

  Scratch(const Conv2dShape& s, std::byte* memory) {
    const PanelPlan plan = plan_of(s);
    taps_limit = larger(256, 2 * plan.taps);
    inputs_limit = larger(1024, 2 * plan.taps * kMaxRows);
    pixels_limit = 1024;
    zeros_size = s.in_c;
    panel_size = s.has_input_scale ? plan.widest() * plan.floats_per_vec() : 0;
    strips = carve<Strip>(memory, kStrips);
    taps = carve<Tap>(memory, taps_limit);
    inputs = carve<const float*>(memory, inputs_limit);
    pixels = carve<std::int64_t>(memory, pixels_limit);
    zeros = carve<float>(memory, zeros_size);
    panel = carve<float>(memory, panel_size);
  }

 private:
  template <class T>
  T* carve(std::byte* memory, std::int64_t count) {
    T* out = memory == nullptr ? nullptr : reinterpret_cast<T*>(memory + bytes);
    bytes += (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return out;
  }
};

class DenseRun {
 public:
  DenseRun(const Conv2dShape& shape, const Epilogue& epilogue, const Machine& machine, const Conv2dCall& call)
      : s_(shape), plan_(plan_of(s_)), epilogue_(epilogue), call_(call), scratch_(s_, call.scratch),
        ys_{s_.in_h, s_.out_h, s_.kernel_h, s_.stride_h, s_.dilation_h, s_.pad_top},
        xs_{s_.in_w, s_.out_w, s_.kernel_w, s_.stride_w, s_.dilation_w, s_.pad_left} {
    tile_rows_ = tile_rows_of(plan_);
    block_pixels_ = pixels_per_block(machine);
    prefetch_limit_ = static_cast<std::int64_t>(machine.l2_bytes * 5 / 8);
    __builtin_memset(scratch_.zeros, 0, static_cast<std::size_t>(scratch_.zeros_size) * sizeof(float));
    for_each_region([&](const Region& r) { cost_ += r.pixels() * r.cost_of_pixel(); });
    cost_ *= s_.batch;
  }

  void work(unsigned worker, unsigned workers) {
    if (workers == 1 || splits_pixels(s_, plan_, workers)) return work_on_part(worker, worker + 1, workers);
    split_channels(worker, workers);
  }

  // From the begin-th to the end-th of `all` equal parts of the pixels, all channels.
  void work_on_part(std::int64_t begin, std::int64_t end, std::int64_t all) {
    work_on(0, plan_.groups * plan_.count, cost_ * begin / all, cost_ * end / all);
  }

  // One worker's share of (panel, pixel) pairs in the order of panels: some whole panels and parts of two. Borders inside
  // of a panel are rounded, so that a panel of one tile goes to whoever has more of it.
  void split_channels(unsigned worker, unsigned workers) {
    const std::int64_t panels = plan_.groups * plan_.count, all = plan_.groups * plan_.vecs * cost_;
    const std::int64_t begin = all * worker / workers, end = all * (worker + 1) / workers;
    for (std::int64_t p = 0; p < panels; ++p) {
      const std::int64_t width = plan_.width(p % plan_.count);
      const std::int64_t first = (p / plan_.count * plan_.vecs + plan_.first_vec(p % plan_.count)) * cost_;
      const std::int64_t from = larger(0, begin - first), to = smaller(width * cost_, end - first);
      if (from >= to) continue;
      std::int64_t last = p + 1;
      if (from == 0 && to == width * cost_) last = whole_panels_until(p, end);
      work_on(p, last, (from + width / 2) / width, (to + width / 2) / width);
      p = last - 1;
    }
  }

 private:
  // Weights that stay in L2 are walked for small blocks, whose input and output stay there as well. Larger ones should
  // make their trip from memory as rarely as possible: as often as blocks of input fit beside one panel.
  std::int64_t pixels_per_block(const Machine& machine) const {
    const auto l2 = static_cast<std::int64_t>(machine.l2_bytes);
    const std::int64_t in_bytes = 4 * s_.in_c * smaller(s_.stride_h * s_.stride_w, plan_.taps);
    const std::int64_t panel_bytes = 4 * plan_.widest() * plan_.floats_per_vec();
    const std::int64_t pixels = 4 * plan_.floats() <= l2 / 2 ? l2 / 4 / (in_bytes + 4 * s_.out_c)
                                                              : larger(l2 / 4, l2 * 3 / 4 - panel_bytes) / in_bytes;
    return larger(4 * kMaxRows, pixels);
  }

  std::int64_t whole_panels_until(std::int64_t p, std::int64_t end) const {
    const std::int64_t panels = plan_.groups * plan_.count;
    for (++p; p < panels; ++p) {
      const std::int64_t vecs = p / plan_.count * plan_.vecs + plan_.first_vec(p % plan_.count) + plan_.width(p % plan_.count);
      if (vecs * cost_ > end) break;
    }
    return p;
  }

  // Rows at the edge are so few that splitting them by columns as well would leave tiles of one pixel.
  template <class Body>
  void for_each_region(const Body& body) const {
    for (std::int64_t y = 0; y < s_.out_h;) {
      const std::int64_t y_end = ys_.run_end(y);
      const std::int64_t ky = ys_.first_tap(y), ky_end = ys_.end_tap(y);
      if (y_end - y < 3 && xs_.run_end(0) != s_.out_w) {
        body(Region{y, y_end, 0, s_.out_w, ky, ky_end, 0, s_.kernel_w, false});
      } else {
        for (std::int64_t x = 0; x < s_.out_w;) {
          const std::int64_t x_end = xs_.run_end(x);
          body(Region{y, y_end, x, x_end, ky, ky_end, xs_.first_tap(x), xs_.end_tap(x), true});
          x = x_end;
        }
      }
      y = y_end;
    }
  }

  // Panels [panel_begin, panel_end) of the tiles that start in [cost_begin, cost_end).
  void work_on(std::int64_t panel_begin, std::int64_t panel_end, std::int64_t cost_begin, std::int64_t cost_end) {
    panel_begin_ = panel_begin, panel_end_ = panel_end;
    std::int64_t cost = 0;
    for (image_ = 0; image_ < s_.batch; ++image_) {
      for_each_region([&](const Region& r) {
        const std::int64_t each = r.cost_of_pixel(), pixels = r.pixels();
        if (cost < cost_end && cost + pixels * each > cost_begin) {
          add_region(r, div_up(larger(0, cost_begin - cost), each), div_up(smaller(pixels * each, cost_end - cost), each));
        }
        cost += pixels * each;
      });
      if (s_.has_input_scale) flush();
    }
    flush();
  }

  // Those tiles of a region that start at pixels [begin, end).
  void add_region(const Region& r, std::int64_t begin, std::int64_t end) {
    const std::int64_t pixels = r.pixels(), tiles = div_up(pixels, tile_rows_), low = pixels / tiles;
    const std::int64_t tall = pixels % tiles;  // that many tiles are one row higher
    const auto start = [&](std::int64_t tile) { return tile * low + smaller(tile, tall); };
    const auto tile_at = [&](std::int64_t pixel) {  // the first that starts there or later
      const std::int64_t in_tall = tall * (low + 1);
      return pixel <= in_tall ? div_up(pixel, low + 1) : tall + div_up(pixel - in_tall, low);
    };
    const std::int64_t tile_end = tile_at(end);
    for (std::int64_t tile = tile_at(begin); tile < tile_end;) {
      const std::int64_t rows = tile < tall ? low + 1 : low;
      const std::int64_t same = (tile < tall ? smaller(tall, tile_end) : tile_end) - tile;
      tile += r.uniform ? add_uniform(r, start(tile), rows, same) : add_mixed(r, start(tile), rows);
    }
  }

  bool has_room(std::int64_t taps, std::int64_t inputs, std::int64_t pixels) const {
    return strips_used_ < Scratch::kStrips && taps_used_ + taps <= scratch_.taps_limit &&
           inputs_used_ + inputs <= scratch_.inputs_limit && pixels_used_ + pixels <= smaller(block_pixels_, scratch_.pixels_limit);
  }

  const float* input_pixel(std::int64_t y, std::int64_t x) const {
    return call_.input + ((image_ * s_.in_h + y) * s_.in_w + x) * s_.in_pixel_stride;
  }

  Strip& add_strip(std::int64_t rows, std::int64_t tiles, bool own_taps) {
    Strip& strip = scratch_.strips[strips_used_++];
    strip = {scratch_.taps + taps_used_, 0, scratch_.inputs + inputs_used_, scratch_.pixels + pixels_used_, rows, tiles, own_taps};
    return strip;
  }

  // As many of the tiles as fit the block (at least one) as one strip.
  std::int64_t add_uniform(const Region& r, std::int64_t first_pixel, std::int64_t rows, std::int64_t tiles) {
    if (!has_room(plan_.taps, rows, rows)) flush();
    const std::int64_t room = smaller(smaller(block_pixels_, scratch_.pixels_limit) - pixels_used_, scratch_.inputs_limit - inputs_used_);
    tiles = larger(1, smaller(tiles, room / rows));
    Strip& strip = add_strip(rows, tiles, false);
    add_shared_taps(r, strip);
    const std::int64_t width = r.x_end - r.x_begin;
    std::int64_t y = r.y_begin + first_pixel / width, x = r.x_begin + first_pixel % width;
    const std::int64_t in_y = r.ky_begin * s_.dilation_h - s_.pad_top, in_x = r.kx_begin * s_.dilation_w - s_.pad_left;
    for (std::int64_t left = rows * tiles; left > 0;) {
      const std::int64_t run = smaller(left, r.x_end - x);
      // Without taps the pointer is only moved around.
      const float* from = strip.taps_count == 0 ? scratch_.zeros : input_pixel(y * s_.stride_h + in_y, x * s_.stride_w + in_x);
      add_pixels(from, strip.taps_count == 0 ? 0 : s_.stride_w * s_.in_pixel_stride, (image_ * s_.out_h + y) * s_.out_w + x, run);
      left -= run, x = r.x_begin, ++y;
    }
    return tiles;
  }

  void add_pixels(const float* input, std::int64_t step, std::int64_t pixel, std::int64_t count) {
    const float** inputs = scratch_.inputs + inputs_used_;
    std::int64_t* pixels = scratch_.pixels + pixels_used_;
    for (std::int64_t i = 0; i < count; ++i) inputs[i] = input + i * step, pixels[i] = pixel + i;
    inputs_used_ += count, pixels_used_ += count;
  }

  // Taps that follow each other in memory are one: a row of the kernel, if channels leave no gaps.
  void add_shared_taps(const Region& r, Strip& strip) {
    const bool whole_rows = s_.groups == 1 && s_.dilation_w == 1 && s_.in_pixel_stride == s_.in_c;
    const std::int64_t across = r.kx_end - r.kx_begin, step = whole_rows ? larger(1, across) : 1;
    for (std::int64_t ky = r.ky_begin; ky < r.ky_end; ++ky) {
      for (std::int64_t kx = r.kx_begin; kx < r.kx_end; kx += step) {
        const std::int64_t y = (ky - r.ky_begin) * s_.dilation_h, x = (kx - r.kx_begin) * s_.dilation_w;
        scratch_.taps[taps_used_++] = {(y * s_.in_w + x) * s_.in_pixel_stride, ky * s_.kernel_w + kx, step * plan_.k};
        ++strip.taps_count;
      }
    }
  }

  // One tile whose pixels have different taps inside: each gets its own pointers, to zeros where it is outside.
  std::int64_t add_mixed(const Region& r, std::int64_t first_pixel, std::int64_t rows) {
    if (!has_room(plan_.taps, plan_.taps * rows, rows)) flush();
    Strip& strip = add_strip(rows, 1, true);
    const std::int64_t width = r.x_end - r.x_begin;
    std::int64_t kx_begin = s_.kernel_w, kx_end = 0;
    for (std::int64_t i = first_pixel; i < first_pixel + rows; ++i) {
      const std::int64_t x = r.x_begin + i % width;
      kx_begin = smaller(kx_begin, xs_.first_tap(x)), kx_end = larger(kx_end, xs_.end_tap(x));
      scratch_.pixels[pixels_used_++] = (image_ * s_.out_h + r.y_begin + i / width) * s_.out_w + x;
    }
    for (std::int64_t ky = r.ky_begin; ky < r.ky_end; ++ky) {
      for (std::int64_t kx = kx_begin; kx < kx_end; ++kx) {
        scratch_.taps[taps_used_++] = {0, ky * s_.kernel_w + kx, plan_.k};
        ++strip.taps_count;
        for (std::int64_t i = first_pixel; i < first_pixel + rows; ++i) {
          const std::int64_t y = ys_.origin(r.y_begin + i / width) + ky * s_.dilation_h;
          const std::int64_t x = xs_.origin(r.x_begin + i % width) + kx * s_.dilation_w;
          scratch_.inputs[inputs_used_++] = x < 0 || x >= s_.in_w ? scratch_.zeros : input_pixel(y, x);
        }
      }
    }
    return 1;
  }

  void flush() {
    for (std::int64_t p = panel_begin_; p < panel_end_ && strips_used_ > 0; ++p) {
      run_panel(p / plan_.count, p % plan_.count, p + 1 < panel_end_);
    }
    strips_used_ = taps_used_ = inputs_used_ = pixels_used_ = 0;
  }

  // Weights come from L3 or further: while one panel is walked for all tiles, the start of the next is fetched, evenly.
  // Few tiles take no longer than the trip itself, which hardware prefetches as well.
  void plan_prefetch(TileRun& run, std::int64_t tiles, const float* next) const {
    if (tiles < 3) return;
    const std::int64_t panel_bytes = 4 * kPanelVecs * plan_.floats_per_vec();
    const std::int64_t bytes = smaller(panel_bytes, prefetch_limit_), steps = tiles * div_up(plan_.taps * plan_.k, kPrefetchEvery);
    run.prefetch = reinterpret_cast<const char*>(next);
    run.prefetch_end = run.prefetch + bytes;
    run.prefetch_step = div_up(div_up(bytes, steps), 64) * 64;
  }

  void run_panel(std::int64_t group, std::int64_t panel, bool is_followed) {
    const std::int64_t width = plan_.width(panel), channel = group * plan_.channels + plan_.first_vec(panel) * kLanes;
    TileRun run;
    run.panel = static_cast<const float*>(call_.packed) + plan_.offset(group, panel);
    if (s_.has_input_scale) run.panel = scaled_panel(run.panel, width, group);
    run.last_lanes = plan_.last_lanes(panel);
    run.a_shift = group * plan_.k;
    run.output = call_.output + channel;
    run.output_stride = s_.out_pixel_stride;
    run.residual = call_.residual == nullptr ? nullptr : call_.residual + channel;
    run.residual_stride = call_.residual_pixel_stride;
    run.epilogue = &epilogue_;
    run.tap_floats = plan_.k * width * kLanes;
    run.prefetch = run.prefetch_end = nullptr, run.prefetch_step = 0;
    if (is_followed) {
      std::int64_t tiles = 0;
      for (std::int64_t i = 0; i < strips_used_; ++i) tiles += scratch_.strips[i].tiles;
      plan_prefetch(run, tiles, static_cast<const float*>(call_.packed) + plan_.offset(group, panel) + width * plan_.floats_per_vec());
    }
    for (std::int64_t i = 0; i < strips_used_; ++i) {
      const Strip& strip = scratch_.strips[i];
      run.taps = strip.taps, run.taps_count = strip.taps_count;
      run.inputs = strip.inputs, run.own_taps = strip.own_taps;
      run.pixels = strip.pixels, run.tiles = strip.tiles;
      run.prefetch = plan_.tiles(panel).at[width][strip.rows](run);
    }
  }

  // Scaling the weights by the image's input_scale is scaling the input, and is done once for all pixels of a block.
  const float* scaled_panel(const float* panel, std::int64_t width, std::int64_t group) {
    const float* scale = call_.input_scale + image_ * s_.in_c + group * plan_.k;
    const std::int64_t row = width * kLanes;
    __builtin_memcpy(scratch_.panel, panel, static_cast<std::size_t>(row) * sizeof(float));
    const float* from = panel + row;
    float* to = scratch_.panel + row;
    for (std::int64_t tap = 0; tap < plan_.taps; ++tap) {
      for (std::int64_t k = 0; k < plan_.k; ++k, from += row, to += row) {
        const Vec factor = Vec::of(scale[k]);
        for (std::int64_t j = 0; j < row; j += kLanes) (Vec::load(from + j) * factor).store(to + j);
      }
    }
    return scratch_.panel;
  }

  Conv2dShape s_;
  PanelPlan plan_;
  const Epilogue& epilogue_;
  const Conv2dCall& call_;
  Scratch scratch_;
  Axis ys_, xs_;
  std::int64_t tile_rows_, block_pixels_, prefetch_limit_, cost_ = 0;
  std::int64_t image_ = 0, panel_begin_ = 0, panel_end_ = 0;
  std::int64_t strips_used_ = 0, taps_used_ = 0, inputs_used_ = 0, pixels_used_ = 0;
};

// Taps inside of the image, of all.
double inside_share(const Axis& axis) {
  double taps = 0;
  for (std::int64_t o = 0; o < axis.out;) {
    const std::int64_t end = axis.run_end(o);
    taps += static_cast<double>((end - o) * larger(0, axis.end_tap(o) - axis.first_tap(o)));
    o = end;
  }
  return taps / static_cast<double>(axis.out * axis.kernel);
}
double inside_share(const Conv2dShape& s) {
  return inside_share(Axis{s.in_h, s.out_h, s.kernel_h, s.stride_h, s.dilation_h, s.pad_top}) *
         inside_share(Axis{s.in_w, s.out_w, s.kernel_w, s.stride_w, s.dilation_w, s.pad_left});
}

const char* refusal_gemm(const Conv2dShape& s, const Epilogue&) {
  if (s.input_is_nchw) return "wants channels innermost";
  return s.is_pointwise() ? nullptr : "wants a 1x1 kernel with stride 1";
}

const char* refusal_igemm(const Conv2dShape& s, const Epilogue&) {
  if (s.input_is_nchw) return "wants channels innermost";
  return s.is_pointwise() ? "wants more than a 1x1 kernel with stride 1" : nullptr;
}

}  // namespace
}  // namespace etalon::kernels
