// Matrix multiplication for every operator that needs one (mm, linear, convolution, ...).
//
//   C[m][n] = alpha * sum_k A[k][m] * B[k][n] + C[m][n]
//
// Float32 arithmetic on packed blocks: each operand is a MatrixSource, which writes blocks of itself in panel order,
// so a convolution multiplies without ever forming its im2col matrix. Single-threaded, no allocation; the memory for
// the packed blocks comes from the caller and is bounded (kGemmScratchBytes) whatever the sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ops/element.h"

namespace etalon::ops {

inline constexpr std::int64_t kGemmRows = 4;      // register tile: rows of C
inline constexpr std::int64_t kGemmColumns = 8;   // register tile: columns of C
inline constexpr std::int64_t kGemmDepth = 256;   // k per packed block
inline constexpr std::int64_t kGemmBlockM = 64;   // rows of A per packed block
inline constexpr std::int64_t kGemmBlockN = 256;  // columns of B per packed block
inline constexpr std::int64_t kGemmOutputRows = 128;  // rows of C per block where C needs converting
inline constexpr std::size_t kGemmScratchBytes =
    static_cast<std::size_t>(kGemmDepth * (kGemmBlockM + kGemmBlockN) + kGemmOutputRows * kGemmBlockN) * sizeof(float);

// Part of an operand: `depth` steps of k from `k`, `count` rows (or columns) from `first`.
struct PackRange {
  std::int64_t k;
  std::int64_t depth;
  std::int64_t first;
  std::int64_t count;
};

// One operand, indexed by k and by row (of A) or column (of B).
class MatrixSource {
 public:
  virtual ~MatrixSource() = default;
  // Writes panels of `width` neighbours: element (k, j) goes to [(j / width)][k][j % width]; a short last panel is
  // filled up with zeros. `width` is kGemmRows or kGemmColumns.
  virtual void pack(const PackRange& range, std::int64_t width, float* panels) const = 0;
};

// A matrix in memory with any strides.
template <class T>
class StridedMatrix final : public MatrixSource {
 public:
  StridedMatrix(const T* data, std::int64_t k_stride, std::int64_t stride)
      : data_(data), k_stride_(k_stride), stride_(stride) {}
  void pack(const PackRange& range, std::int64_t width, float* panels) const override;

 private:
  const T* data_;
  std::int64_t k_stride_;
  std::int64_t stride_;
};

struct GemmSize {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
};

// The matrix that is added to: a floating dtype, strides in elements.
struct GemmOutput {
  DType dtype;
  void* data;
  std::int64_t row_stride;
  std::int64_t column_stride;
};

// Adds alpha * A * B to `c`. `scratch` has kGemmScratchBytes, aligned to 64.
void gemm_add(const GemmSize& size, const MatrixSource& a, const MatrixSource& b, float alpha, const GemmOutput& c,
              std::span<std::byte> scratch);

// sum_k a[k] * b[k], both contiguous.
float dot(const float* a, const float* b, std::int64_t depth);

extern template class StridedMatrix<float>;
extern template class StridedMatrix<Half>;
extern template class StridedMatrix<BFloat16>;

}  // namespace etalon::ops
