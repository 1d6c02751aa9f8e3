// Convolutions of few input channels, such as a network's first layer: a register tile of output pixels of one row and
// two registers of output channels, over "runs" of input that are contiguous in memory. In NHWC a run is one row of the
// window, all its columns and channels; in planes (NCHW) it is one row of the window of one channel. So the model's
// planar input is read as it is, without a transposed copy. Runs outside the image are left out; only windows that
// cross the left or right edge are copied, with zeros, to scratch. Include a kernels/simd header and
// kernels/vector/math_impl.h first.
//
// Packed: per panel of two registers of output channels the bias and then, run by run, the weights of its elements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/finish_pass_impl.h"

namespace etalon::kernels {
namespace {

constexpr auto kLanes = static_cast<std::int64_t>(Vec::kLanes);
constexpr std::int64_t kPanel = 2 * kLanes;
// Pixels of a tile that is two registers of channels wide, and of one that is one register wide.
constexpr int kMaxPixels = (Vec::kRegisters - 4) / 2, kMaxNarrowPixels = 2 * kMaxPixels;

// How the input is cut into runs.
struct RunPlan {
  std::int64_t runs_per_row;  // of the window
  std::int64_t runs, length;  // of the whole window; elements of a run
  std::int64_t step;          // floats between the runs of neighbouring output pixels
  std::int64_t pixels;        // of a full tile
  std::int64_t window;        // floats from the first to the last element of a full tile's runs
  std::int64_t panels;

  explicit RunPlan(const Conv2dShape& s) {
    runs_per_row = s.input_is_nchw ? s.in_c : 1;
    runs = s.kernel_h * runs_per_row;
    length = s.kernel_w * (s.input_is_nchw ? 1 : s.in_c);
    step = s.stride_w * (s.input_is_nchw ? 1 : s.in_c);
    pixels = s.out_c <= kLanes ? kMaxNarrowPixels : kMaxPixels;
    window = (pixels - 1) * step + length;
    panels = (s.out_c + kPanel - 1) / kPanel;
  }
  std::int64_t panel_floats() const { return kPanel * (1 + runs * length); }
  std::int64_t scratch_floats() const { return 2 * round16(runs * length) + runs * round16(window) + pixels * kPanel; }
  static std::int64_t round16(std::int64_t n) { return (n + 15) / 16 * 16; }
};

struct PixelTile {
  const float* input;
  const std::int32_t* offsets;  // of the elements of the first pixel's window that lie inside the image, in floats
  std::int64_t count, step;
  const float* bias;
  const float* weights;  // of the first of these elements
  float* output;
  std::int64_t out_pixel;
  std::size_t n;  // channels of the last register
  float min, max;
  bool hardswish;
};

template <int kPixels, int kVecs>
__attribute__((noinline)) void compute_pixels(const PixelTile& t) {
  Vec sums[kPixels][kVecs];
#pragma GCC unroll 2
  for (int j = 0; j < kVecs; ++j) {
    const Vec bias = Vec::load(t.bias + j * kLanes);
#pragma GCC unroll 32
    for (int i = 0; i < kPixels; ++i) sums[i][j] = bias;
  }
  const std::int64_t step = t.step;
  const float* w = t.weights;
  for (std::int64_t e = 0; e < t.count; ++e, w += kPanel) {
    const float* x = t.input + t.offsets[e];
    Vec weight[kVecs];
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) weight[j] = Vec::load(w + j * kLanes);
#pragma GCC unroll 32
    for (int i = 0; i < kPixels; ++i) {
      const Vec value = Vec::of(x[i * step]);
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) sums[i][j] = fma(value, weight[j], sums[i][j]);
    }
  }
  if (t.hardswish) {
#pragma GCC unroll 32
    for (int i = 0; i < kPixels; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) sums[i][j] = hardswish(sums[i][j]);
    }
  }
  const Vec low = Vec::of(t.min), high = Vec::of(t.max);
#pragma GCC unroll 32
  for (int i = 0; i < kPixels; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) {
      const Vec y = clamp(sums[i][j], low, high);
      float* out = t.output + i * t.out_pixel + j * kLanes;
      if (j + 1 < kVecs) {
        y.store(out);
      } else {
        y.store(out, t.n);
      }
    }
  }
}

using ComputePixels = void (*)(const PixelTile&);
struct PixelTable {
  ComputePixels narrow[kMaxNarrowPixels + 1] = {}, wide[kMaxPixels + 1] = {};
  template <int kPixels>
  constexpr void fill() {
    narrow[kPixels] = compute_pixels<kPixels, 1>;
    if constexpr (kPixels <= kMaxPixels) wide[kPixels] = compute_pixels<kPixels, 2>;
    if constexpr (kPixels > 1) fill<kPixels - 1>();
  }
  constexpr PixelTable() { fill<kMaxNarrowPixels>(); }
};
constexpr PixelTable kPixelTable;

