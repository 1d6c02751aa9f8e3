// A part of 16 bytes between memory and two registers, for ISAs that cannot mask.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etalon::kernels {
namespace {

struct Sixteen {
  std::uint64_t low, high;
};

// `n` <= 8.
ETALON_INLINE std::uint64_t load_part8(const std::int8_t* p, std::size_t n) {
  std::uint64_t all = 0;
  if (n == 8) {
    __builtin_memcpy(&all, p, 8);
  } else if (n >= 4) {
    std::uint32_t first = 0, last = 0;
    __builtin_memcpy(&first, p, 4);
    __builtin_memcpy(&last, p + n - 4, 4);
    all = first | std::uint64_t{last} << (8 * (n - 4));
  } else {
    for (std::size_t i = n; i-- > 0;) all = all << 8 | static_cast<std::uint8_t>(p[i]);
  }
  return all;
}
ETALON_INLINE void store_part8(std::uint64_t all, std::int8_t* p, std::size_t n) {
  if (n == 8) {
    __builtin_memcpy(p, &all, 8);
    return;
  }
  if (n & 4) {
    __builtin_memcpy(p, &all, 4);
    p += 4, all >>= 32;
  }
  if (n & 2) {
    __builtin_memcpy(p, &all, 2);
    p += 2, all >>= 16;
  }
  if (n & 1) *p = static_cast<std::int8_t>(all);
}

// `n` <= 16; zero behind what is loaded.
ETALON_INLINE Sixteen load_part16(const std::int8_t* p, std::size_t n) {
  if (n <= 8) return {load_part8(p, n), 0};
  return {load_part8(p, 8), load_part8(p + 8, n - 8)};
}
ETALON_INLINE void store_part16(Sixteen all, std::int8_t* p, std::size_t n) {
  if (n <= 8) return store_part8(all.low, p, n);
  store_part8(all.low, p, 8);
  store_part8(all.high, p + 8, n - 8);
}

}  // namespace
}  // namespace etalon::kernels
