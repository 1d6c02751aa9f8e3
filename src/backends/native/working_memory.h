// Memory for activations and scratch that all delegates of a backend share, because mostly one of them runs at a time:
// a transformer of 26 delegates then works in the same few hundred kilobytes of cache instead of in 26 places.
#pragma once

#include <atomic>
#include <cstddef>

#include "backends/native/memory_block.h"
#include "base/result.h"

namespace etalon::native {

// Thread-safe.
class WorkingMemory {
 public:
  // Makes room for `bytes`, waiting for whoever uses it; returns by how much it grew. kResource when there is no more.
  Result<std::size_t> reserve(std::size_t bytes);

  // The memory, as large as the largest reservation, for one user at a time; null while another has it.
  std::byte* try_acquire() { return is_used_.test_and_set(std::memory_order_acquire) ? nullptr : block_.data(); }
  void release() { is_used_.clear(std::memory_order_release); }

 private:
  std::atomic_flag is_used_;
  MemoryBlock block_;
};

}  // namespace etalon::native
