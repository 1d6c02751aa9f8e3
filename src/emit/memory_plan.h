// Places tensors with known lifetimes in one buffer so that those alive at the same time do not overlap.
//
// Greedy by size (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", algorithm 3):
// the largest first, each at the lowest offset free during its life.
#pragma once

#include <cstdint>
#include <vector>

namespace etalon::emit {

// Memory that one or more tensors share. Alive from instruction `first` to `last`, both included.
struct Storage {
  std::uint64_t size_bytes = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint64_t offset = 0;  // result
};

struct MemoryPlan {
  std::uint64_t planned_bytes = 0;   // of the buffer
  std::uint64_t ideal_bytes = 0;     // most bytes alive at one instruction: no plan needs less
  std::uint64_t unshared_bytes = 0;  // if every storage had its own place
};

// Offsets are multiples of kPlanAlignment.
inline constexpr std::uint64_t kPlanAlignment = 64;
MemoryPlan plan_memory(std::vector<Storage>& storages);

}  // namespace etalon::emit
