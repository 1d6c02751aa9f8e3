// Winograd's minimal filtering F(m x m, 3x3): an (m+2)^2 tile of the input is transformed, multiplied point by point
// with transformed weights, and the sum over the input channels is transformed back into m x m outputs. That takes
// (m+2)^2 multiplications per input and output channel where the plain sum takes 9 m^2: 4 times fewer for m = 4 and
// 2.25 times for m = 2. For each of the (m+2)^2 points the sums over channels are a matrix product.
//
// Accuracy: the largest error against double precision, relative to the largest output, with normally distributed,
// rectified, uniform and offset (mean 3) inputs of 1 to 512 channels, stays below 5.1e-6 for F(4x4) and 1.9e-6 for
// F(2x2) (winograd_test.cc keeps them below 8e-6 and 3e-6); plain sums in float32 reach 2e-6. Include a kernels/simd
// header and kernels/vector/math_impl.h first.
//
// Packed: the bias, padded to whole panels; then for every panel of output channels, point and input channel
// kPanel transformed weights. One panel is two registers wide.
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
// Rows of a register tile: two registers of sums per row, two of weights and one of input.
constexpr int kMaxRows = (Vec::kRegisters - 4) / 2;

// m = 4 with the points 0, +-a, +-b and infinity. ab = 1 keeps the transformed numbers close together in size, which is
// what rounding errors depend on: 1/sqrt(2) and sqrt(2) lose a quarter of what the usual 1 and 2 lose.
struct WinogradF4 {
  static constexpr int kOut = 4, kIn = 6;
  static constexpr double kA = 0.70710678118654752440, kB = 1.41421356237309504880;
  static constexpr double kA2 = 0.5, kB2 = 2.0;  // squares
  static constexpr double kNa = 2 * kA2 * (kA2 - kB2), kNb = 2 * kB2 * (kB2 - kA2);
  static constexpr double kWeights[kIn][3] = {{1 / (kA2 * kB2), 0, 0},
                                              {1 / kNa, kA / kNa, kA2 / kNa},
                                              {1 / kNa, -kA / kNa, kA2 / kNa},
                                              {1 / kNb, kB / kNb, kB2 / kNb},
                                              {1 / kNb, -kB / kNb, kB2 / kNb},
                                              {0, 0, 1}};

  static ETALON_INLINE void input(const Vec (&d)[kIn], Vec (&v)[kIn]) {
    const Vec a = Vec::of(static_cast<float>(kA)), b = Vec::of(static_cast<float>(kB));
    const Vec a2 = Vec::of(static_cast<float>(kA2)), b2 = Vec::of(static_cast<float>(kB2));
    const Vec both = Vec::of(static_cast<float>(kA2 + kB2));
    v[0] = fnma(both, d[2], d[0] + d[4]);
    const Vec even_a = fnma(b2, d[2], d[4]), odd_a = fnma(b2, d[1], d[3]);
    v[1] = fma(a, odd_a, even_a);
    v[2] = fnma(a, odd_a, even_a);
    const Vec even_b = fnma(a2, d[2], d[4]), odd_b = fnma(a2, d[1], d[3]);
    v[3] = fma(b, odd_b, even_b);
    v[4] = fnma(b, odd_b, even_b);
    v[5] = fnma(both, d[3], d[1] + d[5]);
  }
  static ETALON_INLINE void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    const Vec a = Vec::of(static_cast<float>(kA)), b = Vec::of(static_cast<float>(kB));
    const Vec a2 = Vec::of(static_cast<float>(kA2)), b2 = Vec::of(static_cast<float>(kB2));
    const Vec a3 = Vec::of(static_cast<float>(kA * kA2)), b3 = Vec::of(static_cast<float>(kB * kB2));
    const Vec sum_a = m[1] + m[2], sum_b = m[3] + m[4], odd_a = m[1] - m[2], odd_b = m[3] - m[4];
    y[0] = m[0] + (sum_a + sum_b);
    y[1] = fma(a, odd_a, b * odd_b);
    y[2] = fma(a2, sum_a, b2 * sum_b);
    y[3] = fma(a3, odd_a, fma(b3, odd_b, m[5]));
  }
};

