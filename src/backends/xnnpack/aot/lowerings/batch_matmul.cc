// Products of batches of matrices. The second operand is read transposed where it lies so, which saves the transposition
// of the keys in attention.
#include <fmt/core.h>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

const DimOrder kTurned = {0, 2, 1};

// The batch dims of a representation: all but the last two.
bool same_batch(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return false;
  for (std::size_t i = 0; i + 2 < a.rank(); ++i) {
    if (a.sizes[i] != b.sizes[i] || a.probe[i] != b.probe[i]) return false;
  }
  return true;
}

Status lower_bmm(PayloadBuilder& b, const NodeArgs& a) {
  const DType dtype = a.out_type().dtype;
  const bool turned = b.prefers(a.value(1), kTurned);
  Rep x = b.in_order_any_dims(a.value(0), contiguous_order(3), 2);
  Rep y = b.in_order_any_dims(a.value(1), turned ? kTurned : contiguous_order(3), 2);
  if (!same_batch(x.dims, y.dims)) {
    x = {b.plain(a.value(0)), contiguous_order(3), shape_of(b.type(a.value(0)))};
    const DimOrder order = turned ? kTurned : contiguous_order(3);
    y = {b.get(a.value(1), order), order, permuted(shape_of(b.type(a.value(1))), order)};
  }
  Shape dims = x.dims;
  const std::size_t last = dims.rank() - 1;
  const Shape out = shape_of(a.out_type());
  dims.sizes[last] = out.sizes[2];
  dims.probe[last] = out.probe[2];
  const std::uint32_t made = b.temporary(dims, dtype);
  b.define(a.out(), {made, contiguous_order(3), dims});
  b.emit(xnn::NodeType::kBatchMatrixMultiply, {x.id, y.id}, made, {}, turned ? xnn::kTransposeWeights : 0);
  return {};
}

constexpr Lowering kRows[] = {{"aten::bmm", accept, lower_bmm}};

}  // namespace

extern constinit const LoweringFamily kBatchMatmulLowerings{kRows};

}  // namespace etalon::xnnpack
