// Running a plan: every worker walks the list of operations, and they meet where one needs what another made.
#pragma once

#include "backends/native/plan.h"
#include "backends/native/worker_pool.h"
#include "runtime/backend.h"

namespace etalon::native {

class Schedule final : public Team {
 public:
  // `scratch` has room for plan.scratch_bytes (rounded up to 64) per worker of the pool.
  Schedule(const Plan& plan, std::byte* scratch, const runtime::Delegate::Place& place)
      : plan_(plan), scratch_(scratch), place_(place) {}

  void work(unsigned worker, unsigned workers, SpinBarrier& barrier) override;

 private:
  void run_alone(const RunContext& context) const;
  void run_together(const RunContext& context, unsigned worker, unsigned workers, SpinBarrier& barrier) const;
  void run_traced(const RunContext& context, unsigned worker, unsigned workers, SpinBarrier& barrier) const;

  const Plan& plan_;
  std::byte* scratch_;
  runtime::Delegate::Place place_;
};

}  // namespace etalon::native
