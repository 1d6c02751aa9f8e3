#include "backends/native/working_memory.h"

#include <algorithm>
#include <thread>

namespace etalon::native {

Result<std::size_t> WorkingMemory::reserve(std::size_t bytes) {
  while (is_used_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  const std::size_t before = block_.size();
  if (bytes > before || block_.data() == nullptr) {
    auto larger = MemoryBlock::allocate(std::max(bytes, kAlignment));
    if (!larger.ok()) {
      release();
      return larger.take_error();
    }
    block_ = std::move(*larger);
  }
  const std::size_t grown = block_.size() - before;
  release();
  return grown;
}

}  // namespace etalon::native
