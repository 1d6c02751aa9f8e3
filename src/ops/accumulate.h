// Adding one element to another as torch does in scatter_add and index_put: bools by "or", halves in float.
#pragma once

#include <type_traits>

#include "ops/dispatch.h"

namespace etalon::ops {

template <class T>
void accumulate(T& sum, T x) {
  if constexpr (std::is_same_v<T, bool>) {
    sum = sum || x;
  } else if constexpr (std::is_integral_v<T>) {
    // Wraps; a signed overflow would be undefined.
    using U = std::make_unsigned_t<T>;
    sum = static_cast<T>(static_cast<U>(static_cast<U>(sum) + static_cast<U>(x)));
  } else {
    using Math = MathTypeOf<T>;
    sum = T(static_cast<Math>(sum) + static_cast<Math>(x));
  }
}

}  // namespace etalon::ops
