// float32 convolutions on bfloat16 tile products: a float is the sum of three bfloat16 numbers, of which each holds eight of
// its bits. Of the nine products of two such sums the six largest leave an error below float32's own rounding; with
// two parts each, the three largest of four leave 1e-5 of the result; one part each is plain bfloat16 arithmetic.
//
// The input's parts are laid out for tile loads: for 32 channels and one part, a line of 64 bytes per position.
// Positions are the pixels of a zero-padded image, one after the other, so that the pixels a tap sees for any 16 outputs
// in a row are 16 lines in a row; what lies between the rows of the output is computed as well, and dropped. A
// strided convolution has one such image for each remainder of the coordinates.
//
// `Tiles` is the tile unit: the machine's, or one in plain C++ that lets all else be tested anywhere. Include one
// kernels/simd/<isa>.h first.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/lanes_impl.h"
#include "kernels/vector/math_impl.h"

namespace etalon::kernels {

// What does the work when weights cannot be split.
#if defined(__AVX512BW__)
extern const Conv2dAlgorithm kGemmAvx512;
extern const Conv2dAlgorithm kIgemmAvx512;
#else
extern const Conv2dAlgorithm kGemmScalar;
extern const Conv2dAlgorithm kIgemmScalar;
#endif

namespace {

constexpr std::int64_t kTile = 16;                      // rows of a tile, and its columns in floats
constexpr std::int64_t kChunk = 32;                     // channels that one tile product sums over
constexpr std::int64_t kBlock = 2 * kTile;              // outputs of a block of tiles, each way
constexpr std::int64_t kTileHalves = kTile * kChunk;    // bfloat16 numbers in a tile: 1 KiB

// Beyond these the parts or their products could overflow, or most parts be subnormal, which tiles take for zero.
constexpr float kLargestInput = 0x1p60f, kLargestWeight = 0x1p40f;
constexpr bool is_splittable(float largest, float limit) { return largest == 0 || (largest < limit && largest > 1 / limit); }

using Half = std::uint16_t;  // a bfloat16 number: the upper half of a float

ETALON_INLINE std::uint32_t bits_of(float x) {
  std::uint32_t out;
  __builtin_memcpy(&out, &x, sizeof out);
  return out;
}
ETALON_INLINE float float_of(std::uint32_t bits) {
  float out;
  __builtin_memcpy(&out, &bits, sizeof out);
  return out;
}

// The parts of up to 32 floats, times `scale` if that is not null: part p goes to out + p * part_stride, zeros behind `count`.
// Returns the largest magnitude; a NaN counts as more than any number. A part that is followed by others may round ties away
// from zero; a single one rounds them to even, as all bfloat16 arithmetic does.
#if defined(__AVX512BW__)
ETALON_INLINE __m512i rounded_part(__m512 x, bool to_even) {
  const __m512i bits = _mm512_castps_si512(x), upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  if (!to_even) return _mm512_and_si512(_mm512_add_epi32(bits, _mm512_set1_epi32(0x8000)), upper);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  return _mm512_and_si512(_mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff)), upper);
}

template <int kParts>
ETALON_INLINE __m512i split_chunk(const float* x, const float* scale, std::int64_t count, Half* out, std::int64_t part_stride,
                                  __m512i largest) {
  const auto mask_of = [](std::int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xffff : n <= 0 ? 0 : (1 << n) - 1); };
  const __mmask16 mask_low = mask_of(count), mask_high = mask_of(count - 16);
  __m512 low = _mm512_maskz_loadu_ps(mask_low, x), high = _mm512_maskz_loadu_ps(mask_high, x + 16);
  if (scale != nullptr) {
    low = _mm512_mul_ps(low, _mm512_maskz_loadu_ps(mask_low, scale));
    high = _mm512_mul_ps(high, _mm512_maskz_loadu_ps(mask_high, scale + 16));
  }
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(low), magnitude));
  largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(high), magnitude));
  const __m512i step = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27, 25, 23,
                                        21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
