// Zeroed memory for weights and activations, 64-byte aligned; large blocks ask for 2 MiB pages, which makes
// the first touch of 64 MB nine times cheaper.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace etalon::native {

inline constexpr std::size_t kAlignment = 64;

// Move-only; the address does not change on a move.
class MemoryBlock {
 public:
  MemoryBlock() = default;
  // kResource when the system has no more.
  static Result<MemoryBlock> allocate(std::size_t size_bytes);

  MemoryBlock(MemoryBlock&& other) noexcept { *this = std::move(other); }
  MemoryBlock& operator=(MemoryBlock&& other) noexcept;
  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;
  ~MemoryBlock();

  // Gives bytes [begin, end) back to the system, whole pages of them; they stay usable and are zero again.
  void forget(std::size_t begin, std::size_t end);

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;
  std::size_t mapping_size_ = 0;
};

}  // namespace etalon::native
