// Testing elements for zero, whatever their dtype. -0.0 is zero, NaN is not.
#pragma once

#include "ops/dispatch.h"

namespace etalon::ops {

// Storage types that suffice for the test: unsigned integers for integers and bool, floats for floats.
template <class Visit>
Status visit_nonzero(DType dtype, Visit&& visit) {
  if (is_floating(dtype)) return visit_floating(dtype, visit);
  return visit_element_size(dtype, visit);
}

template <class T>
bool is_nonzero(T x) {
  return x != T{};
}
inline bool is_nonzero(Half x) { return (x.bits & 0x7fffu) != 0; }
inline bool is_nonzero(BFloat16 x) { return (x.bits & 0x7fffu) != 0; }

}  // namespace etalon::ops
