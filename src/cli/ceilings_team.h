// Threads that do the same at once, timed from the first one's start to the last one's end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace etalon::cli {

struct TeamTime {
  double seconds = 0;
  bool is_clean = true;  // no thread had to wait for a CPU
};

// The calling thread is number 0. One caller at a time.
class ThreadTeam {
 public:
  explicit ThreadTeam(std::uint32_t threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::uint32_t size() const { return static_cast<std::uint32_t>(times_.size()); }
  // Runs work(number of the thread) on all and gives the time it took together. `work` must not throw.
  TeamTime run(const std::function<void(std::uint32_t)>& work);

 private:
  struct alignas(64) Times {  // one line each, so that threads do not disturb one another
    std::uint64_t begin = 0, end = 0, on_cpu = 0;  // ns
  };
  void serve(std::uint32_t thread);
  void timed(std::uint32_t thread);

  std::vector<Times> times_;
  std::vector<std::thread> threads_;
  const std::function<void(std::uint32_t)>* work_ = nullptr;
  std::atomic<std::uint64_t> round_{0};   // a new number starts a round
  std::atomic<std::uint32_t> ready_{0};
  std::atomic<std::uint32_t> finished_{0};
  std::atomic<bool> stops_{false};
};

}  // namespace etalon::cli
