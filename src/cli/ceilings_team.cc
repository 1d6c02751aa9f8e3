#include "cli/ceilings_team.h"

#include <time.h>

#include <algorithm>

#include "platform/clock.h"

namespace etalon::cli {
namespace {

// Waiting burns the CPU, because waking up takes longer than what is timed; on a busy machine it lets others in.
template <class Condition>
void wait_until(const Condition& holds) {
  for (int turns = 0; !holds(); ++turns) {
    if (turns > 2000) std::this_thread::yield();
  }
}

// What this thread ran for; the clock goes on while it waits.
std::uint64_t cpu_ns() {
  timespec time{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

// Beyond what reading two clocks one after the other explains.
constexpr double kWaitedShare = 0.03;
constexpr double kClockCostNs = 10'000;

}  // namespace

ThreadTeam::ThreadTeam(std::uint32_t threads) : times_(std::max(threads, 1u)) {
  for (std::uint32_t i = 1; i < size(); ++i) threads_.emplace_back([this, i] { serve(i); });
}

ThreadTeam::~ThreadTeam() {
  stops_ = true;
  ++round_;
  for (std::thread& thread : threads_) thread.join();
}

// All are there before any begins.
void ThreadTeam::timed(std::uint32_t thread) {
  ++ready_;
  wait_until([this] { return ready_.load() == size(); });
  const std::uint64_t before = cpu_ns();
  times_[thread].begin = platform::now_ns();
  (*work_)(thread);
  times_[thread].end = platform::now_ns();
  times_[thread].on_cpu = cpu_ns() - before;
  ++finished_;
}

void ThreadTeam::serve(std::uint32_t thread) {
  for (std::uint64_t seen = 0;;) {
    wait_until([&] { return round_.load() != seen; });
    seen = round_.load();
    if (stops_) return;
    timed(thread);
  }
}

TeamTime ThreadTeam::run(const std::function<void(std::uint32_t)>& work) {
  work_ = &work;
  ready_ = 0;
  finished_ = 0;
  ++round_;
  timed(0);
  wait_until([this] { return finished_.load() == size(); });
  std::uint64_t begin = times_[0].begin, end = times_[0].end;
  for (const Times& times : times_) {
    begin = std::min(begin, times.begin);
    end = std::max(end, times.end);
  }
  const auto span = static_cast<double>(end - begin);
  TeamTime out{span / 1e9, true};
  for (const Times& times : times_) {
    if (span - static_cast<double>(times.on_cpu) > kWaitedShare * span + kClockCostNs) out.is_clean = false;
  }
  return out;
}

}  // namespace etalon::cli
