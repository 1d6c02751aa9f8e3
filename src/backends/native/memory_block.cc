#include "backends/native/memory_block.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdint>
#include <utility>

#include "base/checked.h"

namespace etalon::native {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

Result<MemoryBlock> MemoryBlock::allocate(std::size_t size_bytes) {
  MemoryBlock block;
  if (size_bytes == 0) return block;
  if (size_bytes > std::size_t{1} << 46)
    return resource_error(fmt::format("cannot get {} bytes of memory", size_bytes));
  const bool huge = size_bytes >= kHugePage;
  const std::size_t mapped = round_up(size_bytes, kPage) + (huge ? kHugePage : 0);
  void* mapping = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return resource_error(fmt::format("cannot get {} bytes of memory", size_bytes));
  block.mapping_ = mapping;
  block.mapping_size_ = mapped;
  block.size_ = size_bytes;
  auto address = reinterpret_cast<std::uintptr_t>(mapping);
  if (huge) {
    address = round_up(address, std::uintptr_t{kHugePage});
#if defined(MADV_HUGEPAGE)
    ::madvise(reinterpret_cast<void*>(address), round_up(size_bytes, kPage),
              MADV_HUGEPAGE);  // a wish, may fail
#endif
  }
  block.data_ = reinterpret_cast<std::byte*>(address);
  return block;
}

void MemoryBlock::forget(std::size_t begin, std::size_t end) {
  const auto first = round_up(reinterpret_cast<std::uintptr_t>(data_ + begin), std::uintptr_t{kPage});
  const auto last = reinterpret_cast<std::uintptr_t>(data_ + end) / kPage * kPage;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

MemoryBlock& MemoryBlock::operator=(MemoryBlock&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_size_, other.mapping_size_);
  return *this;
}

MemoryBlock::~MemoryBlock() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_size_);
}

}  // namespace etalon::native
