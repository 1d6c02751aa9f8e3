// C = A x B by the tiles of kernels/conv2d/tile_impl.h. Include one kernels/simd/<isa>.h first, and a pairs_<isa>_impl.h after
// it for products of 16-bit numbers.
#pragma once

#include "kernels/batch_matmul/batch_matmul.h"
#include "kernels/conv2d/tile_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kRowsAtOnce = 512;

PanelPlan plan_of(const MatmulShape& s) { return {1, s.n, places_of(s.k), 1}; }

// B as panels, then the pointers to rows of A and the numbers of rows of C for kRowsAtOnce rows, then those rows of A
// rounded, if they have to be.
struct MatmulScratch {
  float* panels;
  const float** inputs;
  std::int64_t* rows;
  float* rounded;

  static std::size_t panel_bytes(const MatmulShape& s) {
    return (static_cast<std::size_t>(plan_of(s).floats()) * sizeof(float) + 63) / 64 * 64;
  }
  static std::size_t bytes(const MatmulShape& s) {
    const auto rounded_floats = static_cast<std::size_t>(kPerPlace == 1 ? 0 : smaller(s.m, kRowsAtOnce) * places_of(s.k));
    return panel_bytes(s) + kRowsAtOnce * (sizeof(const float*) + sizeof(std::int64_t)) + rounded_floats * sizeof(float);
  }
  MatmulScratch(const MatmulShape& s, std::byte* memory)
      : panels(reinterpret_cast<float*>(memory)), inputs(reinterpret_cast<const float**>(memory + panel_bytes(s))),
        rows(reinterpret_cast<std::int64_t*>(inputs + kRowsAtOnce)), rounded(reinterpret_cast<float*>(rows + kRowsAtOnce)) {}
};

__attribute__((noinline)) void pack_columns(const MatmulShape& s, const PanelPlan& plan, std::int64_t panel, const float* b,
                                            float* to) {
  const Vec factor = Vec::of(s.scale);
  const auto load = [&](std::int64_t column, std::int64_t first, std::size_t) __attribute__((always_inline)) {
    return load_places(b + column * s.b_stride + first * kPerPlace, s.k - first * kPerPlace, factor);
  };
  transpose_panel(plan, panel, plan.k, load, to);
}

void pack_panel(const MatmulShape& s, const PanelPlan& plan, std::int64_t panel, const float* b, float* to) {
  const std::int64_t first = plan.first_vec(panel) * kLanes, vecs = plan.width(panel);
  if (s.b_is_transposed) return pack_columns(s, plan, panel, b + first * s.b_stride, to);
  const Vec factor = Vec::of(s.scale);
  const std::size_t last_lanes = plan.last_lanes(panel);
  for (std::int64_t k = 0; k < s.k; k += kPerPlace, to += vecs * kLanes) {
    const float* from = b + k * s.b_stride + first;
    const bool has_second = kPerPlace == 2 && k + 1 < s.k;
    for (std::int64_t v = 0; v < vecs; ++v) {
      const std::size_t lanes = v + 1 == vecs ? last_lanes : Vec::kLanes;
      const Vec second = has_second ? load_channels(from + s.b_stride + v * kLanes, lanes) : Vec::zero();
      const Vec x = zip_places(load_channels(from + v * kLanes, lanes) * factor, second * factor);
      x.store(to + v * kLanes);
      if (v + 1 == vecs && plan.is_paired(panel)) x.store(to + v * kLanes + kLanes / 2, Vec::kLanes / 2);
    }
  }
}

// A row of A as tiles read it.
const float* row_of_a(const MatmulShape& s, const float* from, float* to) {
  if constexpr (kPerPlace == 1) return from;
  for (std::int64_t k = 0; k < s.k; k += kPerPlace * kLanes) {
    const auto places = static_cast<std::size_t>(smaller(kLanes, places_of(s.k - k)));
    store_channels(load_places(from + k, s.k - k), to + k / kPerPlace, places);
  }
  return to;
}

void pack_panels(const MatmulShape& s, const PanelPlan& plan, const float* b, float* panels) {
  for (std::int64_t p = 0; p < plan.count; ++p) {
    float* panel = panels + plan.offset(0, p);
    for (std::int64_t v = 0; v < plan.width(p); ++v) Vec::zero().store(panel + v * kLanes);  // no bias
    pack_panel(s, plan, p, b, panel + plan.width(p) * kLanes);
  }
}

std::size_t scratch_bytes(const MatmulShape& s) { return MatmulScratch::bytes(s); }

// Tiles of equal height, the first ones one row higher, over [begin, end), which is at most kRowsAtOnce.
void multiply_rows(const MatmulShape& s, const PanelPlan& plan, const MatmulScratch& scratch, const float* a, float* c,
                   std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    scratch.inputs[i - begin] = row_of_a(s, a + i * s.a_stride, scratch.rounded + (i - begin) * plan.k);
    scratch.rows[i - begin] = i;
  }
  const std::int64_t limit = smaller(rows_of(plan.width(0)), rows_of(plan.width(plan.count - 1)));
  const std::int64_t tiles = div_up(end - begin, limit), low = (end - begin) / tiles, tall = (end - begin) % tiles;
  const Epilogue nothing;
  const Tap tap{0, 0, plan.k};
  for (std::int64_t p = 0; p < plan.count; ++p) {
    TileRun run{};
    run.panel = scratch.panels + plan.offset(0, p);
    run.last_lanes = plan.last_lanes(p);
    run.taps = &tap, run.taps_count = 1;
    run.output = c + plan.first_vec(p) * kLanes, run.output_stride = s.c_stride;
    run.epilogue = &nothing;
    run.inputs = scratch.inputs, run.pixels = scratch.rows, run.tiles = tall;
    if (tall > 0) plan.tiles(p).at[plan.width(p)][low + 1](run);
    run.inputs += tall * (low + 1), run.pixels += tall * (low + 1), run.tiles = tiles - tall;
    if (low > 0) plan.tiles(p).at[plan.width(p)][low](run);
  }
}

void run(const MatmulShape& s, const float* a, const float* b, float* c, std::int64_t m_begin, std::int64_t m_end,
         bool b_is_packed, std::byte* memory) {
  if (s.n == 0) return;
  const PanelPlan plan = plan_of(s);
  const MatmulScratch scratch(s, memory);
  if (!b_is_packed) pack_panels(s, plan, b, scratch.panels);
  for (std::int64_t i = m_begin; i < m_end; i += kRowsAtOnce) {
    multiply_rows(s, plan, scratch, a, c, i, smaller(m_end, i + kRowsAtOnce));
  }
}

constexpr BatchMatmulKernel batch_matmul(std::string_view name, std::string_view tile, Isa isa = Isa::ETALON_ISA) {
  return {.name = name, .tile = tile, .isa = isa, .math = kFactorMath, .scratch_bytes = scratch_bytes, .run = run};
}

}  // namespace
}  // namespace etalon::kernels
