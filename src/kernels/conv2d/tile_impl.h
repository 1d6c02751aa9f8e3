// The matrix products under convolutions and fully connected layers: tiles of some output pixels by some vectors of
// output channels, summed in registers. Include one kernels/simd/<isa>.h first.
//
// Weights come as panels of kVecs vectors of output channels: first their biases, then, for each tap and input
// channel, their weights: [bias][tap][k][kVecs * kLanes]. A tile walks a panel tap by tap; for each tap every pixel
// of the tile has a pointer to k input channels. So a 1x1 layer is one tap, and a convolution needs no copy of its
// input: its taps are offsets, the same ones for all pixels whose taps are all inside the image.
//
// With a pairs_<isa>_impl.h included before, what is said of floats of inputs and weights holds for pairs of 16-bit numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/conv2d/factors_impl.h"
#include "kernels/conv2d/lanes_impl.h"
#include "kernels/epilogue.h"
#include "kernels/vector/math_impl.h"

namespace etalon::kernels {
namespace {

struct Tap {
  std::int64_t a_offset;  // floats from a pixel's pointer
  std::int64_t b_index;   // of the tap in a panel, in units of TileRun::tap_floats
  std::int64_t k;         // length of both runs
};

// What tiles of one height have to know; see run_tiles().
struct TileRun {
  const float* panel;
  std::size_t last_lanes;      // channels in the panel's last vector, 1..kLanes
  const Tap* taps;
  std::int64_t taps_count;
  std::int64_t tap_floats;     // weights of one tap in the panel
  const float* const* inputs;  // of each tile: kRows pointers, or, with own_taps, kRows for each tap
  bool own_taps;
  std::int64_t a_shift;        // added to every a_offset: the first channel of the panel's group
  const std::int64_t* pixels;  // of each tile: kRows output pixels
  std::int64_t tiles;
  float* output;               // of pixel 0, at the panel's first channel
  std::int64_t output_stride;
  const float* residual;       // likewise
  std::int64_t residual_stride;
  const Epilogue* epilogue;
  const char* prefetch;        // weights that will be wanted next, up to prefetch_end: brought into L2 on the way
  const char* prefetch_end;
  std::int64_t prefetch_step;  // bytes for every kPrefetchEvery steps
};
constexpr std::int64_t kPrefetchEvery = 16;

// The epilogues that are too long to be unrolled over a tile's registers; `sums` is [rows][vecs] vectors.
__attribute__((noinline)) void finish_tile(const TileRun& r, const float* sums, const std::int64_t* pixels,
                                           std::int64_t rows, std::int64_t vecs) {
  const Epilogue& e = *r.epilogue;
  const Vec low = Vec::of(e.min), high = Vec::of(e.max), alpha = Vec::of(e.alpha);
  with_activation(e.activation, [&](auto tag) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < vecs; ++j) {
        const std::size_t lanes = j + 1 == vecs ? r.last_lanes : Vec::kLanes;
        Vec x = Vec::load(sums + (i * vecs + j) * kLanes), residual = Vec::zero();
        if (e.residual != Epilogue::Residual::kNone) {
          residual = load_channels(r.residual + pixels[i] * r.residual_stride + j * kLanes, lanes);
        }
        if (e.residual == Epilogue::Residual::kBeforeActivation) x = x + residual;
        x = clamp(activate<decltype(tag)::kValue>(x, alpha), low, high);
        if (e.residual == Epilogue::Residual::kAfterActivation) x = x + residual;
        store_channels(x, r.output + pixels[i] * r.output_stride + j * kLanes, lanes);
      }
    }
  });
}

struct Prefetch {
  const char* at;
  const char* end;
  std::int64_t step;

  ETALON_INLINE bool is_wanted() const { return at < end; }
  ETALON_INLINE void advance() {
    for (std::int64_t i = 0; i < step; i += 64) __builtin_prefetch(at + i, 0, 2);
    at += step;
  }
};

template <int kRows, int kVecs>
struct Tile {
  // A tile too small to hide the latency of its sums keeps several sets of them.
  static constexpr int kSums = kRows * kVecs;
  static constexpr int kSets = kSums >= kSumsInFlight ? 1 : kSums >= kSumsInFlight / 2 ? 2 : 4;
  Vec acc[kSets][kRows][kVecs];

