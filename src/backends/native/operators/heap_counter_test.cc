// Counts what tests take from the heap through operator new, for operator_testing.h.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "backends/native/operators/operator_testing.h"

namespace etalon::native::testing {

namespace {
std::atomic<int> uses{0};
}
int heap_uses() { return uses.load(std::memory_order_relaxed); }

}  // namespace etalon::native::testing

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they have their own
void* operator new(std::size_t size) {
  etalon::native::testing::uses.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace etalon::native {
namespace {

TEST(NativeOperators, the_heap_counter_counts) {
  const int before = testing::heap_uses();
  const auto number = std::make_unique<volatile int>(1);
  EXPECT_GT(testing::heap_uses(), before);
}

}  // namespace
}  // namespace etalon::native
#endif
