// One method of a program, ready to run: values in memory, kernels chosen, delegates compiled.
//
//   ETALON_TRY(auto program, Program::load({.program = "model.pte"}));
//   ETALON_TRY(auto method, Method::load(program, "forward"));
//   ETALON_CHECKED(method.set_input(0, ops::Value::of_tensor(&my_view)));
//   ETALON_CHECKED(method.execute());
//   const TensorView& result = *method.output(0).as_tensor();
//
// load() proves everything that can be proved without running: indices, dtypes, memory, kernels, shapes of static
// tensors. execute() then uses no heap. Programs are not trusted: none can make it read or write outside of its memory.
// Inputs must be set before every execution, because a program may reuse their memory. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ops/op.h"
#include "runtime/backend.h"
#include "runtime/events.h"
#include "runtime/kernel_resolver.h"
#include "runtime/program.h"

namespace etalon::runtime {

struct MethodOptions {
  const BackendRegistry* backends = nullptr;  // null: programs with delegates are refused
  const KernelResolver* kernels = nullptr;    // null: portable kernels
  EventTracer* tracer = nullptr;              // of loading, and of executions until set_tracer()
  std::uint64_t memory_limit = 0;             // bytes for tensors and scratch; 0: default_memory_limit()
  std::uint64_t max_instructions = 10'000'000;  // per execution, so that a looping program ends
};

// Physical memory, at most 16 GiB.
std::uint64_t default_memory_limit();

// What one instruction does and which code does it: the evidence behind a profile.
struct InstructionInfo {
  std::string_view operation;   // "aten::add.out", a delegate's id, or the event name of a move, jump or free
  const ops::Op* op = nullptr;  // kernels only
  const ops::Call* call = nullptr;  // kernels only; arguments and outputs as they are now
  const KernelChoice* kernel = nullptr;
  const Delegate* delegate = nullptr;  // delegate calls only
};

struct MethodState;

class Method {
 public:
  // Errors: kNotFound (no such method), kUnsupported (operators or backends that we do not have, all named at once),
  // kInvalidInput (a program that contradicts itself), kResource (over the memory limit). `program` and whatever
  // `options` point to must outlive the method.
  static Result<Method> load(const Program& program, std::string_view name, const MethodOptions& options = {});

  Method(Method&&) noexcept;
  Method& operator=(Method&&) noexcept;
  ~Method();

  const std::string& name() const;
  std::size_t input_count() const;
  std::size_t output_count() const;

  // Input `i` as the program stores it: for a tensor its dtype, dim order and present sizes.
  const ops::Value& input(std::size_t i) const;
  // The largest sizes that tensor input `i` may have; its only ones unless the tensor is resizable.
  const Dims& input_bound(std::size_t i) const;
  // Copies a tensor in (any dim order; sizes within the program's bounds, the same dtype). A number must be the one the
  // program was made with. Errors: kInvalidInput, naming the input, found and wanted.
  Status set_input(std::size_t i, const ops::Value& value);

  // Errors: what an operator says about these inputs, with the instruction in front; kResource for too many instructions.
  Status execute();

  // Valid after execute(), until the next set_input() or execute().
  const ops::Value& output(std::size_t i) const;

  void set_tracer(EventTracer* tracer);

  std::size_t instruction_count() const;
  InstructionInfo instruction(std::size_t i) const;
  std::span<const std::int64_t> planned_buffer_sizes() const;  // without the reserved first entry
  std::uint64_t memory_bytes() const;                          // held for tensors, scratch and by delegates
  std::uint64_t packed_bytes() const;                          // of these, weights as delegates packed them

 private:
  friend class MethodBuilder;
  explicit Method(std::unique_ptr<MethodState> state);
  std::unique_ptr<MethodState> state_;
};

}  // namespace etalon::runtime
