// Masks and other tensors of which only "zero or not" matters.
#pragma once

#include <cstdint>

#include "ops/strided.h"

namespace etalon::ops {

// Bytes of a bool tensor from outside may hold more than 0 and 1.
inline bool is_mask(DType dtype) { return dtype == DType::kBool || dtype == DType::kUInt8; }

// How many elements are not zero. The tensor must have memory.
std::int64_t count_nonzero(const TensorView& view);

// The same if the contents are known, else the most that there can be: all. Contents are unknown at export.
std::int64_t count_nonzero_bound(const TensorView& view);

}  // namespace etalon::ops