#pragma GCC unroll 3
  for (int p = 0; p < kParts; ++p) {
    const __m512i a = rounded_part(low, kParts == 1), b = rounded_part(high, kParts == 1);
    _mm512_storeu_si512(out + p * part_stride, _mm512_permutex2var_epi16(a, step, b));
    low = _mm512_sub_ps(low, _mm512_castsi512_ps(a));
    high = _mm512_sub_ps(high, _mm512_castsi512_ps(b));
  }
  return largest;
}
using Largest = __m512i;
ETALON_INLINE Largest no_largest() { return _mm512_setzero_si512(); }
ETALON_INLINE float to_float(Largest l) { return float_of(_mm512_reduce_max_epu32(l)); }
#else
using Largest = std::uint32_t;
ETALON_INLINE Largest no_largest() { return 0; }
ETALON_INLINE float to_float(Largest l) { return float_of(l); }
template <int kParts>
ETALON_INLINE Largest split_chunk(const float* x, const float* scale, std::int64_t count, Half* out, std::int64_t part_stride,
                                  Largest largest) {
  for (std::int64_t i = 0; i < kChunk; ++i) {
    float rest = i < count ? (scale != nullptr ? x[i] * scale[i] : x[i]) : 0.0f;
    const std::uint32_t magnitude = bits_of(rest) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
    for (int p = 0; p < kParts; ++p) {
      const std::uint32_t half_ulp = kParts == 1 ? 0x7fffu + (bits_of(rest) >> 16 & 1u) : 0x8000u;
      const std::uint32_t part = (bits_of(rest) + half_ulp) & 0xffff0000u;
      out[p * part_stride + i] = static_cast<Half>(part >> 16);
      rest -= float_of(part);
    }
  }
  return largest;
}
#endif

// [16 channels][32 inputs] to the order of a tile of weights: [16 pairs of inputs][16 channels][2].
ETALON_INLINE void interleave_tile(const Half* from, Half* to) {
  for (std::int64_t channel = 0; channel < kTile; ++channel) {
    for (std::int64_t pair = 0; pair < kTile; ++pair) {
      __builtin_memcpy(to + (pair * kTile + channel) * 2, from + channel * kChunk + pair * 2, 2 * sizeof(Half));
    }
  }
}

// A pointwise layer is a column of pixels.
Conv2dShape as_column(const Conv2dShape& shape) {
  Conv2dShape s = shape;
  if (!s.is_pointwise()) return s;
  s.in_h = s.out_h = s.out_h * s.out_w;
  s.in_w = s.out_w = 1;
  if (s.has_input_scale) return s;
  s.in_h = s.out_h = s.out_h * s.batch;
  s.batch = 1;
  return s;
}

// One axis: taps fall into `images` padded images by their remainder, and into places there.
struct SplitAxis {
  std::int64_t in, out, kernel, stride, dilation, pad, step, images, reach;

  SplitAxis(std::int64_t in_, std::int64_t out_, std::int64_t kernel_, std::int64_t stride_, std::int64_t dilation_, std::int64_t pad_)
      : in(in_), out(out_), kernel(kernel_), stride(stride_), dilation(dilation_), pad(pad_), step(stride_) {
    for (std::int64_t rest = dilation % step; rest != 0;) {  // the greatest common divisor
      const std::int64_t next = step % rest;
      step = rest, rest = next;
    }
    images = kernel == 1 ? 1 : stride / step;
    reach = (kernel - 1) * dilation / stride;
  }
  std::int64_t image_of(std::int64_t tap) const { return tap * dilation % stride / step; }
  std::int64_t place_of(std::int64_t tap) const { return tap * dilation / stride; }
  // The input coordinate at a place of an image, out of range where padding is.
  std::int64_t input_at(std::int64_t image, std::int64_t place) const { return place * stride + image * step - pad; }
};

template <int kParts>
struct SplitPlan {
  Conv2dShape s;
  SplitAxis ys, xs;
  std::int64_t taps, chunks, panels, pitch;  // pitch: positions of a padded row

