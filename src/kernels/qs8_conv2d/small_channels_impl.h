// Convolutions of up to four input channels, as a network's first layer is, of pixels or of planes (NCHW). A window
// is cut into runs of bytes that are neighbours in memory: in planes one row of the window of one channel, in NHWC one
// row of all channels. Of sixteen neighbouring pixels, the same four bytes of their runs are picked from one or two
// registers by one permutation of 16-bit words; so a row of output costs a few instructions per run before it is a
// product of matrices (thin_panels_avx512vnni_impl.h). What is left of runs when they are cut into fours is put
// together: of four runs of three bytes each, say, the last one's bytes fill the other three.
//
// Rows of the image are copied once, flipped to unsigned and with the zero point around them, into a ring of as many
// as the window is high. So nothing that reads them has to know of borders.
#pragma once

#include "kernels/qs8_conv2d/thin_panels_avx512vnni_impl.h"

namespace etalon::kernels {
namespace {

struct RunCut {
  static constexpr std::int64_t kMaxPixels = 128;  // at once
  static constexpr std::int64_t kBefore = 64;      // bytes of a line before the row's first

  std::int64_t lines_per_row, runs, length;
  std::int64_t step;                // bytes between the runs of neighbouring pixels
  std::int64_t whole, rest, steps;  // fours of a run, bytes left of it, fours of all
  std::int64_t row_bytes, left;     // of the image; of padding
  std::int64_t line_bytes, step_bytes;

  explicit RunCut(const Conv2dShape& s) {
    const std::int64_t together = s.input_is_nchw ? 1 : s.in_c;
    lines_per_row = s.in_c / together;
    runs = s.kernel_h * lines_per_row;
    length = s.kernel_w * together;
    step = s.stride_w * together;
    whole = length / 4, rest = length % 4;
    steps = runs * whole + runs / 4 * rest + (runs % 4 * rest + 3) / 4;
    row_bytes = s.in_w * together;
    left = s.pad_left * together;
    const std::int64_t pixels = round_up(s.out_w, 16), read = (pixels - 16) * step + 4 * whole + 128;
    line_bytes = kBefore + round_up(read > row_bytes ? read : row_bytes, 64);
    step_bytes = 4 * (pixels < kMaxPixels ? pixels : kMaxPixels);
  }

  static std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
  std::int64_t lines() const { return runs; }

  // Where the i-th byte of a run goes.
  std::int64_t place_of(std::int64_t run, std::int64_t i) const {
    if (i < 4 * whole) return (run * whole + i / 4) * 4 + i % 4;
    const std::int64_t base = 4 * (runs * whole + run / 4 * rest), j = i - 4 * whole;
    if (rest == 3 && run % 4 == 3) return base + 4 * j + 3;
    return base + (rest == 3 ? run % 4 * 4 : run % 4 * rest) + j;
  }
};

// Fours of bytes, a step apart, of sixteen pixels. `order` chooses words of one load, or of two where runs begin at
// odd bytes or lie too far apart.
template <bool kTwoLoads>
struct RunPicker {
  __m512i order;
  std::int64_t second;

  explicit RunPicker(std::int64_t step) : second(step % 2 == 1 ? 1 : 64) {
    alignas(64) std::uint16_t words[32];
    for (std::int64_t p = 0; p < 16; ++p) {
      const std::int64_t at = p * step, first = at % 2 == 1 ? 32 + (at - 1) / 2 : at / 2;
      words[2 * p] = static_cast<std::uint16_t>(first);
      words[2 * p + 1] = static_cast<std::uint16_t>(first + 1);
    }
    order = _mm512_load_si512(words);
  }

