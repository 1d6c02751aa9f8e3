// A payload compiled by the native engine.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backends/native/graph.h"
#include "backends/native/import.h"
#include "backends/native/packed_weights.h"
#include "backends/native/plan.h"
#include "backends/native/settings.h"
#include "backends/native/worker_pool.h"
#include "backends/native/working_memory.h"
#include "runtime/backend.h"

namespace etalon::native {

class NativeDelegate final : public runtime::Delegate {
 public:
  // `settings` and `pool` must outlive the delegate.
  static Result<std::unique_ptr<NativeDelegate>> compile(const runtime::DelegateSource& source,
                                                         const Settings& settings, WorkerPool& pool, WorkingMemory& memory);

  std::size_t input_count() const override { return input_count_; }
  std::span<const runtime::DelegateOperation> operations() const override { return plans_.front()->evidence; }
  std::uint64_t memory_bytes() const override;
  std::uint64_t packed_bytes() const override { return packed_.bytes(); }
  Status execute(std::span<ops::Value* const> args, const Place& place) override;

 private:
  // An argument as the payload describes it.
  struct Argument {
    xnn::DataType type = xnn::DataType::kInvalid;  // kInvalid: no value is bound to it
    bool is_output = false;
    bool is_constant = false;
  };
  static constexpr std::size_t kKeptPlans = 4;

  NativeDelegate(const Settings& settings, WorkerPool& pool, WorkingMemory& memory)
      : settings_(settings), pool_(pool), memory_(memory), widened_(settings.cap) {}

  Status describe_arguments(const runtime::DelegateSource& source);
  Status check_argument(std::size_t i, const ops::Value& value) const;
  Status resize_outputs(std::span<ops::Value* const> args, const Plan& plan) const;
  Result<Plan*> plan_for(std::span<ops::Value* const> args);
  Result<std::unique_ptr<Plan>> build_plan(std::span<const Dims> inputs);
  void release_widened(const Plan& newest);
  bool fits(const Plan& plan, std::span<ops::Value* const> args) const;
  std::size_t scratch_bytes(const Plan& plan) const;  // of all workers
  Status run_plan(Plan& plan, const Place& place);
  void widen_outputs(std::span<ops::Value* const> args) const;

  const Settings& settings_;
  WorkerPool& pool_;
  WorkingMemory& memory_;
  xnn::Graph graph_;
  NamedData named_data_;
  std::vector<Argument> arguments_;
  std::vector<Bytes> constant_arguments_;  // by argument, empty if it is none
  std::size_t input_count_ = 0;
  std::vector<std::unique_ptr<float[]>> constants_;  // of imported graphs
  WidenedConstants widened_;
  PackedWeights packed_;
  std::vector<std::unique_ptr<Plan>> plans_;  // latest used first; never empty once compiled
  std::set<std::string, std::less<>> names_;  // of events, which recorders borrow
  std::size_t reserved_bytes_ = 0;            // by how much this delegate made the shared memory grow
  MemoryBlock own_memory_;                    // for executions that find the shared memory in use
};

}  // namespace etalon::native