  explicit SplitPlan(const Conv2dShape& shape)
      : s(as_column(shape)), ys(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.dilation_h, s.pad_top),
        xs(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.dilation_w, s.pad_left), taps(s.kernel_h * s.kernel_w),
        chunks(div_up(s.in_c, kChunk)), panels(div_up(s.out_c, kBlock)), pitch(s.out_w + xs.reach) {}

  std::int64_t channels_of(std::int64_t panel) const { return smaller(kBlock, s.out_c - panel * kBlock); }
  std::int64_t panel_halves(std::int64_t width) const { return taps * chunks * kParts * width * kTileHalves; }
  std::int64_t weight_halves() const {
    return (panels - 1) * panel_halves(2) + panel_halves(div_up(channels_of(panels - 1), kTile));
  }
  std::int64_t bias_floats() const { return panels * kBlock; }
  std::size_t tile_bytes() const {
    return static_cast<std::size_t>(bias_floats()) * sizeof(float) + static_cast<std::size_t>(weight_halves()) * sizeof(Half);
  }

  std::int64_t positions(std::int64_t rows) const { return (rows + ys.reach) * pitch; }
  std::int64_t lines(std::int64_t rows) const {  // with what the last tile loads beyond the end
    return ys.images * xs.images * chunks * kParts * positions(rows) + kBlock;
  }
  // So many rows of output that their input's parts stay in L2 beside a panel of weights. Where all weights stay in L2 and
  // neighbouring blocks share no input, so many that they stay in L1, as writing to L2 is slow.
  std::int64_t rows_per_block(const Machine& machine) const {
    const auto l1 = static_cast<std::int64_t>(machine.l1_bytes), l2 = static_cast<std::int64_t>(machine.l2_bytes);
    const std::int64_t row_bytes = 64 * (lines(1) - lines(0));
    if (s.is_pointwise() && 2 * weight_halves() < l2 / 2) {
      return smaller(s.out_h, larger(2 * kBlock, l1 / 2 / row_bytes / kBlock * kBlock));
    }
    const std::int64_t budget = larger(l2 / 4, l2 * 3 / 4 - panel_halves(2) * static_cast<std::int64_t>(sizeof(Half)));
    return smaller(s.out_h, larger(s.out_w == 1 ? kBlock : 1, (budget - 64 * lines(0)) / row_bytes));
  }
};

// What precedes packed weights. Weights that cannot be split are packed for another algorithm instead.
struct alignas(64) SplitHeader {
  std::uint32_t is_split;
};

const Conv2dAlgorithm& unsplit_algorithm(const Conv2dShape& s) {
#if defined(__AVX512BW__)
  return s.is_pointwise() ? kGemmAvx512 : kIgemmAvx512;
#else
  return s.is_pointwise() ? kGemmScalar : kIgemmScalar;
#endif
}

// Small products added to large sums cost as much rounding as large ones: over a long sum they get their own.
enum class Products { kAll, kLargest, kSmall };

// The products of one block of tiles with all its weights. Tiles 0-3 are sums, 4-5 the input, 6-7 weights; their
// order is such that one operand of each product is in place already.
template <class Tiles, int kHigh, int kWide, int kParts>
struct TileBlock {
  Tiles& unit;
  std::int64_t part_lines;  // between the parts of the input, in lines

