#include "runtime/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/checked.h"

namespace etalon::runtime {
namespace {

// From here on the kernel hands out zeroed pages on demand; below, a mapping would waste most of its page.
constexpr std::size_t kMapFrom = 64 * 1024;

Error out_of_memory(std::size_t size) {
  return resource_error("cannot get " + std::to_string(size) + " bytes of memory");
}

}  // namespace

Result<AlignedBuffer> AlignedBuffer::allocate(std::size_t size_bytes) {
  if (size_bytes == 0) return AlignedBuffer();
  if (size_bytes > std::size_t{1} << 62) return out_of_memory(size_bytes);
  if (size_bytes >= kMapFrom) {
    void* data = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return out_of_memory(size_bytes);
    return AlignedBuffer(static_cast<std::byte*>(data), size_bytes);
  }
  void* data = std::aligned_alloc(kBufferAlignment, round_up(size_bytes, kBufferAlignment));
  if (data == nullptr) return out_of_memory(size_bytes);
  std::memset(data, 0, size_bytes);
  return AlignedBuffer(static_cast<std::byte*>(data), size_bytes);
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ == nullptr) return;
  if (size_ >= kMapFrom) {
    ::munmap(data_, size_);
  } else {
    std::free(data_);
  }
}

}  // namespace etalon::runtime
