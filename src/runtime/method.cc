#include "runtime/method.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "ops/strided.h"
#include "platform/memory.h"
#include "runtime/method_state.h"

namespace etalon::runtime {

using Tag = ops::Value::Tag;

std::uint64_t default_memory_limit() {
  constexpr std::uint64_t kMost = std::uint64_t{16} << 30;
  return std::min(kMost, platform::physical_memory_bytes().value_or(kMost));
}

Method::Method(std::unique_ptr<MethodState> state) : state_(std::move(state)) {}
Method::Method(Method&&) noexcept = default;
Method& Method::operator=(Method&&) noexcept = default;
Method::~Method() = default;

const std::string& Method::name() const { return state_->plan->name; }
std::size_t Method::input_count() const { return state_->plan->inputs.size(); }
std::size_t Method::output_count() const { return state_->plan->outputs.size(); }
void Method::set_tracer(EventTracer* tracer) { state_->tracer = tracer; }
std::size_t Method::instruction_count() const { return state_->steps.size(); }
std::uint64_t Method::memory_bytes() const {
  std::uint64_t bytes = state_->values.memory_bytes() + state_->scratch.size();
  for (const auto& delegate : state_->delegates) bytes += delegate->memory_bytes();
  return bytes;
}

std::uint64_t Method::packed_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& delegate : state_->delegates) bytes += delegate->packed_bytes();
  return bytes;
}

std::span<const std::int64_t> Method::planned_buffer_sizes() const {
  return std::span(state_->plan->planned_buffer_sizes).subspan(1);
}

const ops::Value& Method::output(std::size_t i) const {
  return state_->values.at(static_cast<std::size_t>(state_->plan->outputs[i]));
}

const ops::Value& Method::input(std::size_t i) const {
  return state_->values.initial(static_cast<std::size_t>(state_->plan->inputs[i]));
}

const Dims& Method::input_bound(std::size_t i) const { return state_->input_bounds[i]; }

namespace {

Status set_tensor(TensorView& input, const TensorView& given) {
  if (given.dtype() != input.dtype()) {
    return invalid_input(fmt::format("dtype is {}, want {}", name_of(given.dtype()), name_of(input.dtype())));
  }
  if (given.sizes() != input.sizes()) {
    const Dims before = input.sizes();
    if (!input.resizable()) {
      return invalid_input(fmt::format("shape is {}, want {}", to_string(given.sizes()), to_string(before)));
    }
    ETALON_CHECKED(input.resize(given.sizes()));
  }
  ops::copy_cast(given, input);
  return {};
}

bool is_same_number(const ops::Value& stored, const ops::Value& given) {
  if (stored.tag() != given.tag()) return false;
  switch (stored.tag()) {
    case Tag::kInt: return stored.as_int() == given.as_int();
    case Tag::kBool: return stored.as_bool() == given.as_bool();
    case Tag::kString: return stored.as_string() == given.as_string();
    case Tag::kDouble:  // ExecuTorch's tolerance
      return std::abs(stored.as_double() - given.as_double()) <= 1e-4 + 1e-5 * std::abs(given.as_double());
    default: return stored.is(Tag::kNone);
  }
}

}  // namespace

Status Method::set_input(std::size_t i, const ops::Value& value) {
  if (i >= input_count()) {
    return invalid_input(fmt::format("there is no input {}, the method takes {}", i, input_count()));
  }
  const auto index = static_cast<std::size_t>(state_->plan->inputs[i]);
  const ops::Value& stored = state_->values.initial(index);
  if (!stored.is(Tag::kTensor)) {
    if (is_same_number(stored, value)) return {};
    return invalid_input(fmt::format("input {}: it is fixed in the program and cannot be another value", i));
  }
  if (!value.is(Tag::kTensor)) return invalid_input(fmt::format("input {}: not a tensor, want one", i));
  if (state_->values.is_read_only(index)) return invalid_input(fmt::format("input {}: it is a constant", i));
  state_->values.at(index) = stored;  // a move may have put another tensor there
  ETALON_CHECKED(set_tensor(*stored.as_tensor(), *value.as_tensor()), fmt::format("input {}", i));
  return {};
}

InstructionInfo Method::instruction(std::size_t i) const {
  const Step& step = state_->steps[i];
  switch (step.kind) {
    case StepKind::kKernel:
      return {step.op->out_name, step.op, &step.call, &state_->kernels[step.record]};
    case StepKind::kDelegate: return {.operation = state_->plan->delegates[step.record].id, .delegate = step.delegate};
    case StepKind::kJumpFalse: return {event_names::kJumpFalse};
    case StepKind::kMove: return {event_names::kMove};
    case StepKind::kFree: break;
  }
  return {event_names::kFree};
}

Status MethodState::ensure_scratch(std::size_t bytes) {
  if (bytes <= scratch.size() && bytes > 0) return {};
  if (bytes > memory_limit - std::min(memory_limit, values.memory_bytes())) {
    return resource_error(fmt::format("{} bytes of scratch memory go over the limit of {}", bytes, memory_limit));
  }
  ETALON_TRY(scratch, AlignedBuffer::allocate(bytes));
  for (Step& step : steps) {
    if (step.kind == StepKind::kKernel) step.call = ops::Call(step.args, step.outs, scratch.span());
  }
  return {};
}

}  // namespace etalon::runtime