  template <int kPart>
  ETALON_INLINE void load_input(const Half* a) {
    unit.template load<4>(a + kPart * part_lines * kChunk);
    if constexpr (kHigh == 2) unit.template load<5>(a + (kPart * part_lines + kTile) * kChunk);
  }
  template <int kPart>
  ETALON_INLINE void load_weights(const Half* b) {
    unit.template load<6>(b + kPart * kWide * kTileHalves);
    if constexpr (kWide == 2) unit.template load<7>(b + (kPart * kWide + 1) * kTileHalves);
  }
  ETALON_INLINE void multiply() {
    unit.template multiply<0, 4, 6>();
    if constexpr (kWide == 2) unit.template multiply<1, 4, 7>();
    if constexpr (kHigh == 2) unit.template multiply<2, 5, 6>();
    if constexpr (kHigh == 2 && kWide == 2) unit.template multiply<3, 5, 7>();
  }
  template <Products kProducts>
  ETALON_INLINE void add_chunk(const Half* a, const Half* b) {
    if constexpr (kProducts == Products::kLargest || kParts == 1) {
      load_input<0>(a), load_weights<0>(b), multiply();
    } else if constexpr (kParts == 3) {
      load_input<2>(a), load_weights<0>(b), multiply();
      load_input<1>(a), multiply();
      load_weights<1>(b), multiply();
      load_input<0>(a), multiply();
      load_weights<2>(b), multiply();
      if constexpr (kProducts == Products::kAll) load_weights<0>(b), multiply();
    } else {
      load_input<1>(a), load_weights<0>(b), multiply();
      load_input<0>(a), multiply();
      load_weights<1>(b), multiply();
    }
  }
  ETALON_INLINE void zero() {
    unit.template zero<0>(), unit.template zero<1>(), unit.template zero<2>(), unit.template zero<3>();
  }
  ETALON_INLINE void store(float* sums) {
    unit.template store<0>(sums);
    if constexpr (kWide == 2) unit.template store<1>(sums + kTile);
    if constexpr (kHigh == 2) unit.template store<2>(sums + kTile * kBlock);
    if constexpr (kHigh == 2 && kWide == 2) unit.template store<3>(sums + kTile * kBlock + kTile);
  }
};

template <class Tiles, int kParts>
class SplitRun {
 public:
  SplitRun(const Conv2dShape& shape, const Epilogue& epilogue, const Machine& machine, const Conv2dCall& call)
      : plan_(shape), s_(plan_.s), epilogue_(epilogue), call_(call), rows_(plan_.rows_per_block(machine)),
        prefetches_(plan_.weight_halves() * 2 > static_cast<std::int64_t>(machine.l1_bytes)) {
    std::byte* at = call.scratch;
    input_ = reinterpret_cast<Half*>(at), at += 64 * plan_.lines(rows_);
    sums_ = reinterpret_cast<float*>(at), at += 2 * kBlock * kBlock * static_cast<std::int64_t>(sizeof(float));
    pixels_ = reinterpret_cast<std::int64_t*>(at);
    bias_ = reinterpret_cast<const float*>(static_cast<const std::byte*>(call.packed) + sizeof(SplitHeader));
    weights_ = reinterpret_cast<const Half*>(bias_ + plan_.bias_floats());
  }
  static std::size_t scratch_bytes(const Conv2dShape& shape, const Machine& machine) {
    const SplitPlan<kParts> plan(shape);
    const std::int64_t rows = plan.rows_per_block(machine);
    return static_cast<std::size_t>(64 * plan.lines(rows) + 2 * kBlock * kBlock * 4 + 8 * (plan.positions(rows) + kBlock));
  }

  void work(unsigned worker, unsigned workers) {
    const std::int64_t rows = s_.batch * s_.out_h, w = worker, all = workers;
    // The worker with most to do decides.
    const std::int64_t row_unit = s_.out_w == 1 ? kBlock : 1, units = div_up(rows, row_unit);
    const bool by_rows = div_up(units, all) * plan_.panels <= div_up(plan_.panels, all) * units;
    unit_.configure();
    if (by_rows) {
      work_on(smaller(rows, units * w / all * row_unit), smaller(rows, units * (w + 1) / all * row_unit), 0, plan_.panels);
    } else {
      work_on(0, rows, plan_.panels * w / all, plan_.panels * (w + 1) / all);
    }
    unit_.release();
  }

 private:
  void work_on(std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin, std::int64_t panel_end) {
    if (panel_begin == panel_end) return;
    for (std::int64_t row = row_begin; row < row_end;) {
      image_ = row / s_.out_h, y_ = row % s_.out_h;
      const std::int64_t count = smaller(smaller(rows_, row_end - row), s_.out_h - y_);
      run_block(count, panel_begin, panel_end);
      row += count;
    }
  }