// m = 2 with the points 0, +-1 and infinity.
struct WinogradF2 {
  static constexpr int kOut = 2, kIn = 4;
  static constexpr double kWeights[kIn][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, -1}};

  static ETALON_INLINE void input(const Vec (&d)[kIn], Vec (&v)[kIn]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  static ETALON_INLINE void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }
};

ETALON_INLINE std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
// Strides that are an odd number of cache lines: the planes of a tile do not compete for the same sets.
ETALON_INLINE std::int64_t odd_lines(std::int64_t floats) { return (ceil_div(floats, 16) | 1) * 16; }

template <class F>
struct WinogradPlan {
  static constexpr int kPoints = F::kIn * F::kIn;
  std::int64_t tiles_y, tiles_x, tiles;  // tiles of all images
  std::int64_t panels;
  std::int64_t block;  // tiles whose transformed input stays in the second cache
  std::int64_t v_row, v_plane, m_plane;  // strides in floats; the rows of m have kPanel

  WinogradPlan(const Conv2dShape& s, const Machine& machine) {
    tiles_y = ceil_div(s.out_h, F::kOut);
    tiles_x = ceil_div(s.out_w, F::kOut);
    tiles = s.batch * tiles_y * tiles_x;
    panels = ceil_div(s.out_c, kPanel);
    v_row = odd_lines(s.in_c);
    block = block_of(s, machine);
    v_plane = odd_lines(block * v_row);
    m_plane = odd_lines(block * kPanel);
  }
  std::int64_t weight_bytes(const Conv2dShape& s) const { return kPoints * panels * kPanel * s.in_c * 4; }
  std::int64_t v_floats() const { return kPoints * v_plane; }
  std::int64_t m_floats() const { return kPoints * m_plane; }

 private:
  // If the weights fit into the second cache beside a small block, that; otherwise as many tiles as fit, because the
  // weights are read again for each block.
  std::int64_t block_of(const Conv2dShape& s, const Machine& machine) const {
    const auto l2 = static_cast<std::int64_t>(machine.l2_bytes);
    const std::int64_t per_tile = kPoints * (v_row + kPanel) * 4;
    const std::int64_t beside = (l2 - weight_bytes(s)) * 7 / 8 / per_tile;
    const std::int64_t wanted = beside >= kMaxRows ? std::min<std::int64_t>(beside, 2 * kMaxRows)
                                                   : std::max<std::int64_t>(l2 * 3 / 4 / per_tile, kMaxRows);
    if (wanted >= tiles) return tiles;
    return std::min(tiles, std::max<std::int64_t>(wanted / kMaxRows, 1) * kMaxRows);
  }
};