  template <int kSet>
  ETALON_INLINE void step(const float* const (&a)[kRows], const float* b, std::int64_t k) {
    Vec weights[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) weights[j] = Vec::load(b + (k * kVecs + j) * kLanes);
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
      const Vec x = Vec::of(a[i][k]);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[kSet][i][j] = multiply_add(x, weights[j], acc[kSet][i][j]);
    }
  }

  ETALON_INLINE void start(const float* panel) {
#pragma GCC unroll 4
    for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) acc[s][i][j] = s == 0 ? Vec::load(panel + j * kLanes) : Vec::zero();
      }
    }
  }

  ETALON_INLINE void add(const float* const (&a)[kRows], const float* b, std::int64_t count, Prefetch& prefetch) {
    std::int64_t k = 0;
    if constexpr (kSets == 4) {
      for (; k + 4 <= count; k += 4) step<0>(a, b, k), step<1>(a, b, k + 1), step<2>(a, b, k + 2), step<3>(a, b, k + 3);
    } else if constexpr (kSets == 2) {
      for (; k + 2 <= count; k += 2) step<0>(a, b, k), step<1>(a, b, k + 1);
    }
    while (k < count && prefetch.is_wanted()) {
      prefetch.advance();
      for (const std::int64_t end = smaller(count, k + kPrefetchEvery); k < end; ++k) step<0>(a, b, k);
    }
    for (; k < count; ++k) step<0>(a, b, k);
  }

  ETALON_INLINE void join_sets() {
#pragma GCC unroll 4
    for (int s = 1; s < kSets; ++s) {
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) acc[0][i][j] = acc[0][i][j] + acc[s][i][j];
      }
    }
  }

  template <class Body>
  ETALON_INLINE void for_each(const Body& body) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) body(acc[0][i][j], i, j);
    }
  }

  ETALON_INLINE void add_residual(const TileRun& r, const std::int64_t* pixels) {
    for_each([&](Vec& x, int i, int j) __attribute__((always_inline)) {
      const float* p = r.residual + pixels[i] * r.residual_stride + j * kLanes;
      x = x + (j + 1 == kVecs ? load_channels(p, r.last_lanes) : Vec::load(p));
    });
  }

  ETALON_INLINE void finish(const TileRun& r, const std::int64_t* pixels) {
    const Epilogue& e = *r.epilogue;
    if (e.activation != Activation::kNone && e.activation != Activation::kHardswish) {
      alignas(64) float sums[kRows * kVecs * kLanes];
      for_each([&](Vec& x, int i, int j) __attribute__((always_inline)) { x.store(sums + (i * kVecs + j) * kLanes); });
      return finish_tile(r, sums, pixels, kRows, kVecs);
    }
    if (e.residual == Epilogue::Residual::kBeforeActivation) add_residual(r, pixels);
    if (e.activation == Activation::kHardswish) {
      for_each([&](Vec& x, int, int) __attribute__((always_inline)) { x = hardswish(x); });
    }
    if (e.min != -__builtin_inff() || e.max != __builtin_inff()) {
      const Vec low = Vec::of(e.min), high = Vec::of(e.max);
      for_each([&](Vec& x, int, int) __attribute__((always_inline)) { x = clamp(x, low, high); });
    }
    if (e.residual == Epilogue::Residual::kAfterActivation) add_residual(r, pixels);
    if (r.last_lanes == Vec::kLanes) {
      for_each([&](Vec& x, int i, int j) __attribute__((always_inline)) {
        x.store(r.output + pixels[i] * r.output_stride + j * kLanes);
      });
    } else {
      for_each([&](Vec& x, int i, int j) __attribute__((always_inline)) {
        float* p = r.output + pixels[i] * r.output_stride + j * kLanes;
        if (j + 1 == kVecs) return x.store(p, r.last_lanes);
        x.store(p);
      });
    }
  }
};

}  // namespace
}  // namespace etalon::kernels