  void run_block(std::int64_t rows, std::int64_t panel_begin, std::int64_t panel_end) {
    positions_ = plan_.positions(rows);
    const std::int64_t outputs = list_pixels(rows);
    const bool splittable = is_splittable(split_input(rows), kLargestInput);
    for (std::int64_t p = panel_begin; p < panel_end; ++p) {
      const Half* weights = weights_ + p * plan_.panel_halves(2);
      if (!splittable) {
        sum_panel_of_anything(p, weights, outputs);
      } else if (plan_.channels_of(p) > kTile) {
        run_panel<2>(p, weights, outputs);
      } else {
        run_panel<1>(p, weights, outputs);
      }
    }
  }

  // The output pixel at each position of the block, -1 between rows; returns how many positions there are.
  std::int64_t list_pixels(std::int64_t rows) {
    const std::int64_t outputs = (rows - 1) * plan_.pitch + s_.out_w;
    for (std::int64_t y = 0; y < rows; ++y) {
      for (std::int64_t x = 0; x < plan_.pitch && y * plan_.pitch + x < outputs; ++x) {
        pixels_[y * plan_.pitch + x] = x < s_.out_w ? (image_ * s_.out_h + y_ + y) * s_.out_w + x : -1;
      }
    }
    return outputs;
  }

  Half* line(std::int64_t image, std::int64_t chunk, std::int64_t position) const {
    return input_ + ((image * plan_.chunks + chunk) * kParts * positions_ + position) * kChunk;
  }

  // Returns the largest magnitude.
  float split_input(std::int64_t rows) {
    Largest largest = no_largest();
    for (std::int64_t iy = 0; iy < plan_.ys.images; ++iy) {
      for (std::int64_t ix = 0; ix < plan_.xs.images; ++ix) {
        for (std::int64_t y = 0; y < rows + plan_.ys.reach; ++y) {
          for (std::int64_t x = 0; x < plan_.pitch; ++x) {
            largest = split_pixel(iy * plan_.xs.images + ix, y * plan_.pitch + x, plan_.ys.input_at(iy, y_ + y),
                                  plan_.xs.input_at(ix, x), largest);
          }
        }
      }
    }
    return to_float(largest);
  }

  ETALON_INLINE Largest split_pixel(std::int64_t image, std::int64_t position, std::int64_t y, std::int64_t x, Largest largest) {
    const bool inside = y >= 0 && y < s_.in_h && x >= 0 && x < s_.in_w;
    if (!inside) {
      for (std::int64_t c = 0; c < plan_.chunks; ++c) {
        for (int p = 0; p < kParts; ++p) {
          __builtin_memset(line(image, c, position + p * positions_), 0, kChunk * sizeof(Half));
        }
      }
      return largest;
    }
    const float* from = call_.input + ((image_ * s_.in_h + y) * s_.in_w + x) * s_.in_pixel_stride;
    const float* scale = s_.has_input_scale ? call_.input_scale + image_ * s_.in_c : nullptr;
    for (std::int64_t c = 0; c < plan_.chunks; ++c) {
      largest = split_chunk<kParts>(from + c * kChunk, scale == nullptr ? nullptr : scale + c * kChunk, s_.in_c - c * kChunk,
                                    line(image, c, position), positions_ * kChunk, largest);
    }
    return largest;
  }

  template <int kWide>
  void run_panel(std::int64_t panel, const Half* weights, std::int64_t outputs) {
    const std::int64_t blocks = div_up(outputs, kBlock);
    for (std::int64_t i = 0; i < blocks; ++i) {
      const std::int64_t first = i * kBlock, rows = smaller(kBlock, outputs - first);
      // What follows in memory is the next panel: its share of this block's time.
      const Half* next = prefetches_ ? weights + plan_.panel_halves(kWide) * (blocks + i) / blocks : nullptr;
      const std::int64_t share = plan_.panel_halves(kWide) / blocks / (plan_.taps * plan_.chunks);
      const bool high = rows > kTile;
      if (kParts == 3 && plan_.taps * plan_.chunks > 2) {
        high ? run_tiles_of<2, kWide, Products::kLargest>(weights, first, next, share, sums_ + kBlock * kBlock)
             : run_tiles_of<1, kWide, Products::kLargest>(weights, first, next, share, sums_ + kBlock * kBlock);
        high ? run_tiles_of<2, kWide, Products::kSmall>(weights, first, nullptr, 0, sums_)
             : run_tiles_of<1, kWide, Products::kSmall>(weights, first, nullptr, 0, sums_);
        for (std::int64_t j = 0; j < rows * kBlock; j += kLanes) {
          (Vec::load(sums_ + j) + Vec::load(sums_ + kBlock * kBlock + j)).store(sums_ + j);
        }
      } else {
        high ? run_tiles_of<2, kWide, Products::kAll>(weights, first, next, share, sums_)
             : run_tiles_of<1, kWide, Products::kAll>(weights, first, next, share, sums_);
      }
      finish(panel, first, rows);
    }
  }

