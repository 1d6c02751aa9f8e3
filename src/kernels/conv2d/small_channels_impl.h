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
constexpr int kMaxPixels = (Vec::kRegisters - 4) / 2;

// How the input is cut into runs.
struct RunPlan {
  std::int64_t runs_per_row;  // of the window
  std::int64_t runs, length;  // of the whole window; elements of a run
  std::int64_t step;          // floats between the runs of neighbouring output pixels
  std::int64_t window;        // floats from the first to the last element of a full tile's runs
  std::int64_t panels;

  explicit RunPlan(const Conv2dShape& s) {
    runs_per_row = s.input_is_nchw ? s.in_c : 1;
    runs = s.kernel_h * runs_per_row;
    length = s.kernel_w * (s.input_is_nchw ? 1 : s.in_c);
    step = s.stride_w * (s.input_is_nchw ? 1 : s.in_c);
    window = (kMaxPixels - 1) * step + length;
    panels = (s.out_c + kPanel - 1) / kPanel;
  }
  std::int64_t panel_floats() const { return kPanel * (1 + runs * length); }
  std::int64_t scratch_floats() const { return 4 * round16(runs) + runs * round16(window) + kMaxPixels * kPanel; }
  static std::int64_t round16(std::int64_t n) { return (n + 15) / 16 * 16; }
};

// A run of the window that lies inside the image.
struct InputRun {
  std::int64_t input;    // offset of the tile's first pixel's run, in floats
  std::int64_t weights;  // offset in the panel
};

struct PixelTile {
  const float* input;
  const InputRun* runs;
  std::int64_t count, length, step;
  const float* panel;
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
    const Vec bias = Vec::load(t.panel + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sums[i][j] = bias;
  }
  const std::int64_t step = t.step;
  for (std::int64_t r = 0; r < t.count; ++r) {
    const float* x = t.input + t.runs[r].input;
    const float* w = t.panel + t.runs[r].weights;
    const float* const end = w + t.length * kPanel;
    for (; w != end; w += kPanel, ++x) {
      Vec weight[kVecs];
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) weight[j] = Vec::load(w + j * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) {
        const Vec value = Vec::of(x[i * step]);
#pragma GCC unroll 2
        for (int j = 0; j < kVecs; ++j) sums[i][j] = fma(value, weight[j], sums[i][j]);
      }
    }
  }
  const Vec low = Vec::of(t.min), high = Vec::of(t.max);
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) {
      Vec y = sums[i][j];
      if (t.hardswish) y = hardswish(y);
      y = clamp(y, low, high);
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
  ComputePixels at[2][kMaxPixels + 1] = {};
  template <int kPixels>
  constexpr void fill() {
    at[0][kPixels] = compute_pixels<kPixels, 1>;
    at[1][kPixels] = compute_pixels<kPixels, 2>;
    if constexpr (kPixels > 1) fill<kPixels - 1>();
  }
  constexpr PixelTable() { fill<kMaxPixels>(); }
};
constexpr PixelTable kPixelTable;

