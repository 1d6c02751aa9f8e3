#include "ops/gemm.h"

#include <algorithm>
#include <cstring>

namespace etalon::ops {

namespace {

// Four lanes: what SSE2 and NEON both have without asking for more. The compilers lower it to anything.
using Lanes = float __attribute__((vector_size(16)));

Lanes load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

void store(float* to, Lanes lanes) { std::memcpy(to, &lanes, sizeof lanes); }

Lanes splat(float value) { return Lanes{value, value, value, value}; }

// The tile's sums stay in eight registers; two hold B, one the broadcast of A.
struct Tile {
  Lanes sums[kGemmRows][2] = {};
};

Tile multiply_panels(const float* a, const float* b, std::int64_t depth) {
  Tile tile;
  for (std::int64_t k = 0; k < depth; ++k) {
    const Lanes b0 = load(b);
    const Lanes b1 = load(b + 4);
    for (std::int64_t row = 0; row < kGemmRows; ++row) {
      const Lanes factor = splat(a[row]);
      tile.sums[row][0] += factor * b0;
      tile.sums[row][1] += factor * b1;
    }
    a += kGemmRows;
    b += kGemmColumns;
  }
  return tile;
}

void add_whole_tile(const Tile& tile, float alpha, float* c, std::int64_t ldc) {
  const Lanes factor = splat(alpha);
  for (std::int64_t row = 0; row < kGemmRows; ++row) {
    store(c, load(c) + factor * tile.sums[row][0]);
    store(c + 4, load(c + 4) + factor * tile.sums[row][1]);
    c += ldc;
  }
}

void add_part_of_tile(const Tile& tile, float alpha, float* c, std::int64_t ldc, std::int64_t rows,
                      std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row) {
    float sums[kGemmColumns];
    store(sums, tile.sums[row][0]);
    store(sums + 4, tile.sums[row][1]);
    for (std::int64_t column = 0; column < columns; ++column) c[row * ldc + column] += alpha * sums[column];
  }
}

struct Block {
  const float* a;
  const float* b;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t depth;
};

void multiply_block(const Block& block, float alpha, float* c, std::int64_t ldc) {
  for (std::int64_t column = 0; column < block.columns; column += kGemmColumns) {
    const std::int64_t columns = std::min(kGemmColumns, block.columns - column);
    for (std::int64_t row = 0; row < block.rows; row += kGemmRows) {
      const std::int64_t rows = std::min(kGemmRows, block.rows - row);
      const Tile tile = multiply_panels(block.a + row * block.depth, block.b + column * block.depth, block.depth);
      float* to = c + row * ldc + column;
      if (rows == kGemmRows && columns == kGemmColumns) {
        add_whole_tile(tile, alpha, to, ldc);
      } else {
        add_part_of_tile(tile, alpha, to, ldc, rows, columns);
      }
    }
  }
}

template <class T>
void pack_panel_along_k(const T* from, std::int64_t stride, std::int64_t k_stride, std::int64_t lanes,
                        std::int64_t depth, std::int64_t width, float* to) {
  for (std::int64_t k = 0; k < depth; ++k) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      to[k * width + lane] = convert_element<float>(from[k * k_stride + lane * stride]);
    }
    for (std::int64_t lane = lanes; lane < width; ++lane) to[k * width + lane] = 0.0f;
  }
}

// Fixed width and neighbours next to each other: a row of the panel is one copy.
template <std::int64_t kWidth>
void pack_panel_of_rows(const float* from, std::int64_t k_stride, std::int64_t depth, float* to) {
  for (std::int64_t k = 0; k < depth; ++k) std::memcpy(to + k * kWidth, from + k * k_stride, sizeof(float) * kWidth);
}

// Fixed width and k contiguous: each lane is read in order.
template <std::int64_t kWidth>
void pack_panel_of_columns(const float* from, std::int64_t stride, std::int64_t depth, float* to) {
  for (std::int64_t k = 0; k < depth; ++k) {
    for (std::int64_t lane = 0; lane < kWidth; ++lane) to[k * kWidth + lane] = from[lane * stride + k];
  }
}

template <std::int64_t kWidth>
bool pack_whole_panel(const float* from, std::int64_t stride, std::int64_t k_stride, std::int64_t depth, float* to) {
  if (stride == 1) {
    pack_panel_of_rows<kWidth>(from, k_stride, depth, to);
    return true;
  }
  if (k_stride == 1) {
    pack_panel_of_columns<kWidth>(from, stride, depth, to);
    return true;
  }
  return false;
}

}  // namespace

template <class T>
void StridedMatrix<T>::pack(const PackRange& range, std::int64_t width, float* panels) const {
  for (std::int64_t j = 0; j < range.count; j += width) {
    const T* from = data_ + range.k * k_stride_ + (range.first + j) * stride_;
    const std::int64_t lanes = std::min(width, range.count - j);
    float* to = panels + j * range.depth;
    if constexpr (std::is_same_v<T, float>) {
      if (lanes == kGemmColumns && width == kGemmColumns) {
        if (pack_whole_panel<kGemmColumns>(from, stride_, k_stride_, range.depth, to)) continue;
      } else if (lanes == kGemmRows && width == kGemmRows) {
        if (pack_whole_panel<kGemmRows>(from, stride_, k_stride_, range.depth, to)) continue;
      }
    }
    pack_panel_along_k(from, stride_, k_stride_, lanes, range.depth, width, to);
  }
}

