// Which tensors may share memory: each lives from the operation that writes it to the last one that reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace etalon::native {

struct ArenaItem {
  std::size_t bytes = 0;
  std::uint32_t first = 0, last = 0;  // operations, inclusive
};

struct ArenaPlan {
  std::vector<std::size_t> offsets;  // by item; multiples of 64
  std::size_t bytes = 0;             // of the whole arena
};

// Items whose lives touch never overlap. Greedy: the largest first, each as low as it fits.
ArenaPlan plan_arena(std::span<const ArenaItem> items);

}  // namespace etalon::native