// m[row][0 .. kPanel) = sum over k of v[row][k] * u[k][0 .. kPanel); `next` is fetched ahead.
template <int kRows>
__attribute__((noinline)) void multiply_rows(const float* v, std::int64_t v_row, const float* u, float* m,
                                             std::int64_t depth, const float* next) {
  Vec sums[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) sums[i][0] = sums[i][1] = Vec::zero();
  for (std::int64_t k = 0; k < depth; ++k) {
    const Vec u0 = Vec::load(u), u1 = Vec::load(u + kLanes);
    u += kPanel;
    __builtin_prefetch(next + k * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vec x = Vec::of(v[i * v_row + k]);
      sums[i][0] = fma(x, u0, sums[i][0]);
      sums[i][1] = fma(x, u1, sums[i][1]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    sums[i][0].store(m + i * kPanel);
    sums[i][1].store(m + i * kPanel + kLanes);
  }
}

using MultiplyRows = void (*)(const float*, std::int64_t, const float*, float*, std::int64_t, const float*);
template <int kRows>
struct MultiplyTable {
  static ETALON_INLINE void fill(MultiplyRows* table) {
    table[kRows] = multiply_rows<kRows>;
    MultiplyTable<kRows - 1>::fill(table);
  }
};
template <>
struct MultiplyTable<0> {
  static ETALON_INLINE void fill(MultiplyRows*) {}
};

// One point of one panel for all tiles of a block, in row blocks of nearly equal height.
ETALON_INLINE void multiply_block(const MultiplyRows* table, std::int64_t tiles, const float* v, std::int64_t v_row,
                                  const float* u, float* m, std::int64_t depth) {
  const std::int64_t parts = ceil_div(tiles, kMaxRows);
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = tiles * part / parts, rows = tiles * (part + 1) / parts - begin;
    const float* next = u + depth * kPanel + (part % 2) * depth * kLanes;
    table[rows](v + begin * v_row, v_row, u, m + begin * kPanel, depth, next);
  }
}

// Where a tile's input lies.
struct WinogradInput {
  const float* image;
  std::int64_t pixel, row;  // steps in floats
  std::int64_t h, w, y, x;  // of the image; of the tile's first element, may be outside
};

template <class F, bool kInside>
ETALON_INLINE void transform_input(const WinogradInput& in, std::int64_t channel, std::size_t n, float* v,
                                   std::int64_t plane) {
  Vec rows[F::kIn][F::kIn];  // [column][point of the columns]
  const std::int64_t start = in.y * in.row + in.x * in.pixel + channel;
#pragma GCC unroll 6
  for (int j = 0; j < F::kIn; ++j) {
    Vec d[F::kIn];
#pragma GCC unroll 6
    for (int i = 0; i < F::kIn; ++i) {
      const float* p = in.image + (start + i * in.row + j * in.pixel);
      if constexpr (kInside) {
        d[i] = Vec::load(p);
      } else {
        const bool in_image = static_cast<std::uint64_t>(in.y + i) < static_cast<std::uint64_t>(in.h) &&
                              static_cast<std::uint64_t>(in.x + j) < static_cast<std::uint64_t>(in.w);
        d[i] = in_image ? Vec::load(p, n) : Vec::zero();
      }
    }
    F::input(d, rows[j]);
  }
#pragma GCC unroll 6
  for (int i = 0; i < F::kIn; ++i) {
    Vec d[F::kIn], o[F::kIn];
#pragma GCC unroll 6
    for (int j = 0; j < F::kIn; ++j) d[j] = rows[j][i];
    F::input(d, o);
#pragma GCC unroll 6
    for (int j = 0; j < F::kIn; ++j) o[j].store(v + (i * F::kIn + j) * plane);
  }
}

template <class F>
__attribute__((noinline)) void transform_tile(const WinogradInput& in, std::int64_t channels, float* v,
                                              std::int64_t plane) {
  const bool inside = in.y >= 0 && in.x >= 0 && in.y + F::kIn <= in.h && in.x + F::kIn <= in.w;
  std::int64_t c = 0;
  if (inside) {
    for (; c + kLanes <= channels; c += kLanes) transform_input<F, true>(in, c, Vec::kLanes, v + c, plane);
  }
  for (; c < channels; c += kLanes) {
    const auto n = static_cast<std::size_t>(std::min(kLanes, channels - c));
    transform_input<F, false>(in, c, n, v + c, plane);
  }
}

template <class F>
void transform_inputs(const Conv2dShape& s, const WinogradPlan<F>& plan, const float* input, std::int64_t first,
                      std::int64_t count, float* v) {
  WinogradInput in;
  in.pixel = s.in_pixel_stride;
  in.row = in.pixel * s.in_w;
  in.h = s.in_h;
  in.w = s.in_w;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t tile = first + i, image = tile / (plan.tiles_y * plan.tiles_x);
    in.image = input + image * s.in_h * in.row;
    in.y = tile / plan.tiles_x % plan.tiles_y * F::kOut - s.pad_top;
    in.x = tile % plan.tiles_x * F::kOut - s.pad_left;
    transform_tile<F>(in, s.in_c, v + i * plan.v_row, plan.v_plane);
  }
}

// One tile's outputs of one register of channels.
struct WinogradOutput {
  float* output;
  const float* residual;
  std::int64_t out_pixel, out_row, residual_pixel, residual_row;
  std::int64_t rows, columns;  // inside the image
  std::size_t n;               // channels
};

