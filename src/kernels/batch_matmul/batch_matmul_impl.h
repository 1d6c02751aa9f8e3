// C = A x B by the tiles of kernels/conv2d/tile_impl.h. Include one kernels/simd/<isa>.h first.
#pragma once

#include "kernels/batch_matmul/batch_matmul.h"
#include "kernels/conv2d/tile_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kRowsAtOnce = 512;

PanelPlan plan_of(const MatmulShape& s) { return {1, s.n, s.k, 1}; }

// B as panels, then the pointers to rows of A and the numbers of rows of C for kRowsAtOnce rows.
struct MatmulScratch {
  float* panels;
  const float** inputs;
  std::int64_t* rows;

  static std::size_t panel_bytes(const MatmulShape& s) {
    return (static_cast<std::size_t>(plan_of(s).floats()) * sizeof(float) + 63) / 64 * 64;
  }
  static std::size_t bytes(const MatmulShape& s) {
    return panel_bytes(s) + kRowsAtOnce * (sizeof(const float*) + sizeof(std::int64_t));
  }
  MatmulScratch(const MatmulShape& s, std::byte* memory)
      : panels(reinterpret_cast<float*>(memory)), inputs(reinterpret_cast<const float**>(memory + panel_bytes(s))),
        rows(reinterpret_cast<std::int64_t*>(inputs + kRowsAtOnce)) {}
};

void pack_panel(const MatmulShape& s, const PanelPlan& plan, std::int64_t panel, const float* b, float* to) {
  const Vec factor = Vec::of(s.scale);
  const std::int64_t first = plan.first_vec(panel) * kLanes, vecs = plan.width(panel);
  if (s.b_is_transposed) return pack_transposed(plan, panel, b + first * s.b_stride, s.b_stride, s.k, factor, to);
  const std::size_t last_lanes = plan.last_lanes(panel);
  for (std::int64_t k = 0; k < s.k; ++k, to += vecs * kLanes) {
    const float* from = b + k * s.b_stride + first;
    for (std::int64_t v = 0; v + 1 < vecs; ++v) (Vec::load(from + v * kLanes) * factor).store(to + v * kLanes);
    float* last = to + (vecs - 1) * kLanes;
    const Vec x = load_channels(from + (vecs - 1) * kLanes, last_lanes) * factor;
    x.store(last);
    if (plan.is_paired(panel)) x.store(last + kLanes / 2, Vec::kLanes / 2);
  }
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
  for (std::int64_t i = begin; i < end; ++i) scratch.inputs[i - begin] = a + i * s.a_stride, scratch.rows[i - begin] = i;
  const std::int64_t limit = smaller(rows_of(plan.width(0)), rows_of(plan.width(plan.count - 1)));
  const std::int64_t tiles = div_up(end - begin, limit), low = (end - begin) / tiles, tall = (end - begin) % tiles;
  const Epilogue nothing;
  const Tap tap{0, 0, s.k};
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

constexpr BatchMatmulKernel batch_matmul(std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = Isa::ETALON_ISA, .scratch_bytes = scratch_bytes, .run = run};
}

}  // namespace
}  // namespace etalon::kernels
