// The run loop. Nothing here allocates unless an error is made or scratch memory must grow past what was foreseen.
#include <fmt/core.h>

#include "platform/clock.h"
#include "runtime/method_state.h"

namespace etalon::runtime {
namespace {

using Tag = ops::Value::Tag;

Result<bool> is_true(const ops::Value& value) {
  if (value.is(Tag::kBool)) return value.as_bool();
  if (!value.is(Tag::kTensor) || value.as_tensor()->dtype() != DType::kBool) {
    return invalid_input("the condition is neither a bool nor a tensor of bools");
  }
  const TensorView& tensor = *value.as_tensor();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    // Read as a byte: a bool other than 0 and 1 is undefined, and the bytes may come from anywhere.
    if (tensor.data_as<std::uint8_t>()[i] == 0) return false;
  }
  return true;
}

class Executor {
 public:
  explicit Executor(MethodState& state) : state_(state) {}

  template <bool kTraced>
  Status run() {
    const std::size_t count = state_.steps.size();
    std::uint64_t executed = 0;
    for (std::size_t pc = 0; pc < count; ++executed) {
      if (executed >= state_.max_instructions) [[unlikely]] {
        return resource_error(fmt::format("more than {} instructions in one execution", state_.max_instructions));
      }
      Step& step = state_.steps[pc];
      const std::uint64_t start = kTraced ? platform::now_ns() : 0;
      std::size_t next = pc + 1;
      if (Status status = run_step<kTraced>(step, pc, next); !status.ok()) [[unlikely]] {
        return failed(status.error(), pc, step);
      }
      if constexpr (kTraced) report(name_of_event(step.kind), pc, start);
      pc = next;
    }
    return {};
  }

 private:
  template <bool kTraced>
  Status run_step(Step& step, std::size_t pc, std::size_t& next) {
    switch (step.kind) {
      case StepKind::kKernel: return run_kernel<kTraced>(step, pc);
      case StepKind::kDelegate: {
        const Delegate::Place place{kTraced ? state_.tracer : nullptr, 0, static_cast<std::int32_t>(pc)};
        return step.delegate->execute(step.delegate_args, place);
      }
      case StepKind::kMove: state_.values.at(step.to) = state_.values.at(step.from); return {};
      case StepKind::kJumpFalse: {
        ETALON_TRY(const bool go_on, is_true(state_.values.at(step.from)));
        if (!go_on) next = step.to;
        return {};
      }
      case StepKind::kFree: return {};  // memory is planned; nothing to give back
    }
    return {};
  }

  template <bool kTraced>
  Status run_kernel(Step& step, std::size_t pc) {
    const std::uint64_t start = kTraced ? platform::now_ns() : 0;
    if (!step.is_fixed) ETALON_CHECKED(settle_call(step));
    ETALON_CHECKED(step.kernel(step.call));
    if constexpr (kTraced) {
      if (!step.kernel_event.empty()) report(step.kernel_event, pc, start);
    }
    return {};
  }

  // What load() could not settle: lists that moves and numbers change, shapes, aliasing, scratch.
  Status settle_call(Step& step) {
    for (const std::uint32_t list : step.stale_lists) ETALON_CHECKED(state_.values.refresh(list));
    if (step.check_overlap) ETALON_CHECKED(check_overlap(*step.op, step.call));
    if (step.infer != nullptr) {
      RunTimeShapes shapes(*step.op, step.call);
      ETALON_CHECKED(step.infer(step.call, shapes));
    }
    if (step.scratch != nullptr) ETALON_CHECKED(grow_scratch(step.scratch(step.call)));
    return {};
  }

  Status grow_scratch(std::size_t bytes) {
    if (bytes <= state_.scratch.size()) [[likely]] return {};
    return state_.ensure_scratch(bytes);
  }

  void report(std::string_view name, std::size_t pc, std::uint64_t start) {
    state_.tracer->record({name, 0, static_cast<std::int32_t>(pc), start, platform::now_ns()});
  }

  static std::string_view name_of_event(StepKind kind) {
    switch (kind) {
      case StepKind::kKernel: return event_names::kOperatorCall;
      case StepKind::kDelegate: return event_names::kDelegateCall;
      case StepKind::kJumpFalse: return event_names::kJumpFalse;
      case StepKind::kMove: return event_names::kMove;
      case StepKind::kFree: break;
    }
    return event_names::kFree;
  }

  Error failed(const Error& error, std::size_t pc, const Step& step) const {
    std::string what(name_of_event(step.kind));
    if (step.kind == StepKind::kKernel) what = step.op->out_name;
    if (step.kind == StepKind::kDelegate) what = state_.plan->delegates[step.record].id;
    return Error(error).with_context(fmt::format("instruction {} ({})", pc, what));
  }

  MethodState& state_;
};

}  // namespace

Status Method::execute() {
  EventTracer* tracer = state_->tracer;
  Executor executor(*state_);
  if (tracer == nullptr) return executor.run<false>();
  tracer->begin_block(event_names::kExecuteBlock);
  const std::uint64_t start = platform::now_ns();
  const bool instructions = tracer->detail() == TraceDetail::kInstructions;
  Status status = instructions ? executor.run<true>() : executor.run<false>();
  tracer->record({event_names::kExecute, -1, 0, start, platform::now_ns()});
  return status;
}

}  // namespace etalon::runtime