template <class F>
ETALON_INLINE void transform_back(const float* m, std::int64_t plane, Vec bias, Vec (&y)[F::kOut][F::kOut]) {
  Vec rows[F::kOut][F::kIn];
#pragma GCC unroll 6
  for (int j = 0; j < F::kIn; ++j) {
    Vec d[F::kIn], o[F::kOut];
#pragma GCC unroll 6
    for (int i = 0; i < F::kIn; ++i) d[i] = Vec::load(m + (i * F::kIn + j) * plane);
    F::output(d, o);
#pragma GCC unroll 4
    for (int i = 0; i < F::kOut; ++i) rows[i][j] = o[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < F::kOut; ++i) {
    F::output(rows[i], y[i]);
#pragma GCC unroll 4
    for (int j = 0; j < F::kOut; ++j) y[i][j] = y[i][j] + bias;
  }
}

// kWhole: all outputs and all lanes count.
template <class F, bool kWhole>
__attribute__((noinline)) void finish_tile(const float* m, std::int64_t plane, const float* bias, const Epilogue& e,
                                           const WinogradOutput& out) {
  Vec y[F::kOut][F::kOut];
  transform_back<F>(m, plane, Vec::load(bias), y);
  const Vec low = Vec::of(e.min), high = Vec::of(e.max);
  const bool before = e.residual == Epilogue::Residual::kBeforeActivation;
  const bool after = e.residual == Epilogue::Residual::kAfterActivation;
  const auto load = [&](const float* p) { return kWhole ? Vec::load(p) : Vec::load(p, out.n); };
#pragma GCC unroll 4
  for (int i = 0; i < F::kOut; ++i) {
    if (!kWhole && i >= out.rows) break;
#pragma GCC unroll 4
    for (int j = 0; j < F::kOut; ++j) {
      if (!kWhole && j >= out.columns) break;
      const std::int64_t residual = i * out.residual_row + j * out.residual_pixel;
      Vec x = y[i][j];
      if (before) x = x + load(out.residual + residual);
      if (e.activation == Activation::kHardswish) x = hardswish(x);
      x = clamp(x, low, high);
      if (after) x = x + load(out.residual + residual);
      float* p = out.output + i * out.out_row + j * out.out_pixel;
      if constexpr (kWhole) {
        x.store(p);
      } else {
        x.store(p, out.n);
      }
    }
  }
}

// For activations that are too long for the above: sums go to the stack first.
template <class F>
__attribute__((noinline)) void finish_tile_staged(const float* m, std::int64_t plane, const float* bias,
                                                  const Epilogue& e, const WinogradOutput& out) {
  alignas(64) float sums[F::kOut * F::kOut * kLanes];
  Vec y[F::kOut][F::kOut];
  transform_back<F>(m, plane, Vec::load(bias), y);
#pragma GCC unroll 4
  for (int i = 0; i < F::kOut; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < F::kOut; ++j) y[i][j].store(sums + (i * F::kOut + j) * kLanes);
  }
  for (std::int64_t i = 0; i < out.rows; ++i) {
    const float* residual = out.residual == nullptr ? nullptr : out.residual + i * out.residual_row;
    finish({sums + i * F::kOut * kLanes, kLanes, out.output + i * out.out_row, out.out_pixel, residual,
            out.residual_pixel, out.columns, out.n},
           e);
  }
}

template <class F>
void finish_panel(const Conv2dShape& s, const Epilogue& e, const Conv2dCall& call, const WinogradPlan<F>& plan,
                  std::int64_t panel, std::int64_t first, std::int64_t count, const float* m) {
  const auto* bias = static_cast<const float*>(call.packed);
  const bool staged = e.activation != Activation::kNone && e.activation != Activation::kHardswish;
  WinogradOutput out{};
  out.out_pixel = s.out_pixel_stride;
  out.out_row = out.out_pixel * s.out_w;
  out.residual_pixel = call.residual_pixel_stride;
  out.residual_row = out.residual_pixel * s.out_w;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t tile = first + i, image = tile / (plan.tiles_y * plan.tiles_x);
    const std::int64_t y = tile / plan.tiles_x % plan.tiles_y * F::kOut, x = tile % plan.tiles_x * F::kOut;
    const std::int64_t pixel = (image * s.out_h + y) * s.out_w + x;
    out.rows = std::min<std::int64_t>(F::kOut, s.out_h - y);
    out.columns = std::min<std::int64_t>(F::kOut, s.out_w - x);
    for (std::int64_t c = panel * kPanel; c < std::min((panel + 1) * kPanel, s.out_c); c += kLanes) {
      out.output = call.output + pixel * s.out_pixel_stride + c;
      out.residual = call.residual == nullptr ? nullptr : call.residual + pixel * call.residual_pixel_stride + c;
      out.n = static_cast<std::size_t>(std::min(kLanes, s.out_c - c));
      const float* sums = m + i * kPanel + (c - panel * kPanel);
      const bool whole = out.rows == F::kOut && out.columns == F::kOut && out.n == Vec::kLanes;
      if (staged) {
        finish_tile_staged<F>(sums, plan.m_plane, bias + c, e, out);
      } else if (whole) {
        finish_tile<F, true>(sums, plan.m_plane, bias + c, e, out);
      } else {
        finish_tile<F, false>(sums, plan.m_plane, bias + c, e, out);
      }
    }
  }
}