class FewChannelsRun {
 public:
  FewChannelsRun(const Conv2dShape& shape, const Epilogue& epilogue, const Conv2dCall& call)
      : s_(shape), plan_(shape), epilogue_(epilogue), call_(call) {
    const std::int64_t elements = plan_.runs * plan_.length;
    offsets_ = reinterpret_cast<std::int32_t*>(call.scratch);
    window_offsets_ = offsets_ + RunPlan::round16(elements);
    window_ = reinterpret_cast<float*>(window_offsets_ + RunPlan::round16(elements));
    sums_ = window_ + plan_.runs * RunPlan::round16(plan_.window);
    for (std::int64_t i = 0; i < elements; ++i) {
      window_offsets_[i] = static_cast<std::int32_t>(i / plan_.length * RunPlan::round16(plan_.window) + i % plan_.length);
    }
    staged_ = epilogue.residual != Epilogue::Residual::kNone ||
              (epilogue.activation != Activation::kNone && epilogue.activation != Activation::kHardswish);
    row_floats_ = s_.in_w * (s_.input_is_nchw ? 1 : s_.in_c);
  }

  // Rows of all images, divided evenly.
  void work(unsigned worker, unsigned workers) {
    const std::int64_t rows = s_.batch * s_.out_h;
    for (std::int64_t row = rows * worker / workers; row < rows * (worker + 1) / workers; ++row) {
      compute_row(row / s_.out_h, row % s_.out_h);
    }
  }

 private:
  void compute_row(std::int64_t image, std::int64_t y) {
    const float* input = call_.input + image * s_.in_c * s_.in_h * s_.in_w;
    const std::int64_t tiles = (s_.out_w + plan_.pixels - 1) / plan_.pixels;
    find_runs(y);
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t x = s_.out_w * tile / tiles, pixels = s_.out_w * (tile + 1) / tiles - x;
      // In floats from the start of a row of the input.
      const std::int64_t begin = (x * s_.stride_w - s_.pad_left) * (s_.input_is_nchw ? 1 : s_.in_c);
      const std::int64_t floats = (pixels - 1) * plan_.step + plan_.length;
      const bool inside = begin >= 0 && begin + floats <= row_floats_;
      if (!inside) copy_window(input + row_start_, begin, floats);
      for (std::int64_t panel = 0; panel < plan_.panels; ++panel) {
        compute_tile(inside ? input + row_start_ + begin : window_, inside ? offsets_ : window_offsets_,
                     (image * s_.out_h + y) * s_.out_w + x, pixels, panel);
      }
    }
  }

  // From the start of the first row inside the image to that of a run.
  std::int64_t offset_of(std::int64_t run) const {
    const std::int64_t row = (run - first_run_) / plan_.runs_per_row * s_.dilation_h;
    return (run % plan_.runs_per_row * s_.in_h + row) * row_floats_;
  }

  // Rows of the window that lie inside the image follow each other, and so do their runs.
  void find_runs(std::int64_t y) {
    const std::int64_t top = y * s_.stride_h - s_.pad_top;
    std::int64_t first = 0, last = s_.kernel_h;
    while (first < last && top + first * s_.dilation_h < 0) ++first;
    while (last > first && top + (last - 1) * s_.dilation_h >= s_.in_h) --last;
    first_run_ = first * plan_.runs_per_row;
    runs_ = (last - first) * plan_.runs_per_row;
    row_start_ = runs_ == 0 ? 0 : (top + first * s_.dilation_h) * row_floats_;
    for (std::int64_t run = 0; run < runs_; ++run) {
      const std::int64_t offset = offset_of(first_run_ + run);
      std::int32_t* to = offsets_ + run * plan_.length;
      for (std::int64_t i = 0; i < plan_.length; ++i) to[i] = static_cast<std::int32_t>(offset + i);
    }
  }

  void copy_window(const float* rows, std::int64_t begin, std::int64_t floats) {
    const std::int64_t before = std::clamp<std::int64_t>(-begin, 0, floats);
    const std::int64_t end = std::clamp<std::int64_t>(row_floats_ - begin, before, floats);
    for (std::int64_t run = 0; run < runs_; ++run) {
      const float* from = rows + offset_of(first_run_ + run);
      float* to = window_ + run * RunPlan::round16(plan_.window);
      copy_or_clear(nullptr, to, before);
      copy_or_clear(from + (begin + before), to + before, end - before);
      copy_or_clear(nullptr, to + end, floats - end);
    }
  }

  static ETALON_INLINE void copy_or_clear(const float* from, float* to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i += kLanes) {
      const auto n = static_cast<std::size_t>(std::min(kLanes, count - i));
      (from == nullptr ? Vec::zero() : Vec::load(from + i, n)).store(to + i, n);
    }
  }

  void compute_tile(const float* input, const std::int32_t* offsets, std::int64_t pixel, std::int64_t pixels,
                    std::int64_t panel) {
    PixelTile t;
    t.input = input;
    t.offsets = offsets;
    t.count = runs_ * plan_.length;
    t.step = plan_.step;
    t.out_pixel = staged_ ? kPanel : s_.out_pixel_stride;
    t.min = staged_ ? -__builtin_inff() : epilogue_.min;
    t.max = staged_ ? __builtin_inff() : epilogue_.max;
    t.hardswish = !staged_ && epilogue_.activation == Activation::kHardswish;
    const std::int64_t channel = panel * kPanel, channels = std::min(kPanel, s_.out_c - channel);
    const std::int64_t vecs = (channels + kLanes - 1) / kLanes;
    float* output = call_.output + pixel * s_.out_pixel_stride + channel;
    t.bias = static_cast<const float*>(call_.packed) + panel * plan_.panel_floats();
    t.weights = t.bias + kPanel * (1 + first_run_ * plan_.length);
    t.output = staged_ ? sums_ : output;
    t.n = static_cast<std::size_t>(channels - (vecs - 1) * kLanes);
    (vecs == 1 ? kPixelTable.narrow : kPixelTable.wide)[pixels](t);
    if (!staged_) return;
    const float* residual =
        call_.residual == nullptr ? nullptr : call_.residual + pixel * call_.residual_pixel_stride + channel;
    finish({sums_, kPanel, output, s_.out_pixel_stride, residual, call_.residual_pixel_stride, pixels,
            static_cast<std::size_t>(channels)},
           epilogue_);
  }

  const Conv2dShape& s_;
  const RunPlan plan_;
  const Epilogue& epilogue_;
  const Conv2dCall& call_;
  std::int32_t* offsets_;         // of the window's elements in the input
  std::int32_t* window_offsets_;  // in the copied window
  float* window_;
  float* sums_;
  std::int64_t row_floats_;
  // Of the output row at work.
  std::int64_t first_run_ = 0, runs_ = 0, row_start_ = 0;
  bool staged_;
};