#if defined(__AVX512F__)
#include "kernels/conv2d/paired_tile_impl.h"
#endif
#if defined(ETALON_HALF_SUMS)
#include "kernels/conv2d/half_tile_impl.h"
#endif

namespace etalon::kernels {
namespace {

template <int kRows, int kVecs, template <int, int> class TileOf>
__attribute__((noinline)) const char* run_tiles(const TileRun& r) {
  const float* const* inputs = r.inputs;
  const std::int64_t* pixels = r.pixels;
  const float* weights = r.panel + kVecs * kLanes;
  Prefetch prefetch{r.prefetch, r.prefetch_end, r.prefetch_step};
  for (std::int64_t t = 0; t < r.tiles; ++t) {
    TileOf<kRows, kVecs> tile;
    tile.start(r.panel);
    for (std::int64_t p = 0; p < r.taps_count; ++p) {
      const Tap& tap = r.taps[p];
      const float* a[kRows];
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) a[i] = inputs[i] + (tap.a_offset + r.a_shift);
      tile.add(a, weights + tap.b_index * r.tap_floats, tap.k, prefetch);
      if (r.own_taps) inputs += kRows;
    }
    tile.join_sets();
    tile.finish(r, pixels);
    if (!r.own_taps) inputs += kRows;
    pixels += kRows;
  }
  return prefetch.at;
}

// Tiles are kVecs wide where there are channels enough, and so high that sums, weights and one input fit the registers.
constexpr std::int64_t kPanelVecs = kLanes == 1 ? 4 : 2;
constexpr std::int64_t kMaxVecs = kPanelVecs + 1;
constexpr std::int64_t kMaxRows = Vec::kRegisters == 32 ? 12 : 8;
constexpr std::int64_t rows_of(std::int64_t vecs) {
  // Sums that take longer profit from higher tiles: 2 to 5 % on AVX512-BF16.
  if (Vec::kRegisters == 32) return vecs == 1 || (vecs == 2 && kSumsInFlight > 8) ? 12 : 8;
  return vecs == 1 ? 8 : vecs == 2 ? 6 : vecs == 3 ? 4 : 3;
}

using RunTiles = const char* (*)(const TileRun&);  // returns how far it has prefetched

struct TileTable {
  RunTiles at[kMaxVecs + 1][kMaxRows + 1];
};
template <template <int, int> class TileOf, int kVecs, int... kRowsLessOne>
constexpr void fill_tiles(TileTable& table, std::integer_sequence<int, kRowsLessOne...>) {
  ((table.at[kVecs][kRowsLessOne + 1] = run_tiles<kRowsLessOne + 1, kVecs, TileOf>), ...);
}
template <template <int, int> class TileOf, int kFewestVecs, int... kMore>
constexpr TileTable make_tiles(std::integer_sequence<int, kMore...>) {
  TileTable table{};
  (fill_tiles<TileOf, kFewestVecs + kMore>(table, std::make_integer_sequence<int, rows_of(kFewestVecs + kMore)>{}), ...);
  return table;
}
// By width in vectors and height.
#if defined(ETALON_HALF_SUMS)
constexpr TileTable kTiles = make_tiles<HalfTile, 1>(std::make_integer_sequence<int, kMaxVecs>{});
#else
constexpr TileTable kTiles = make_tiles<Tile, 1>(std::make_integer_sequence<int, kMaxVecs>{});
#endif
#if defined(__AVX512F__)
constexpr bool kHasPairs = true;
constexpr TileTable kPairedTiles = make_tiles<PairedTile, 2>(std::make_integer_sequence<int, kMaxVecs - 1>{});
#else
constexpr bool kHasPairs = false;
constexpr TileTable kPairedTiles{};
#endif

// How the output channels are cut into panels, and how large those are.
struct PanelPlan {
  std::int64_t groups, channels, k, taps;  // channels and k of one group
  std::int64_t vecs, count;                // of one group