  template <int kHigh, int kWide, Products kProducts>
  __attribute__((noinline)) void run_tiles_of(const Half* weights, std::int64_t first, const Half* next, std::int64_t share,
                                              float* sums) {
    TileBlock<Tiles, kHigh, kWide, kParts> block{unit_, positions_};
    block.zero();
    for (std::int64_t ky = 0; ky < s_.kernel_h; ++ky) {
      for (std::int64_t kx = 0; kx < s_.kernel_w; ++kx) {
        const std::int64_t image = plan_.ys.image_of(ky) * plan_.xs.images + plan_.xs.image_of(kx);
        const Half* a = line(image, 0, plan_.ys.place_of(ky) * plan_.pitch + plan_.xs.place_of(kx) + first);
        for (std::int64_t c = 0; c < plan_.chunks; ++c) {
          if (next != nullptr) {
            for (std::int64_t i = 0; i < share; i += kChunk) __builtin_prefetch(next + i, 0, 2);
            next += share;
          }
          block.template add_chunk<kProducts>(a, weights);
          a += kParts * positions_ * kChunk, weights += kParts * kWide * kTileHalves;
        }
      }
    }
    block.store(sums);
  }

  // `rows` outputs from position `first` on, whose sums are [rows][kBlock].
  void finish(std::int64_t panel, std::int64_t first, std::int64_t rows) {
    const Epilogue& e = epilogue_;
    const std::int64_t channel = panel * kBlock, channels = plan_.channels_of(panel);
    const Vec low = Vec::of(e.min), high = Vec::of(e.max), alpha = Vec::of(e.alpha);
    with_activation(e.activation, [&](auto tag) {
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t pixel = pixels_[first + i];
        if (pixel < 0) continue;
        float* out = call_.output + pixel * s_.out_pixel_stride + channel;
        const float* residual =
            call_.residual == nullptr ? nullptr : call_.residual + pixel * call_.residual_pixel_stride + channel;
        for (std::int64_t j = 0; j < channels; j += kLanes) {
          const auto lanes = static_cast<std::size_t>(smaller(kLanes, channels - j));
          Vec x = Vec::load(sums_ + i * kBlock + j) + Vec::load(bias_ + channel + j);
          if (e.residual == Epilogue::Residual::kBeforeActivation) x = x + load_channels(residual + j, lanes);
          x = clamp(activate<decltype(tag)::kValue>(x, alpha), low, high);
          if (e.residual == Epilogue::Residual::kAfterActivation) x = x + load_channels(residual + j, lanes);
          store_channels(x, out + j, lanes);
        }
      }
    });
  }

  // Infinities and numbers too large or too small to be split: the same sums in float32, with the weights' parts added up
  // again. Slow; made for correctness.
  void sum_panel_of_anything(std::int64_t panel, const Half* weights, std::int64_t outputs) {
    const std::int64_t width = div_up(plan_.channels_of(panel), kTile);
    for (std::int64_t position = 0; position < outputs; ++position) {
      if (pixels_[position] < 0) continue;
      __builtin_memset(sums_, 0, kBlock * sizeof(float));
      const std::int64_t y = y_ + position / plan_.pitch, x = position % plan_.pitch;
      const Half* tap_weights = weights;
      for (std::int64_t ky = 0; ky < s_.kernel_h; ++ky) {
        for (std::int64_t kx = 0; kx < s_.kernel_w; ++kx, tap_weights += plan_.chunks * kParts * width * kTileHalves) {
          add_tap(tap_weights, width, y * s_.stride_h - s_.pad_top + ky * s_.dilation_h, x * s_.stride_w - s_.pad_left + kx * s_.dilation_w);
        }
      }
      finish(panel, position, 1);
    }
  }
  void add_tap(const Half* weights, std::int64_t width, std::int64_t y, std::int64_t x) {
    if (y < 0 || y >= s_.in_h || x < 0 || x >= s_.in_w) return;
    const float* from = call_.input + ((image_ * s_.in_h + y) * s_.in_w + x) * s_.in_pixel_stride;
    for (std::int64_t k = 0; k < s_.in_c; ++k) {
      const float a = s_.has_input_scale ? from[k] * call_.input_scale[image_ * s_.in_c + k] : from[k];
      const Half* tiles = weights + k / kChunk * kParts * width * kTileHalves;
      for (std::int64_t n = 0; n < width * kTile; ++n) {
        const Half* at = tiles + n / kTile * kTileHalves + (k % kChunk / 2 * kTile + n % kTile) * 2 + k % 2;
        float b = 0;
        for (int p = kParts - 1; p >= 0; --p) b += float_of(static_cast<std::uint32_t>(at[p * width * kTileHalves]) << 16);
        sums_[n] += a * b;
      }
    }
  }

  SplitPlan<kParts> plan_;
  Conv2dShape s_;
  const Epilogue& epilogue_;
  const Conv2dCall& call_;
  std::int64_t rows_;
  bool prefetches_;
  Half* input_;
  float* sums_;
  std::int64_t* pixels_;
  const float* bias_;
  const Half* weights_;
  Tiles unit_;
  std::int64_t positions_ = 0, image_ = 0, y_ = 0;
};

