// Zeroed memory aligned to a page when large, to 64 bytes always. Pages of large buffers are only taken when touched.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace etalon::runtime {

inline constexpr std::size_t kBufferAlignment = 64;  // one cache line, one AVX-512 register

// Move-only; the address does not change on a move.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // kResource when the system has no more.
  static Result<AlignedBuffer> allocate(std::size_t size_bytes);

  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<std::byte> span() const { return {data_, size_}; }

 private:
  AlignedBuffer(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace etalon::runtime