// Tiles [begin, end) and panels [first_panel, last_panel).
template <class F>
void run_part(const Conv2dShape& s, const Epilogue& e, const Conv2dCall& call, const WinogradPlan<F>& plan,
              std::int64_t begin, std::int64_t end, std::int64_t first_panel, std::int64_t last_panel) {
  MultiplyRows table[kMaxRows + 1];
  MultiplyTable<kMaxRows>::fill(table);
  auto* v = reinterpret_cast<float*>(call.scratch);
  float* m = v + plan.v_floats();
  const float* weights = static_cast<const float*>(call.packed) + plan.panels * kPanel;
  for (std::int64_t first = begin; first < end; first += plan.block) {
    const std::int64_t count = std::min(plan.block, end - first);
    transform_inputs<F>(s, plan, call.input, first, count, v);
    for (std::int64_t panel = first_panel; panel < last_panel; ++panel) {
      for (int point = 0; point < plan.kPoints; ++point) {
        multiply_block(table, count, v + point * plan.v_plane, plan.v_row,
                       weights + (panel * plan.kPoints + point) * s.in_c * kPanel, m + point * plan.m_plane, s.in_c);
      }
      finish_panel<F>(s, e, call, plan, panel, first, count, m);
    }
  }
}

// Workers take tiles of their own; if there are too few, panels of their own, and each transforms the whole input.
template <class F>
void winograd_run(const Conv2dShape& s, const Epilogue& e, const Machine& machine, const Conv2dCall& call,
                  unsigned worker, unsigned workers) {
  const WinogradPlan<F> plan(s, machine);
  const auto share = [&](std::int64_t all, unsigned index) { return all * index / workers; };
  if (plan.tiles >= 2 * kMaxRows * static_cast<std::int64_t>(workers) || plan.panels < workers) {
    run_part<F>(s, e, call, plan, share(plan.tiles, worker), share(plan.tiles, worker + 1), 0, plan.panels);
  } else {
    run_part<F>(s, e, call, plan, 0, plan.tiles, share(plan.panels, worker), share(plan.panels, worker + 1));
  }
}

const char* winograd_refusal(const Conv2dShape& s, const Epilogue&) {
  if (s.kernel_h != 3 || s.kernel_w != 3 || s.stride_h != 1 || s.stride_w != 1) return "wants a 3x3 kernel with stride 1";
  if (s.dilation_h != 1 || s.dilation_w != 1) return "wants no dilation";
  if (s.groups != 1) return "wants one group";
  if (s.has_input_scale) return "does not scale its input";
  return s.input_is_nchw ? "wants channels innermost" : nullptr;
}

// Multiplications at nine tenths of the peak, and transforms as measured. Weights that do not stay in the second cache
// arrive at about nine bytes per cycle, most of the time behind the multiplications.
template <class F>
double winograd_cycles(const Conv2dShape& s, const Machine& machine) {
  const WinogradPlan<F> plan(s, machine);
  const auto tiles = static_cast<double>(plan.tiles), points = static_cast<double>(plan.kPoints);
  const auto in_registers = static_cast<double>(ceil_div(s.in_c, kLanes));
  const auto out_registers = static_cast<double>(2 * plan.panels);
  const double blocks = static_cast<double>(ceil_div(plan.tiles, plan.block));
  const double rows = std::max(tiles, 4.0 * blocks);  // fewer wait for the weights to come from the first cache
  const double products = points * rows * out_registers * static_cast<double>(s.in_c) / 2 / 0.9;
  const double transforms = points * tiles * (6.5 * in_registers + 5 * out_registers);
  const auto weights = static_cast<double>(plan.weight_bytes(s));
  const bool stays = weights < 0.75 * static_cast<double>(machine.l2_bytes);
  const double traffic = stays ? weights / 20 : blocks * weights / 9;
  return std::max(products, traffic) + 0.2 * std::min(products, traffic) + transforms;
}