// One panel's tiles for one tap and 32 inputs: all parts.
template <int kParts>
void pack_split_chunk(const float* filter, std::int64_t stride, std::int64_t channels, std::int64_t width, std::int64_t count,
                      Half* out) {
  for (std::int64_t j = 0; j < width; ++j) {
    alignas(64) Half parts[kParts][kTileHalves];
    for (std::int64_t n = 0; n < kTile; ++n) {
      const std::int64_t channel = j * kTile + n;
      split_chunk<kParts>(filter + (channel < channels ? channel * stride : 0), nullptr, channel < channels ? count : 0,
                          parts[0] + n * kChunk, kTileHalves, no_largest());
    }
    for (int p = 0; p < kParts; ++p) interleave_tile(parts[p], out + (p * width + j) * kTileHalves);
  }
}

float largest_of(const float* x, std::int64_t count) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t magnitude = bits_of(x[i]) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return float_of(largest);
}

template <int kParts>
std::size_t packed_bytes_split(const Conv2dShape& s) {
  const std::size_t split = SplitPlan<kParts>(s).tile_bytes(), unsplit = unsplit_algorithm(s).packed_bytes(s);
  return sizeof(SplitHeader) + (split > unsplit ? split : unsplit);
}

template <int kParts>
void pack_split(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  const SplitPlan<kParts> plan(s);
  __builtin_memset(packed, 0, packed_bytes_split<kParts>(s));
  auto* header = static_cast<SplitHeader*>(packed);
  const std::int64_t length = plan.taps * s.in_c;
  header->is_split = is_splittable(largest_of(filter, length * s.out_c), kLargestWeight) ? 1 : 0;
  if (header->is_split == 0) return unsplit_algorithm(s).pack(s, filter, bias, header + 1);
  auto* biases = reinterpret_cast<float*>(header + 1);
  for (std::int64_t i = 0; i < s.out_c && bias != nullptr; ++i) biases[i] = bias[i];
  auto* out = reinterpret_cast<Half*>(biases + plan.bias_floats());
  for (std::int64_t panel = 0; panel < plan.panels; ++panel) {
    const std::int64_t channels = plan.channels_of(panel), width = div_up(channels, kTile);
    for (std::int64_t tap = 0; tap < plan.taps; ++tap) {
      for (std::int64_t c = 0; c < plan.chunks; ++c, out += kParts * width * kTileHalves) {
        pack_split_chunk<kParts>(filter + panel * kBlock * length + tap * s.in_c + c * kChunk, length, channels, width,
                                 s.in_c - c * kChunk, out);
      }
    }
  }
}