const char* few_channels_refusal(const Conv2dShape& s, const Epilogue&) {
  if (s.groups != 1) return "wants one group";
  if (s.in_c * s.in_h * s.in_w > (std::int64_t{1} << 30)) return "wants a smaller image";
  if (s.dilation_w != 1) return "wants no dilation along rows";
  if (s.has_input_scale) return "does not scale its input";
  if (!s.input_is_nchw && s.in_pixel_stride != s.in_c) return "wants pixels without gaps";
  return !s.input_is_nchw && s.in_c > 4 ? "wants at most four input channels" : nullptr;
}

double few_channels_cycles(const Conv2dShape& s, const Machine&) {
  const RunPlan plan(s);
  const auto pixels = static_cast<double>(s.batch * s.out_h * s.out_w);
  const auto registers = static_cast<double>((s.out_c + kLanes - 1) / kLanes);
  const auto taps = static_cast<double>(plan.runs * plan.length), tiles = pixels / static_cast<double>(plan.pixels);
  return pixels * registers * (0.54 * taps + 1) + tiles * static_cast<double>(plan.runs) * 4;
}

std::size_t few_channels_packed_bytes(const Conv2dShape& s) {
  const RunPlan plan(s);
  return static_cast<std::size_t>(plan.panels * plan.panel_floats()) * sizeof(float);
}

void few_channels_pack(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  const RunPlan plan(s);
  auto* out = static_cast<float*>(packed);
  for (std::int64_t first = 0; first < plan.panels * kPanel; first += kPanel) {
    const auto put = [&](auto value_of) {
      for (std::int64_t o = first; o < first + kPanel; ++o) *out++ = o < s.out_c ? value_of(o) : 0.0f;
    };
    put([&](std::int64_t o) { return bias == nullptr ? 0.0f : bias[o]; });
    for (std::int64_t run = 0; run < plan.runs; ++run) {
      const std::int64_t ky = run / plan.runs_per_row, c = run % plan.runs_per_row;
      for (std::int64_t i = 0; i < plan.length; ++i) {
        const std::int64_t within = s.input_is_nchw ? i * s.in_c + c : i;  // of a row of the OHWI filter
        put([&](std::int64_t o) { return filter[(o * s.kernel_h + ky) * s.kernel_w * s.in_c + within]; });
      }
    }
  }
}

std::size_t few_channels_scratch_bytes(const Conv2dShape& s, const Machine&) {
  return static_cast<std::size_t>(RunPlan(s).scratch_floats()) * sizeof(float);
}

void few_channels_run(const Conv2dShape& s, const Epilogue& e, const Machine&, const Conv2dCall& call, unsigned worker,
                      unsigned workers) {
  FewChannelsRun(s, e, call).work(worker, workers);
}

constexpr Conv2dAlgorithm few_channels(std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = Isa::ETALON_ISA, .math = MathMode::kExact, .is_depthwise = false,
          .refusal = few_channels_refusal, .cycles = few_channels_cycles, .packed_bytes = few_channels_packed_bytes,
          .pack = few_channels_pack, .scratch_bytes = few_channels_scratch_bytes, .run = few_channels_run};
}

}  // namespace
}  // namespace etalon::kernels
