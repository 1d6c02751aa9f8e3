// All kernels of vector.h for one ISA: include kernels/simd/<isa>.h first, then instantiate ETALON_VECTOR_KERNELS once.
#pragma once

#include "kernels/vector/elementwise_impl.h"
#include "kernels/vector/move_impl.h"
#include "kernels/vector/pool_impl.h"
#include "kernels/vector/rows_impl.h"
#include "kernels/vector/tables.h"
#include "kernels/vector/vector.h"

// clang-format off
#define ETALON_VECTOR_KERNELS                                 \
  {                                                           \
    .isa = Isa::ETALON_ISA,                                   \
    .suffix = ETALON_ISA_SUFFIX,                              \
    .unary = kUnary,                                          \
    .binary = kBinary<Operands::kBothRows>,                   \
    .binary_scalar = kBinary<Operands::kScalarB>,             \
    .binary_by_scalar = kBinary<Operands::kScalarA>,          \
    .softmax_row = softmax_row,                               \
    .layer_norm_row = layer_norm_row,                         \
    .sum_row = sum_row,                                       \
    .max_row = max_row,                                       \
    .sum_columns = sum_columns,                               \
    .weighted_sum_columns = weighted_sum_columns,             \
    .dot_row = dot_row,                                       \
    .scale_columns = scale_columns,                           \
    .add_columns = add_columns,                               \
    .max_pool_rows = pool_rows<MaxPool>,                      \
    .average_pool_rows = pool_rows<AveragePool>,              \
    .transpose_x32 = transpose_x32,                           \
    .half_to_float = half_to_float,                           \
    .float_to_half = float_to_half,                           \
    .bilinear_row = bilinear_row,                             \
  }
// clang-format on
