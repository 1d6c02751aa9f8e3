#include "backends/native/worker_pool.h"

#include <gtest/gtest.h>

#include <chrono>

namespace etalon::native {
namespace {

// Rounds in which every worker adds to its own cell and then checks that the others have been there too.
class Rounds final : public Team {
 public:
  void work(unsigned worker, unsigned workers, SpinBarrier& barrier) override {
    for (int round = 1; round <= 50; ++round) {
      cells[worker] += 1;
      barrier.arrive_and_wait();
      for (unsigned other = 0; other < workers; ++other) wrong += cells[other] != round ? 1 : 0;
      barrier.arrive_and_wait();
    }
    most = workers;
  }
  int cells[8] = {};
  std::atomic<int> wrong{0};
  std::atomic<unsigned> most{0};
};

TEST(WorkerPool, nobody_passes_a_barrier_early) {
  for (const unsigned workers : {1u, 2u, 3u, 4u}) {
    WorkerPool pool(workers);
    for (int run = 0; run < 20; ++run) {
      Rounds rounds;
      pool.run(rounds);
      EXPECT_EQ(rounds.wrong, 0);
      EXPECT_EQ(rounds.most, workers);
    }
  }
}

TEST(WorkerPool, sleeping_workers_wake_up) {
  WorkerPool pool(3);
  for (int run = 0; run < 3; ++run) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Rounds rounds;
    pool.run(rounds);
    EXPECT_EQ(rounds.most, 3u);
  }
}

TEST(WorkerPool, callers_from_several_threads_all_get_their_work_done) {
  WorkerPool pool(2);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      for (int run = 0; run < 30; ++run) {
        Rounds rounds;
        pool.run(rounds);
        wrong += rounds.wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace etalon::native
