// Converting runs of elements from one dtype to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tensor/dtype.h"
#include "tensor/half.h"

// Marks a loop whose iterations are independent even when input and output are the same memory.
#if defined(__clang__)
#define ETALON_INDEPENDENT_LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define ETALON_INDEPENDENT_LOOP _Pragma("GCC ivdep")
#endif

namespace etalon::ops {

// One element, as torch converts it: floats truncate towards zero, integers wrap, everything but zero is
// true. Out-of-range floats are undefined in C++; here they give what x86 gives, the most negative integer.
template <class To, class From>
inline To convert_element(From x) {
  constexpr bool kFromHalf = std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>;
  constexpr bool kToHalf = std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>;
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (kFromHalf) {
    return convert_element<To>(static_cast<float>(x));
  } else if constexpr (kToHalf) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Narrow integers go through int32 so that the loop vectorises.
    using Wide =
        std::conditional_t<(sizeof(To) < 4 || std::is_same_v<To, std::int32_t>), std::int32_t, std::int64_t>;
    constexpr From kLimit = sizeof(Wide) == 4 ? From(2147483648.0) : From(9223372036854775808.0);
    if constexpr (std::is_same_v<To, std::uint64_t>) {
      if (x >= kLimit && x < kLimit * From(2)) return static_cast<To>(x);
    }
    const Wide wide = x >= -kLimit && x < kLimit ? static_cast<Wide>(x) : std::numeric_limits<Wide>::min();
    return static_cast<To>(wide);
  } else {
    return static_cast<To>(x);
  }
}

// Converts `count` dense elements. `src` and `dst` may be the same memory only if the sizes of the dtypes
// agree.
void convert_run(DType from, const void* src, DType to, void* dst, std::int64_t count);

// Collects `count` elements of `element_size` bytes that lie `stride` elements apart (0 and negative
// allowed).
void gather_run(const void* src, std::int64_t stride, std::size_t element_size, void* dst,
                std::int64_t count);
// The reverse: spreads dense elements.
void scatter_run(const void* src, void* dst, std::int64_t stride, std::size_t element_size,
                 std::int64_t count);

}  // namespace etalon::ops