template <class F>
std::size_t winograd_packed_bytes(const Conv2dShape& s) {
  const std::int64_t panels = ceil_div(s.out_c, kPanel);
  return static_cast<std::size_t>(panels * kPanel * (1 + F::kIn * F::kIn * s.in_c)) * sizeof(float);
}

// Weights of kLanes output channels (beyond `outputs` zero) and kLanes input channels, of which `inputs` exist.
struct WeightBlock {
  float at[9][kLanes][kLanes];  // [tap][input channel][output channel]

  void load(const float* filter, std::int64_t in_c, std::int64_t outputs, std::int64_t inputs) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      Vec rows[kLanes];
#pragma GCC unroll 16
      for (std::int64_t o = 0; o < kLanes; ++o) {
        const float* from = filter + (o * 9 + tap) * in_c;
        rows[o] = o < outputs ? Vec::load(from, static_cast<std::size_t>(inputs)) : Vec::zero();
      }
      transpose(rows);
#pragma GCC unroll 16
      for (std::int64_t c = 0; c < kLanes; ++c) rows[c].store(at[tap][c]);
    }
  }
};

// One input channel's weights in double precision: u = G g G^T.
template <class F>
void transform_weights(const WeightBlock& g, std::int64_t c, float* out, std::int64_t plane) {
  double half[F::kIn][3][kLanes];
  for (int i = 0; i < F::kIn; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        half[i][j][lane] = F::kWeights[i][0] * static_cast<double>(g.at[j][c][lane]) +
                           F::kWeights[i][1] * static_cast<double>(g.at[3 + j][c][lane]) +
                           F::kWeights[i][2] * static_cast<double>(g.at[6 + j][c][lane]);
      }
    }
  }
  for (int i = 0; i < F::kIn; ++i) {
    for (int j = 0; j < F::kIn; ++j) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        out[(i * F::kIn + j) * plane + lane] =
            static_cast<float>(half[i][0][lane] * F::kWeights[j][0] + half[i][1][lane] * F::kWeights[j][1] +
                               half[i][2][lane] * F::kWeights[j][2]);
      }
    }
  }
}

template <class F>
void winograd_pack(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  const std::int64_t panels = ceil_div(s.out_c, kPanel), plane = s.in_c * kPanel;
  auto* out = static_cast<float*>(packed);
  for (std::int64_t o = 0; o < panels * kPanel; ++o) out[o] = bias != nullptr && o < s.out_c ? bias[o] : 0.0f;
  out += panels * kPanel;
  WeightBlock block;
  for (std::int64_t first = 0; first < panels * kPanel; first += kLanes) {
    float* base = out + first / kPanel * F::kIn * F::kIn * plane + first % kPanel;
    for (std::int64_t c = 0; c < s.in_c; c += kLanes) {
      const std::int64_t inputs = std::min(kLanes, s.in_c - c);
      block.load(filter + first * 9 * s.in_c + c, s.in_c, s.out_c - first, inputs);
      for (std::int64_t i = 0; i < inputs; ++i) transform_weights<F>(block, i, base + (c + i) * kPanel, plane);
    }
  }
}

template <class F>
std::size_t winograd_scratch_bytes(const Conv2dShape& s, const Machine& machine) {
  const WinogradPlan<F> plan(s, machine);
  return static_cast<std::size_t>(plan.v_floats() + plan.m_floats()) * sizeof(float);
}

template <class F>
constexpr Conv2dAlgorithm winograd(std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = Isa::ETALON_ISA, .math = MathMode::kExact, .is_depthwise = false,
          .refusal = winograd_refusal, .cycles = winograd_cycles<F>, .packed_bytes = winograd_packed_bytes<F>,
          .pack = winograd_pack<F>, .scratch_bytes = winograd_scratch_bytes<F>, .run = winograd_run<F>};
}

}  // namespace
}  // namespace etalon::kernels
