// All kernels of qs8_vector.h for one ISA: include bytes_<isa>.h first, then use ETALON_QS8_VECTOR_KERNELS once.
//
// Such a header defines, in an unnamed namespace: Bytes, a register of int8; the operations Summing, Multiplying,
// Quantising and Dequantising on it; ColumnSums, which adds up pairs of rows; widen_range, translate_bytes; and
// Lanes1, perhaps Lanes2 and Lanes4: registers of so many times 16 bytes, for transposition.
#pragma once

#include "kernels/qs8_vector/columns_impl.h"
#include "kernels/qs8_vector/elementwise_impl.h"
#include "kernels/qs8_vector/tables.h"
#include "kernels/qs8_vector/transpose_impl.h"

// clang-format off
#define ETALON_QS8_VECTOR_KERNELS           \
  {                                         \
    .isa = Isa::ETALON_ISA,                 \
    .suffix = ETALON_ISA_SUFFIX,            \
    .add = add,                             \
    .add_scalar = add_scalar,               \
    .add_columns = add_columns,             \
    .multiply = multiply,                   \
    .multiply_scalar = multiply_scalar,     \
    .multiply_columns = multiply_columns,   \
    .translate = translate,                 \
    .quantise = quantise,                   \
    .dequantise = dequantise,               \
    .quantise_row = quantise_row,           \
    .max_pool_rows = max_pool_rows,         \
    .mean_columns = mean_columns,           \
    .transpose_x8 = transpose_x8,           \
  }
// clang-format on
