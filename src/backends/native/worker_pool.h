// Threads that walk a schedule together. They spin between operations, because a pair of cores meets in under
// a microsecond that way, and sleep between runs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace etalon::native {

// All workers of one run meet here; nobody goes on before everybody has come.
class SpinBarrier {
 public:
  explicit SpinBarrier(unsigned parties) : parties_(parties) {}
  void arrive_and_wait();

 private:
  const unsigned parties_;
  alignas(64) std::atomic<unsigned> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

// What the workers do: called once per worker and run, 0 being the caller's own thread.
class Team {
 public:
  virtual ~Team() = default;
  virtual void work(unsigned worker, unsigned workers, SpinBarrier& barrier) = 0;
};

// Owns workers 1..n-1. run() may be called from any thread; who finds the pool busy works alone.
class WorkerPool {
 public:
  explicit WorkerPool(unsigned workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  unsigned workers() const { return static_cast<unsigned>(threads_.size()) + 1; }
  // Returns when all workers have returned. No heap.
  void run(Team& team);

 private:
  void serve(unsigned worker);

  std::vector<std::thread> threads_;
  SpinBarrier barrier_;
  std::atomic<Team*> team_{nullptr};
  std::atomic<bool> is_busy_{false};
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  alignas(64) std::atomic<unsigned> unfinished_{0};
  std::atomic<unsigned> sleepers_{0};
  std::atomic<bool> stops_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace etalon::native
