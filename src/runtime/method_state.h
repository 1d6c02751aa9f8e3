// What a Method is made of. Private to runtime.
#pragma once

#include "runtime/method.h"
#include "runtime/value_table.h"

namespace etalon::runtime {

enum class StepKind : std::uint8_t { kKernel, kDelegate, kJumpFalse, kMove, kFree };

// One instruction with everything looked up. Small and flat, because the run loop walks over an array of them.
struct Step {
  StepKind kind = StepKind::kFree;
  // All tensors have fixed shapes and no argument can change: load() has run `infer` once and for all.
  bool is_fixed = false;
  // A move may make arguments and outputs share memory, so this must be looked at before every call.
  bool check_overlap = false;
  const ops::Op* op = nullptr;
  ops::InferFn infer = nullptr;
  ops::KernelFn kernel = nullptr;
  ops::ScratchFn scratch = nullptr;
  std::span<const ops::Value* const> args;
  std::span<ops::Value* const> outs;
  ops::Call call{{}, {}};  // of `args`, `outs` and the scratch memory
  std::span<const std::uint32_t> stale_lists;  // to refresh before the call
  Delegate* delegate = nullptr;
  std::span<ops::Value* const> delegate_args;
  std::uint32_t from = 0;         // of a move; the condition of a jump
  std::uint32_t to = 0;           // of a move; the destination of a jump
  std::string_view kernel_event;  // "native_call_add.out"; empty: such calls report none
  std::uint32_t record = 0;       // index into MethodState::kernels or the plan's delegates
};

struct MethodState {
  const Program* program = nullptr;
  const formats::pte::ExecutionPlan* plan = nullptr;
  EventTracer* tracer = nullptr;
  std::uint64_t max_instructions = 0;
  std::uint64_t memory_limit = 0;

  ValueTable values;
  std::vector<Step> steps;
  std::vector<std::unique_ptr<Delegate>> delegates;
  std::vector<Dims> input_bounds;  // of every input; empty for numbers
  std::vector<KernelChoice> kernels;
  std::vector<std::string> kernel_events;
  AlignedBuffer scratch;

  // Storage behind the spans in `steps`; filled completely before the first span is taken.
  std::vector<const ops::Value*> arg_pool;
  std::vector<ops::Value*> out_pool;
  std::vector<std::uint32_t> list_pool;

  Status ensure_scratch(std::size_t bytes);
};

// Sets output sizes while the program runs. `changed()` tells whether any size is another one now.
class RunTimeShapes final : public ops::OutShapes {
 public:
  RunTimeShapes(const ops::Op& op, const ops::Call& call) : op_(op), call_(call) {}
  Status set(std::size_t index, DType dtype, const Dims& sizes, const DimOrder* order) override;
  Status set_list(std::size_t index, std::size_t count) override;
  Status set_item(std::size_t index, std::size_t item, DType dtype, const Dims& sizes) override;
  bool changed() const { return changed_; }

 private:
  Status resize(TensorView& tensor, DType dtype, const Dims& sizes);

  const ops::Op& op_;
  const ops::Call& call_;
  bool changed_ = false;
};

// kInvalidInput when an output shares memory with an input (or with another output) although the operator reads its
// inputs after it began to write: indices that were checked could then change before they are used.
Status check_overlap(const ops::Op& op, const ops::Call& call);

}  // namespace etalon::runtime