class FewChannelsRun {
 public:
  FewChannelsRun(const Conv2dShape& shape, const Epilogue& epilogue, const Conv2dCall& call)
      : s_(shape), plan_(shape), epilogue_(epilogue), call_(call) {
    runs_ = reinterpret_cast<InputRun*>(call.scratch);
    window_ = reinterpret_cast<float*>(call.scratch) + 4 * RunPlan::round16(plan_.runs);
    sums_ = window_ + plan_.runs * RunPlan::round16(plan_.window);
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
    const std::int64_t tiles = (s_.out_w + kMaxPixels - 1) / kMaxPixels;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t x = s_.out_w * tile / tiles, pixels = s_.out_w * (tile + 1) / tiles - x;
      // In floats from the start of a row of the input.
      const std::int64_t begin = (x * s_.stride_w - s_.pad_left) * (s_.input_is_nchw ? 1 : s_.in_c);
      const std::int64_t floats = (pixels - 1) * plan_.step + plan_.length;
      const bool inside = begin >= 0 && begin + floats <= row_floats_;
      list_runs(y, inside ? begin : 0);
      const float* from = input;
      if (!inside) {
        copy_window(input, begin, floats);
        from = window_;
      }
      compute_tile(from, (image * s_.out_h + y) * s_.out_w + x, pixels);
    }
  }

  // Those inside the image, at `begin` floats after the start of their row.
  void list_runs(std::int64_t y, std::int64_t begin) {
    count_ = 0;
    for (std::int64_t ky = 0; ky < s_.kernel_h; ++ky) {
      const std::int64_t in_y = y * s_.stride_h - s_.pad_top + ky * s_.dilation_h;
      if (in_y < 0 || in_y >= s_.in_h) continue;
      for (std::int64_t c = 0; c < plan_.runs_per_row; ++c) {
        const std::int64_t run = ky * plan_.runs_per_row + c;
        runs_[count_++] = {(c * s_.in_h + in_y) * row_floats_ + begin, kPanel * (1 + run * plan_.length)};
      }
    }
  }

  void copy_window(const float* input, std::int64_t begin, std::int64_t floats) {
    const std::int64_t before = std::clamp<std::int64_t>(-begin, 0, floats);
    const std::int64_t end = std::clamp<std::int64_t>(row_floats_ - begin, before, floats);
    for (std::int64_t r = 0; r < count_; ++r) {
      const float* from = input + runs_[r].input;
      runs_[r].input = r * RunPlan::round16(plan_.window);
      float* to = window_ + runs_[r].input;
      std::fill(to, to + before, 0.0f);
      for (std::int64_t i = before; i < end; ++i) to[i] = from[begin + i];
      std::fill(to + end, to + floats, 0.0f);
    }
  }

  void compute_tile(const float* input, std::int64_t pixel, std::int64_t pixels) {
    PixelTile t;
    t.input = input;
    t.runs = runs_;
    t.count = count_;
    t.length = plan_.length;
    t.step = plan_.step;
    t.out_pixel = staged_ ? kPanel : s_.out_pixel_stride;
    t.min = staged_ ? -__builtin_inff() : epilogue_.min;
    t.max = staged_ ? __builtin_inff() : epilogue_.max;
    t.hardswish = !staged_ && epilogue_.activation == Activation::kHardswish;
    for (std::int64_t panel = 0; panel < plan_.panels; ++panel) {
      const std::int64_t channel = panel * kPanel, channels = std::min(kPanel, s_.out_c - channel);
      const std::int64_t vecs = (channels + kLanes - 1) / kLanes;
      float* output = call_.output + pixel * s_.out_pixel_stride + channel;
      t.panel = static_cast<const float*>(call_.packed) + panel * plan_.panel_floats();
      t.output = staged_ ? sums_ : output;
      t.n = static_cast<std::size_t>(channels - (vecs - 1) * kLanes);
      kPixelTable.at[vecs - 1][pixels](t);
      if (!staged_) continue;
      const float* residual =
          call_.residual == nullptr ? nullptr : call_.residual + pixel * call_.residual_pixel_stride + channel;
      finish({sums_, kPanel, output, s_.out_pixel_stride, residual, call_.residual_pixel_stride, pixels,
              static_cast<std::size_t>(channels)},
             epilogue_);
    }
  }

  const Conv2dShape& s_;
  const RunPlan plan_;
  const Epilogue& epilogue_;
  const Conv2dCall& call_;
  InputRun* runs_;
  float* window_;
  float* sums_;
  std::int64_t row_floats_, count_ = 0;
  bool staged_;
};

const char* few_channels_refusal(const Conv2dShape& s, const Epilogue&) {
  if (s.groups != 1) return "wants one group";
  if (s.dilation_w != 1) return "wants no dilation along rows";
  if (s.has_input_scale) return "does not scale its input";
  if (!s.input_is_nchw && s.in_pixel_stride != s.in_c) return "wants pixels without gaps";
  return !s.input_is_nchw && s.in_c > 4 ? "wants at most four input channels" : nullptr;
}

double few_channels_cycles(const Conv2dShape& s, const Machine&) {
  const RunPlan plan(s);
  const auto pixels = static_cast<double>(s.batch * s.out_h * s.out_w);
  const auto registers = static_cast<double>((s.out_c + kLanes - 1) / kLanes);
  const auto taps = static_cast<double>(plan.runs * plan.length), tiles = pixels / kMaxPixels;
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
