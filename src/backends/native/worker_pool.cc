#include "backends/native/worker_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace etalon::native {
namespace {

// Short waits pause; long ones give the core away, so that a waiting thread never starves the one it waits
// for.
class Spinner {
 public:
  void wait() {
    if (++rounds_ < kPauses) {
#if defined(__x86_64__)
      _mm_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
    } else {
      std::this_thread::yield();
    }
  }
  bool is_tired() const { return rounds_ > kPauses + kYields; }

 private:
  static constexpr unsigned kPauses = 4000;  // about 50 us
  static constexpr unsigned kYields = 200;
  unsigned rounds_ = 0;
};

}  // namespace

void SpinBarrier::arrive_and_wait() {
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  Spinner spinner;
  while (round_.load(std::memory_order_acquire) == round) spinner.wait();
}

WorkerPool::WorkerPool(unsigned workers) : barrier_(workers) {
  for (unsigned worker = 1; worker < workers; ++worker)
    threads_.emplace_back([this, worker] { serve(worker); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stops_.store(true);
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(Team& team) {
  if (threads_.empty() || is_busy_.exchange(true, std::memory_order_acquire)) {
    SpinBarrier alone(1);
    team.work(0, 1, alone);
    return;
  }
  team_.store(&team, std::memory_order_relaxed);
  unfinished_.store(static_cast<unsigned>(threads_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1);
  // A worker announces its sleep before it looks at the generation for the last time, so one of the two sees
  // the other.
  if (sleepers_.load() != 0) {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  team.work(0, workers(), barrier_);
  Spinner spinner;
  while (unfinished_.load(std::memory_order_acquire) != 0) spinner.wait();
  is_busy_.store(false, std::memory_order_release);
}

void WorkerPool::serve(unsigned worker) {
  std::uint32_t seen = 0;
  for (;;) {
    Spinner spinner;
    while (generation_.load(std::memory_order_acquire) == seen && !spinner.is_tired()) spinner.wait();
    if (generation_.load() == seen) {
      std::unique_lock lock(mutex_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      sleepers_.fetch_sub(1);
    }
    ++seen;
    if (stops_.load()) return;
    team_.load(std::memory_order_relaxed)->work(worker, workers(), barrier_);
    unfinished_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace etalon::native