  PanelPlan(std::int64_t groups_, std::int64_t channels_, std::int64_t k_, std::int64_t taps_)
      : groups(groups_), channels(channels_), k(k_), taps(taps_) {
    vecs = div_up(channels, kLanes);
    const std::int64_t rest = vecs % kPanelVecs;
    // A last vector alone is narrow work: with registers enough, or nothing else, it joins the panel before.
    const bool joins = rest == 1 && vecs > 1 && (Vec::kRegisters == 32 || vecs == kMaxVecs);
    count = div_up(vecs, kPanelVecs) - (joins ? 1 : 0);
  }
  std::int64_t first_vec(std::int64_t panel) const { return panel * kPanelVecs; }
  std::int64_t width(std::int64_t panel) const {
    return panel + 1 < count ? kPanelVecs : vecs - first_vec(panel);
  }
  std::int64_t widest() const { return larger(width(0), width(count - 1)); }
  std::int64_t channels_of(std::int64_t panel) const {
    return smaller(channels - first_vec(panel) * kLanes, width(panel) * kLanes);
  }
  // Two pixels share the last vector: see paired_tile_impl.h.
  bool is_paired(std::int64_t panel) const {
    return kHasPairs && width(panel) > 1 && channels_of(panel) - (width(panel) - 1) * kLanes <= kLanes / 2;
  }
  const TileTable& tiles(std::int64_t panel) const { return is_paired(panel) ? kPairedTiles : kTiles; }
  std::size_t last_lanes(std::int64_t panel) const {
    return static_cast<std::size_t>(channels_of(panel) - (width(panel) - 1) * kLanes);
  }
  // The channel whose weights are in a lane of the panel, perhaps one beyond the last.
  std::int64_t channel_in(std::int64_t panel, std::int64_t lane) const {
    return is_paired(panel) && lane >= (width(panel) - 1) * kLanes + kLanes / 2 ? lane - kLanes / 2 : lane;
  }
  std::int64_t floats_per_vec() const { return kLanes * (1 + taps * k); }
  std::int64_t offset(std::int64_t group, std::int64_t panel) const {
    return (group * vecs + first_vec(panel)) * floats_per_vec();
  }
  std::int64_t floats() const { return groups * vecs * floats_per_vec(); }
};

// The panel's start: `bias` of its first channel on, may be null.
[[maybe_unused]] void pack_bias(const PanelPlan& plan, std::int64_t panel, const float* bias, float* to) {
  for (std::int64_t j = 0; j < plan.width(panel) * kLanes; ++j) {
    const std::int64_t channel = plan.channel_in(panel, j);
    to[j] = channel < plan.channels_of(panel) && bias != nullptr ? bias[channel] : 0.0f;
  }
}

// `length` consecutive floats of each of the panel's channels, to [length][width * kLanes]; zeros for channels beyond.
// load(channel, first, count) gives some of a channel's floats.
template <class Load>
ETALON_INLINE void transpose_panel(const PanelPlan& plan, std::int64_t panel, std::int64_t length, const Load& load, float* to) {
  const std::int64_t vecs = plan.width(panel), channels = plan.channels_of(panel);
  for (std::int64_t first = 0; first < length; first += kLanes) {
    const auto columns = static_cast<std::size_t>(smaller(kLanes, length - first));
    for (std::int64_t v = 0; v < vecs; ++v) {
      Vec tile[Vec::kLanes];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kLanes; ++i) {
        const std::int64_t channel = plan.channel_in(panel, v * kLanes + i);
        tile[i] = channel < channels ? load(channel, first, columns) : Vec::zero();
      }
      transpose(tile);
      float* out = to + (first * vecs + v) * kLanes;
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kLanes; ++i) {
        if (first + i < length) tile[i].store(out + i * vecs * kLanes);
      }
    }
  }
}

// Channels are `stride` apart; times `factor`.
[[maybe_unused]] __attribute__((noinline)) void pack_transposed(const PanelPlan& plan, std::int64_t panel, const float* from,
                                                                std::int64_t stride, std::int64_t length, Vec factor, float* to) {
  const auto load = [&](std::int64_t channel, std::int64_t first, std::size_t count) __attribute__((always_inline)) {
    return load_channels(from + channel * stride + first, count) * factor;
  };
  transpose_panel(plan, panel, length, load, to);
}

}  // namespace
}  // namespace etalon::kernels