template <class Tiles, int kParts>
std::size_t scratch_bytes_split(const Conv2dShape& s, const Machine& machine) {
  const std::size_t split = SplitRun<Tiles, kParts>::scratch_bytes(s, machine);
  const std::size_t unsplit = unsplit_algorithm(s).scratch_bytes(s, machine);
  return split > unsplit ? split : unsplit;
}

template <class Tiles, int kParts>
void run_split(const Conv2dShape& s, const Epilogue& e, const Machine& machine, const Conv2dCall& call, unsigned worker,
               unsigned workers) {
  const auto* header = static_cast<const SplitHeader*>(call.packed);
  if (header->is_split != 0) return SplitRun<Tiles, kParts>(s, e, machine, call).work(worker, workers);
  Conv2dCall unsplit = call;
  unsplit.packed = header + 1;
  unsplit_algorithm(s).run(s, e, machine, unsplit, worker, workers);
}

const char* refusal_split_gemm(const Conv2dShape& s, const Epilogue&) {
  if (s.input_is_nchw) return "wants channels innermost";
  return s.is_pointwise() ? nullptr : "wants a 1x1 kernel with stride 1";
}
const char* refusal_split_igemm(const Conv2dShape& s, const Epilogue&) {
  if (s.input_is_nchw) return "wants channels innermost";
  if (s.groups != 1) return "wants one group";
  return s.is_pointwise() ? "wants more than a 1x1 kernel with stride 1" : nullptr;
}

// A tile product takes 17 cycles, with its loads 22; weights beyond L2 come at 8 bytes per cycle while products run.
template <int kParts>
double cycles_split(const Conv2dShape& s, const Machine& machine) {
  const SplitPlan<kParts> plan(s);
  const double products = kParts == 3 ? 6 : kParts == 2 ? 3 : 1;
  const auto positions = static_cast<double>(s.batch * plan.positions(plan.s.out_h)), outs = static_cast<double>(s.batch * s.out_h * s.out_w);
  const double row_tiles = static_cast<double>(div_up(static_cast<std::int64_t>(positions), kTile));
  const auto column_tiles = static_cast<double>(div_up(s.out_c, kTile));
  const double multiply = row_tiles * column_tiles * static_cast<double>(plan.taps * plan.chunks) * products * 22.5;
  const double weights = 2.0 * static_cast<double>(plan.weight_halves());
  const double memory = weights > static_cast<double>(machine.l2_bytes) / 2 ? weights / 8 : 0;
  const double split = positions * static_cast<double>(plan.ys.images * plan.xs.images * plan.chunks) * 7 * kParts;
  return (multiply > memory ? multiply : memory) + split + outs * column_tiles * (kParts == 3 && plan.taps * plan.chunks > 2 ? 10 : 7) + 400;
}

template <class Tiles, int kParts>
constexpr Conv2dAlgorithm split_gemm(std::string_view name, Isa isa) {
  return {.name = name, .tile = kParts == 3 ? "32x32 6 products" : kParts == 2 ? "32x32 3 products" : "32x32", .isa = isa,
          .math = kParts == 3 ? MathMode::kExact : kParts == 2 ? MathMode::kFast : MathMode::kBf16, .is_depthwise = false, .refusal = refusal_split_gemm,
          .cycles = cycles_split<kParts>, .packed_bytes = packed_bytes_split<kParts>, .pack = pack_split<kParts>,
          .scratch_bytes = scratch_bytes_split<Tiles, kParts>, .run = run_split<Tiles, kParts>};
}
template <class Tiles, int kParts>
constexpr Conv2dAlgorithm split_igemm(std::string_view name, Isa isa) {
  Conv2dAlgorithm out = split_gemm<Tiles, kParts>(name, isa);
  out.refusal = refusal_split_igemm;
  return out;
}

}  // namespace
}  // namespace etalon::kernels
