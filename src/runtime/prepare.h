// Method loading: looks up, checks and binds everything that execute() will use. Private to runtime.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/method_state.h"

namespace etalon::runtime {

class MethodBuilder {
 public:
  MethodBuilder(const Program& program, const MethodOptions& options) : program_(program), options_(options) {}
  Result<Method> run(std::string_view name);

 private:
  // One kernel call with value numbers where the Step will have pointers. kNoItem: an argument the out form drops.
  struct CallPlan {
    const ops::Op* op = nullptr;
    std::vector<std::uint32_t> args;
    std::vector<std::uint32_t> outs;
  };

  Status check_availability() const;
  void remember_input_bounds();
  Status find_changing_values();
  Status add_moves(std::vector<std::vector<std::uint32_t>>& targets);
  Status add_rebindings(std::vector<std::vector<std::uint32_t>>& targets);
  void spread_read_only(const std::vector<std::vector<std::uint32_t>>& targets);
  Status plan_calls();
  Status check_calls() const;
  Status plan_call(const formats::pte::KernelCall& call, CallPlan& out) const;
  Status check_call(const CallPlan& call) const;
  Status check_output(ops::ArgType type, std::uint32_t value) const;
  Status check_writable(std::uint32_t value) const;
  Status build_steps();
  Status build_step(std::size_t i);
  Status build_delegates();
  Status build_delegate_call(const formats::pte::DelegateCall& call, Step& step);
  void build_kernel_call(const CallPlan& call, Step& step);
  void choose_kernel(Step& step);
  Status prove_fixed_shapes();
  Status size_scratch();
  bool can_change(std::uint32_t value) const;
  bool may_alias_later(const CallPlan& call) const;

  const formats::pte::Chain& chain() const { return state_->plan->chains.front(); }

  const Program& program_;
  const MethodOptions& options_;
  PortableResolver portable_;
  std::unique_ptr<MethodState> state_;
  std::vector<CallPlan> calls_;        // one per instruction; op is null where it is no kernel call
  std::vector<bool> moved_into_;       // the value may be replaced by another one
  std::vector<bool> number_changes_;   // an operator writes this number
  std::vector<bool> maybe_read_only_;  // a constant may end up in this place
};

}  // namespace etalon::runtime
