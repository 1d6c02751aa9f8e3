// One matrix product in any dtype, for mm, bmm, addmm and linear.
#pragma once

#include <cstddef>
#include <span>

#include "ops/gemm.h"
#include "ops/value.h"

namespace etalon::ops {

// A matrix in memory; strides in elements.
struct Matrix {
  void* data;
  std::int64_t row_stride;
  std::int64_t column_stride;

  Matrix transposed() const { return {data, column_stride, row_stride}; }
};

struct MatrixProduct {
  DType dtype;  // of all three
  GemmSize size;
  Matrix a;  // m x k
  Matrix b;  // k x n
  Matrix c;  // m x n
};

// Bytes of scratch that multiply_add() wants.
std::size_t matmul_scratch(DType dtype);

// c += alpha * a * b. Halves and float32 are summed in float, integers wrap. kUnsupported for bool.
Status multiply_add(const MatrixProduct& product, const Scalar& alpha, std::span<std::byte> scratch);

// Refuses dtypes that differ or that matrices cannot be multiplied in.
Status check_matmul_dtypes(DType a, DType b);

}  // namespace etalon::ops
