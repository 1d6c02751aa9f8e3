#include "backends/native/schedule.h"

#include "backends/native/memory_block.h"
#include "base/checked.h"
#include "platform/clock.h"

namespace etalon::native {

void Schedule::work(unsigned worker, unsigned workers, SpinBarrier& barrier) {
  RunContext context;
  context.bases = plan_.bases.data();
  context.scratch = scratch_ + worker * round_up(plan_.scratch_bytes, kAlignment);
  if (place_.tracer != nullptr) {
    run_traced(context, worker, workers, barrier);
  } else if (workers == 1) {
    run_alone(context);
  } else {
    run_together(context, worker, workers, barrier);
  }
}

void Schedule::run_alone(const RunContext& context) const {
  for (const auto& operation : plan_.operations) operation->run(context, 0, 1);
}

// Small operations are the first worker's; the others only wait where a shared operation is next to one.
void Schedule::run_together(const RunContext& context, unsigned worker, unsigned workers,
                            SpinBarrier& barrier) const {
  const std::size_t count = plan_.operations.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Operation& operation = *plan_.operations[i];
    if (operation.is_shared) {
      operation.run(context, worker, workers);
    } else if (worker == 0) {
      operation.run(context, 0, 1);
    }
    const bool is_last = i + 1 == count;
    if (!is_last && (operation.is_shared || plan_.operations[i + 1]->is_shared)) barrier.arrive_and_wait();
  }
}

void Schedule::run_traced(const RunContext& context, unsigned worker, unsigned workers,
                          SpinBarrier& barrier) const {
  std::uint64_t start = platform::now_ns();
  for (std::size_t i = 0; i < plan_.operations.size(); ++i) {
    const Operation& operation = *plan_.operations[i];
    if (operation.is_shared || worker == 0) operation.run(context, worker, operation.is_shared ? workers : 1);
    if (workers > 1) barrier.arrive_and_wait();
    if (worker != 0) continue;
    const std::uint64_t end = platform::now_ns();
    place_.tracer->record({plan_.event_names[i], place_.chain, place_.instruction, start, end, true});
    start = platform::now_ns();
  }
}

}  // namespace etalon::native