  __attribute__((always_inline)) __m512i operator()(const std::uint8_t* at) const {
    const __m512i x = _mm512_loadu_si512(at);
    if constexpr (!kTwoLoads) return _mm512_permutexvar_epi16(order, x);
    return _mm512_permutex2var_epi16(x, order, _mm512_loadu_si512(at + second));
  }
};

// Makes one of what is left of four runs: `put` takes each result in turn.
template <int kRest, class Put>
inline __attribute__((always_inline)) void join_rests(const __m512i (&x)[4], const Put& put) {
  const __m512i base = _mm512_set_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0, 0x0c0c0c0c, 0x08080808, 0x04040404, 0,
                                        0x0c0c0c0c, 0x08080808, 0x04040404, 0, 0x0c0c0c0c, 0x08080808, 0x04040404, 0);
  const auto byte = [&](int i) { return _mm512_add_epi8(base, _mm512_set1_epi8(static_cast<char>(i))); };
  if constexpr (kRest == 1) {
    __m512i all = _mm512_mask_shuffle_epi8(x[0], 0x2222222222222222u, x[1], base);
    all = _mm512_mask_shuffle_epi8(all, 0x4444444444444444u, x[2], base);
    put(_mm512_mask_shuffle_epi8(all, 0x8888888888888888u, x[3], base));
  } else if constexpr (kRest == 2) {
    put(_mm512_mask_blend_epi16(0xaaaaaaaau, x[0], _mm512_slli_epi32(x[1], 16)));
    put(_mm512_mask_blend_epi16(0xaaaaaaaau, x[2], _mm512_slli_epi32(x[3], 16)));
  } else if constexpr (kRest == 3) {
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) put(_mm512_mask_shuffle_epi8(x[i], 0x8888888888888888u, x[3], byte(i)));
  }
}

// Steps of `pixels` pixels, rounded up to sixteen, whose first runs lie at line[...].
template <int kRest, bool kTwoLoads>
__attribute__((noinline)) void cut_runs(const RunCut& cut, const std::uint8_t* const* line, std::int64_t pixels,
                                        std::uint8_t* steps) {
  const RunPicker<kTwoLoads> pick(cut.step);
  const std::int64_t runs = cut.runs, whole = cut.whole, pitch = cut.step_bytes, step = 16 * cut.step;
  const std::int64_t count = cut.steps;
  std::int64_t offset = 0;
  for (std::int64_t x = 0; x < pixels; x += 16, offset += step) {
    std::uint8_t* to = steps + 4 * x;
    const std::uint8_t* end = to + count * pitch;
    for (std::int64_t r = 0; r < runs; ++r) {
      for (std::int64_t i = 0; i < whole; ++i, to += pitch) _mm512_store_si512(to, pick(line[r] + offset + 4 * i));
    }
    if constexpr (kRest > 0) {
      for (std::int64_t r = 0; r < runs; r += 4) {
        __m512i x4[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) x4[i] = pick(line[r + i] + offset + 4 * whole);
        join_rests<kRest>(x4, [&](__m512i joined) {
          if (to < end) _mm512_store_si512(to, joined);
          to += pitch;
        });
      }
    }
  }
}

class SmallChannelsRun {
 public:
  SmallChannelsRun(const Conv2dShape& shape, const Qs8Conv2dParams& params, const Qs8Conv2dCall& call)
      : s_(shape), p_(params), call_(call), cut_(shape), panels_{shape.out_c, cut_.steps} {
    lines_ = reinterpret_cast<std::uint8_t*>(call.scratch);
    steps_ = lines_ + cut_.lines() * cut_.line_bytes;
    staged_ = reinterpret_cast<std::int8_t*>(steps_ + cut_.steps * cut_.step_bytes);
  }

  static std::size_t scratch_bytes(const Conv2dShape& s) {
    const RunCut cut(s);
    const std::int64_t staged = s.out_w < kThinMaxRows ? kThinMaxRows * s.out_c : 0;
    return static_cast<std::size_t>(cut.lines() * cut.line_bytes + cut.steps * cut.step_bytes + staged);
  }