template class StridedMatrix<float>;
template class StridedMatrix<Half>;
template class StridedMatrix<BFloat16>;

namespace {

// The part of C with these rows and columns, and where it lies in memory, row-major.
struct Region {
  std::int64_t first_row;
  std::int64_t rows;
  std::int64_t first_column;
  std::int64_t columns;
  float* c;
  std::int64_t ldc;
};

void add_region(const Region& region, std::int64_t k_count, const MatrixSource& a, const MatrixSource& b, float alpha,
                float* packed) {
  float* packed_a = packed;
  float* packed_b = packed + kGemmDepth * kGemmBlockM;
  for (std::int64_t n = 0; n < region.columns; n += kGemmBlockN) {
    const std::int64_t columns = std::min(kGemmBlockN, region.columns - n);
    for (std::int64_t k = 0; k < k_count; k += kGemmDepth) {
      const std::int64_t depth = std::min(kGemmDepth, k_count - k);
      b.pack({k, depth, region.first_column + n, columns}, kGemmColumns, packed_b);
      for (std::int64_t m = 0; m < region.rows; m += kGemmBlockM) {
        const std::int64_t rows = std::min(kGemmBlockM, region.rows - m);
        a.pack({k, depth, region.first_row + m, rows}, kGemmRows, packed_a);
        multiply_block({packed_a, packed_b, rows, columns, depth}, alpha, region.c + m * region.ldc + n, region.ldc);
      }
    }
  }
}

// C has another dtype or lies scattered: its blocks are gathered as floats, added to and written back.
template <class T>
void add_by_blocks(const GemmSize& size, const MatrixSource& a, const MatrixSource& b, float alpha,
                   const GemmOutput& c, float* memory) {
  float* block = memory;
  float* packed = memory + kGemmOutputRows * kGemmBlockN;
  for (std::int64_t n = 0; n < size.n; n += kGemmBlockN) {
    for (std::int64_t m = 0; m < size.m; m += kGemmOutputRows) {
      const Region region{m, std::min(kGemmOutputRows, size.m - m), n, std::min(kGemmBlockN, size.n - n), block,
                          kGemmBlockN};
      T* to = static_cast<T*>(c.data) + m * c.row_stride + n * c.column_stride;
      const auto for_each = [&](auto visit) {
        for (std::int64_t i = 0; i < region.rows; ++i) {
          for (std::int64_t j = 0; j < region.columns; ++j) {
            visit(to[i * c.row_stride + j * c.column_stride], block[i * kGemmBlockN + j]);
          }
        }
      };
      for_each([](const T& from, float& sum) { sum = convert_element<float>(from); });
      add_region(region, size.k, a, b, alpha, packed);
      for_each([](T& result, const float& sum) { result = convert_element<T>(sum); });
    }
  }
}

}  // namespace

void gemm_add(const GemmSize& size, const MatrixSource& a, const MatrixSource& b, float alpha, const GemmOutput& c,
              std::span<std::byte> scratch) {
  ETALON_CHECK(scratch.size() >= kGemmScratchBytes);
  auto* memory = reinterpret_cast<float*>(scratch.data());
  if (c.dtype == DType::kFloat32 && c.column_stride == 1) {
    add_region({0, size.m, 0, size.n, static_cast<float*>(c.data), c.row_stride}, size.k, a, b, alpha, memory);
  } else if (c.dtype == DType::kFloat32 && c.row_stride == 1) {
    // C is the transpose of a row-major matrix, and so is the whole equation.
    add_region({0, size.n, 0, size.m, static_cast<float*>(c.data), c.column_stride}, size.k, b, a, alpha, memory);
  } else if (c.dtype == DType::kFloat32) {
    add_by_blocks<float>(size, a, b, alpha, c, memory);
  } else if (c.dtype == DType::kFloat16) {
    add_by_blocks<Half>(size, a, b, alpha, c, memory);
  } else {
    ETALON_CHECK(c.dtype == DType::kBFloat16);
    add_by_blocks<BFloat16>(size, a, b, alpha, c, memory);
  }
}

float dot(const float* a, const float* b, std::int64_t depth) {
  Lanes sums[4] = {};
  std::int64_t k = 0;
  for (; k + 16 <= depth; k += 16) {
    for (std::int64_t lane = 0; lane < 4; ++lane) sums[lane] += load(a + k + 4 * lane) * load(b + k + 4 * lane);
  }
  const Lanes folded = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float total = (folded[0] + folded[1]) + (folded[2] + folded[3]);
  for (; k < depth; ++k) total += a[k] * b[k];
  return total;
}

}  // namespace etalon::ops
