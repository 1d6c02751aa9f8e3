// Counts calls of malloc while `counting` is set. For ONE test file of a program, because it replaces malloc itself.
#pragma once

#include <atomic>
#include <cstdlib>

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

[[maybe_unused]] void count() {  // unused under sanitizers
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Sanitizers own malloc; nothing is counted there.
#define ETALON_COUNTS_MALLOC 0
#else
#define ETALON_COUNTS_MALLOC 1
// glibc's names for its own functions.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_calloc(std::size_t, std::size_t);
extern "C" void* __libc_realloc(void*, std::size_t);
extern "C" void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
extern "C" void* calloc(std::size_t items, std::size_t size) {
  count();
  return __libc_calloc(items, size);
}
extern "C" void* realloc(void* old, std::size_t size) {
  count();
  return __libc_realloc(old, size);
}
#endif