  // Rows of all images, divided evenly.
  void work(unsigned worker, unsigned workers) {
    fill(lines_, cut_.lines() * cut_.line_bytes);
    const std::int64_t rows = s_.batch * s_.out_h, end = rows * (worker + 1) / workers;
    std::int64_t have = 0;  // rows of the image before this one are in the ring
    for (std::int64_t row = rows * worker / workers, y = row % s_.out_h; row < end; ++row) {
      const std::int64_t image = row / s_.out_h, first = y * s_.stride_h - s_.pad_top;
      if (have < first || y == 0 || row == rows * worker / workers) have = first;
      for (; have < first + s_.kernel_h; ++have) copy_row(image, have);
      compute_row(first, call_.output + row * s_.out_w * s_.out_pixel_stride);
      if (++y == s_.out_h) y = 0;
    }
  }

 private:
  std::uint8_t* line_of(std::int64_t row) const {
    const std::int64_t slot = row % s_.kernel_h;
    return lines_ + (slot < 0 ? slot + s_.kernel_h : slot) * cut_.lines_per_row * cut_.line_bytes;
  }

  void fill(std::uint8_t* to, std::int64_t n) const {
    const __m512i zero = _mm512_set1_epi8(static_cast<char>(p_.input_zero_point + 128));
    for (std::int64_t i = 0; i < n; i += 64) _mm512_mask_storeu_epi8(to + i, first_bytes(n - i), zero);
  }

  void copy_row(std::int64_t image, std::int64_t y) const {
    const std::int64_t n = cut_.row_bytes, planes = cut_.lines_per_row;
    std::uint8_t* to = line_of(y) + RunCut::kBefore;
    for (std::int64_t plane = 0; plane < planes; ++plane, to += cut_.line_bytes) {
      if (y < 0 || y >= s_.in_h) fill(to, n);
      else flip_bytes(call_.input + ((image * planes + plane) * s_.in_h + y) * n, n, to);
    }
  }

  // `y` is the first row of the windows.
  void compute_row(std::int64_t y, std::int8_t* out) const {
    const std::uint8_t* line[kMaxRuns + 3];
    for (std::int64_t ky = 0, r = 0; ky < s_.kernel_h; ++ky) {
      const std::uint8_t* first = line_of(y + ky) + RunCut::kBefore - cut_.left;
      for (std::int64_t plane = 0; plane < cut_.lines_per_row; ++plane) line[r++] = first + plane * cut_.line_bytes;
    }
    for (int i = 0; i < 3; ++i) line[cut_.runs + i] = line[0];  // meet no weights
    for (std::int64_t x = 0; x < s_.out_w;) {
      const std::int64_t pixels = thin_share(s_.out_w - x, RunCut::kMaxPixels);
      cut_pixels(line, pixels);
      multiply(pixels, out + x * s_.out_pixel_stride);
      for (std::int64_t r = 0; r < cut_.runs + 3; ++r) line[r] += pixels * cut_.step;
      x += pixels;
    }
  }

  void cut_pixels(const std::uint8_t* const* line, std::int64_t pixels) const {
    if (takes_two_loads(cut_.step)) cut_pixels<true>(line, pixels);
    else cut_pixels<false>(line, pixels);
  }
  template <bool kTwoLoads>
  void cut_pixels(const std::uint8_t* const* line, std::int64_t pixels) const {
    switch (cut_.rest) {
      case 0: return cut_runs<0, kTwoLoads>(cut_, line, pixels, steps_);
      case 1: return cut_runs<1, kTwoLoads>(cut_, line, pixels, steps_);
      case 2: return cut_runs<2, kTwoLoads>(cut_, line, pixels, steps_);
      default: return cut_runs<3, kTwoLoads>(cut_, line, pixels, steps_);
    }
  }

  // Fewer pixels than a tile has are multiplied elsewhere, and then copied.
  void multiply(std::int64_t pixels, std::int8_t* out) const {
    const bool is_staged = pixels < kThinMaxRows;
    std::int8_t* to = is_staged ? staged_ : out;
    const std::int64_t stride = is_staged ? s_.out_c : s_.out_pixel_stride;
    panels_.run(StepsInOrder{steps_, cut_.step_bytes}, is_staged ? kThinMaxRows : pixels,
                static_cast<const std::byte*>(call_.packed), p_, to, stride);
    translate_thin(p_, to, pixels, s_.out_c, stride);
    if (!is_staged) return;
    for (std::int64_t i = 0; i < pixels; ++i) {
      __builtin_memcpy(out + i * s_.out_pixel_stride, to + i * s_.out_c, static_cast<std::size_t>(s_.out_c));
    }
  }

 public:
  static constexpr std::int64_t kMaxChannels = 4, kMaxKernel = 7, kMaxRuns = kMaxChannels * kMaxKernel;
  static bool takes_two_loads(std::int64_t step) { return step % 2 == 1 || step > 4; }

 private:
  const Conv2dShape s_;
  const Qs8Conv2dParams p_;
  const Qs8Conv2dCall call_;
  const RunCut cut_;
  const ThinPanels panels_;
  std::uint8_t* lines_;
  std::uint8_t* steps_;
  std::int8_t* staged_;
};

struct SmallChannels {
  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
    if (s.groups != 1) return "wants one group";
    if (s.in_c > SmallChannelsRun::kMaxChannels) return "wants at most four input channels";
    const std::int64_t kernel = s.kernel_h > s.kernel_w ? s.kernel_h : s.kernel_w;
    if (kernel > SmallChannelsRun::kMaxKernel) return "wants a small kernel";
    if (s.dilation_h != 1 || s.dilation_w != 1) return "does not do dilation";
    if (s.pad_left > s.kernel_w) return "wants less padding than kernel";
    if (!s.input_is_nchw && s.in_pixel_stride != s.in_c) return "wants pixels without gaps";
    const std::int64_t step = RunCut(s).step;
    return step <= 4 || step == 6 || step == 8 ? nullptr : "wants a stride of 1 or 2";
  }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const RunCut cut(s);
    const auto pixels = static_cast<double>(s.batch * s.out_h * s.out_w);
    const double cutting = static_cast<double>(cut.runs * (cut.whole + 1) + cut.steps) / 16;
    const double product = static_cast<double>((s.out_c + 15) / 16) * (static_cast<double>(cut.steps) / 2 + 1.2);
    return pixels * (cutting + product) + static_cast<double>(s.batch * s.out_h) * 100;
  }

  static ThinPanels panels(const Conv2dShape& s) { return {s.out_c, RunCut(s).steps}; }
  static std::size_t packed_bytes(const Conv2dShape& s) { return static_cast<std::size_t>(panels(s).bytes()); }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    const RunCut cut(s);
    const auto place_of = [&](std::int64_t tap) {
      const std::int64_t ky = tap / (s.kernel_w * s.in_c), i = tap % (s.kernel_w * s.in_c);
      return s.input_is_nchw ? cut.place_of(ky * s.in_c + i % s.in_c, i / s.in_c) : cut.place_of(ky, i);
    };
    panels(s).pack(p, w, s.kernel_h * s.kernel_w * s.in_c, place_of, static_cast<std::byte*>(packed));
  }

  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine&) { return SmallChannelsRun::scratch_bytes(s); }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine&, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    SmallChannelsRun(s, p, call).work(worker, workers);
  }
};

constexpr Qs8Conv2dAlgorithm small_channels(Isa isa, std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = isa, .is_depthwise = false, .refusal = SmallChannels::refusal,
          .cycles = SmallChannels::cycles, .packed_bytes = SmallChannels::packed_bytes, .pack = SmallChannels::pack,
          .scratch_bytes = SmallChannels::scratch_bytes, .run = SmallChannels::run, .reads_planes = true};
}

}  // namespace
}  // namespace etalon::kernels
