#include "runtime/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <variant>

#include "platform/clock.h"

namespace etalon::runtime {

namespace pte = formats::pte;

namespace {

constexpr std::uint32_t kNoItem = ValueTable::kNoItem;
const ops::Value kNone{};

Error in_instruction(const Error& error, std::size_t i, std::string_view what) {
  return Error(error).with_context(what.empty() ? fmt::format("instruction {}", i)
                                                : fmt::format("instruction {} ({})", i, what));
}

std::uint32_t at(std::int32_t index) { return static_cast<std::uint32_t>(index); }

// X of the event native_call_X: the name in the program without its namespace.
std::string_view without_namespace(std::string_view name) {
  const std::size_t colons = name.find("::");
  return colons == std::string_view::npos ? name : name.substr(colons + 2);
}

// executorch_prim::et_view points its output at the memory of its input.
bool rebinds_output(const ops::Op& op) {
  return op.has(ops::kPrim) && !op.has(ops::kMutatesSelf) && !op.schema.returns.empty() &&
         op.schema.returns[0] == ops::ArgType::kTensor;
}

template <class Names>
std::string joined(const Names& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Result<Method> MethodBuilder::run(std::string_view name) {
  state_ = std::make_unique<MethodState>();
  MethodState& state = *state_;
  state.program = &program_;
  state.plan = program_.contents().find_plan(name);
  if (state.plan == nullptr) {
    return not_found(fmt::format("the program has no method '{}', it has {}", name, joined(program_.method_names())));
  }
  state.tracer = options_.tracer;
  state.max_instructions = options_.max_instructions;
  state.memory_limit = options_.memory_limit == 0 ? default_memory_limit() : options_.memory_limit;
  ETALON_CHECKED(check_availability());
  ETALON_TRY(state.values, ValueTable::build(program_, *state.plan, state.memory_limit));
  remember_input_bounds();
  ETALON_CHECKED(plan_calls());
  ETALON_CHECKED(find_changing_values());
  ETALON_CHECKED(check_calls());
  ETALON_CHECKED(build_steps());
  ETALON_CHECKED(prove_fixed_shapes());
  ETALON_CHECKED(size_scratch());
  return Method(std::move(state_));
}

// All that is missing in one message, because nobody wants to learn it one at a time.
Status MethodBuilder::check_availability() const {
  std::set<std::string> operators;
  for (const auto& op : state_->plan->operators) {
    if (ops::find_out_op(op.full_name()) == nullptr) operators.insert(op.full_name());
  }
  if (!operators.empty()) {
    return unsupported(fmt::format("{} operator{} not available: {}", operators.size(),
                                   operators.size() == 1 ? " is" : "s are", joined(operators)));
  }
  std::set<std::string> backends;
  for (const auto& delegate : state_->plan->delegates) {
    if (options_.backends == nullptr || options_.backends->find(delegate.id) == nullptr) backends.insert(delegate.id);
  }
  if (backends.empty()) return {};
  const auto known = options_.backends == nullptr ? std::vector<std::string>{} : options_.backends->ids();
  return unsupported(fmt::format(
      "the program is made for {}, which this engine does not have (it has {}); export with --backend portable",
      joined(backends), known.empty() ? "no backends" : joined(known)));
}

void MethodBuilder::remember_input_bounds() {
  for (const std::int32_t input : state_->plan->inputs) {
    const ops::Value& value = state_->values.at(at(input));
    state_->input_bounds.push_back(value.is(ops::Value::Tag::kTensor) ? value.as_tensor()->sizes() : Dims{});
  }
}

Status MethodBuilder::find_changing_values() {
  const std::size_t count = state_->values.size();
  moved_into_.assign(count, false);
  number_changes_.assign(count, false);
  maybe_read_only_.assign(count, false);
  for (std::size_t i = 0; i < count; ++i) maybe_read_only_[i] = state_->values.is_read_only(i);
  std::vector<std::vector<std::uint32_t>> targets(count);
  ETALON_CHECKED(add_moves(targets));
  ETALON_CHECKED(add_rebindings(targets));
  spread_read_only(targets);
  for (const CallPlan& call : calls_) {
    for (const std::uint32_t out : call.outs) {
      if (state_->values.kind(out) == ValueKind::kNumber) number_changes_[out] = true;
    }
  }
  return {};
}

Status MethodBuilder::add_moves(std::vector<std::vector<std::uint32_t>>& targets) {
  const auto& instructions = chain().instructions;
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const auto* move = std::get_if<pte::MoveCall>(&instructions[i]);
    if (move == nullptr) continue;
    const ValueKind kind = state_->values.kind(at(move->from));
    const bool movable = kind == ValueKind::kNumber || kind == ValueKind::kTensor || kind == ValueKind::kNone;
    if (!movable || kind != state_->values.kind(at(move->to))) {
      return in_instruction(invalid_input("a move between values of different kinds, or of lists"), i, "");
    }
    moved_into_[at(move->to)] = true;
    targets[at(move->from)].push_back(at(move->to));
  }
  return {};
}

// A rebound output behaves like the target of a move. It must be a tensor that no other value can stand for, so that
// nothing but this value comes to lie in other memory.
Status MethodBuilder::add_rebindings(std::vector<std::vector<std::uint32_t>>& targets) {
  const auto& inputs = state_->plan->inputs;
  std::vector<bool> rebound(moved_into_.size(), false);
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const CallPlan& call = calls_[i];
    if (call.op == nullptr || !rebinds_output(*call.op) || call.args.empty() || call.outs.empty()) continue;
    const std::uint32_t out = call.outs[0];
    const bool is_input = std::find(inputs.begin(), inputs.end(), static_cast<std::int32_t>(out)) != inputs.end();
    if (moved_into_[out] || is_input) {
      return in_instruction(invalid_input("its output is also an input of the method or the target of a move"), i,
                            call.op->out_name);
    }
    rebound[out] = true;
    targets[call.args[0]].push_back(out);
  }
  for (std::size_t i = 0; i < rebound.size(); ++i) moved_into_[i] = moved_into_[i] || rebound[i];
  return {};
}

void MethodBuilder::spread_read_only(const std::vector<std::vector<std::uint32_t>>& targets) {
  std::vector<std::uint32_t> pending;
  for (std::uint32_t i = 0; i < maybe_read_only_.size(); ++i) {
    if (maybe_read_only_[i]) pending.push_back(i);
  }
  while (!pending.empty()) {
    const std::uint32_t from = pending.back();
    pending.pop_back();
    for (const std::uint32_t to : targets[from]) {
      if (maybe_read_only_[to]) continue;
      maybe_read_only_[to] = true;
      pending.push_back(to);
    }
  }
}

Status MethodBuilder::plan_calls() {
  const auto& instructions = chain().instructions;
  calls_.resize(instructions.size());
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const auto* call = std::get_if<pte::KernelCall>(&instructions[i]);
    if (call == nullptr) continue;
    const Status status = plan_call(*call, calls_[i]);
    if (!status.ok()) return in_instruction(status.error(), i, calls_[i].op->out_name);
  }
  return {};
}

Status MethodBuilder::check_calls() const {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].op == nullptr) continue;
    const Status status = check_call(calls_[i]);
    if (!status.ok()) return in_instruction(status.error(), i, calls_[i].op->out_name);
  }
  return {};
}

// A program's argument list is: what the out form keeps of the functional arguments, the outputs, and the returned
// value again. Operators that return numbers have no repetition; those that write argument 0 have no outputs.
Status MethodBuilder::plan_call(const pte::KernelCall& call, CallPlan& out) const {
  out.op = ops::find_out_op(state_->plan->operators[at(call.op_index)].full_name());
  const ops::Op& op = *out.op;
  const bool in_place = op.has(ops::kMutatesSelf);
  const bool prim = op.has(ops::kPrim);
  const std::size_t kept = op.out_args.size();
  const std::size_t outs = in_place ? 0 : op.schema.returns.size();
  const std::size_t repeated = prim ? 0 : 1;
  const std::size_t wanted = kept + outs + repeated;
  // In-place prims are written with and without the returned value.
  if (call.args.size() != wanted && !(prim && call.args.size() == wanted + 1)) {
    return invalid_input(fmt::format("it has {} arguments, want {}", call.args.size(), wanted));
  }
  out.args.assign(op.schema.args.size(), kNoItem);
  for (std::size_t i = 0; i < kept; ++i) out.args[static_cast<std::size_t>(op.out_args[i])] = at(call.args[i]);
  for (std::size_t i = 0; i < outs; ++i) out.outs.push_back(at(call.args[kept + i]));
  if (in_place && kept > 0) out.outs.push_back(at(call.args[0]));
  return {};
}

Status MethodBuilder::check_call(const CallPlan& call) const {
  const auto& schema = call.op->schema;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    // Tensor options that the out form drops read as None, whatever their type.
    if (call.args[i] == kNoItem) continue;
    ETALON_CHECKED(ops::check_arg(schema.args[i], state_->values.at(call.args[i])));
  }
  for (std::size_t i = 0; i < call.outs.size(); ++i) {
    ETALON_CHECKED(check_output(i < schema.returns.size() ? schema.returns[i] : ops::ArgType::kTensor, call.outs[i]),
                   fmt::format("output {}", i));
  }
  return {};
}

Status MethodBuilder::check_output(ops::ArgType type, std::uint32_t value) const {
  const ValueKind kind = state_->values.kind(value);
  switch (type) {
    case ops::ArgType::kTensor:
      if (kind != ValueKind::kTensor) return invalid_input("not a tensor");
      return check_writable(value);
    case ops::ArgType::kTensorList: {
      if (kind != ValueKind::kTensorList) return invalid_input("not a list of tensors");
      for (const std::uint32_t item : state_->values.items(value)) {
        if (item == kNoItem) return invalid_input("a list with a None item");
        ETALON_CHECKED(check_writable(item));
      }
      return {};
    }
    default:
      if (kind != ValueKind::kNumber) return invalid_input("not a number");
      return {};
  }
}

Status MethodBuilder::check_writable(std::uint32_t value) const {
  if (maybe_read_only_[value]) return invalid_input("it would be written over a constant");
  return {};
}

Status MethodBuilder::build_steps() {
  MethodState& state = *state_;
  const std::size_t count = calls_.size();
  // Reserve exactly: the steps hold spans into these pools.
  std::size_t args = 0;
  std::size_t outs = 0;
  std::size_t kernels = 0;
  for (const CallPlan& call : calls_) {
    args += call.args.size();
    outs += call.outs.size();
    kernels += call.op != nullptr ? 1 : 0;
  }
  std::size_t delegate_args = 0;
  for (const auto& instruction : chain().instructions) {
    if (const auto* call = std::get_if<pte::DelegateCall>(&instruction)) delegate_args += call->args.size();
  }
  state.arg_pool.reserve(args);
  state.out_pool.reserve(outs + delegate_args);
  state.list_pool.reserve(args + outs);
  state.kernels.reserve(kernels);
  state.kernel_events.reserve(kernels);
  state.steps.resize(count);
  ETALON_CHECKED(build_delegates());
  for (std::size_t i = 0; i < count; ++i) ETALON_CHECKED(build_step(i));
  return {};
}

Status MethodBuilder::build_step(std::size_t i) {
  Step& step = state_->steps[i];
  const pte::Instruction& instruction = chain().instructions[i];
  if (calls_[i].op != nullptr) {
    build_kernel_call(calls_[i], step);
  } else if (const auto* delegate = std::get_if<pte::DelegateCall>(&instruction)) {
    const Status status = build_delegate_call(*delegate, step);
    if (!status.ok()) return in_instruction(status.error(), i, state_->plan->delegates[step.record].id);
  } else if (const auto* move = std::get_if<pte::MoveCall>(&instruction)) {
    step.kind = StepKind::kMove;
    step.from = at(move->from);
    step.to = at(move->to);
  } else if (const auto* jump = std::get_if<pte::JumpFalseCall>(&instruction)) {
    step.kind = StepKind::kJumpFalse;
    step.from = at(jump->condition);
    step.to = at(jump->destination);
  }
  return {};
}

bool MethodBuilder::can_change(std::uint32_t value) const {
  if (value == kNoItem) return false;
  if (moved_into_[value] || number_changes_[value]) return true;
  const ops::Value& v = state_->values.at(value);
  if (v.is(ops::Value::Tag::kTensor)) return v.as_tensor()->resizable();
  const auto items = state_->values.items(value);
  return std::any_of(items.begin(), items.end(), [this](std::uint32_t item) { return can_change(item); });
}

bool MethodBuilder::may_alias_later(const CallPlan& call) const {
  const auto moved = [this](std::uint32_t value) {
    if (value == kNoItem) return false;
    const auto items = state_->values.items(value);
    return moved_into_[value] || std::any_of(items.begin(), items.end(), [this](std::uint32_t item) {
             return item != kNoItem && moved_into_[item];
           });
  };
  return std::any_of(call.args.begin(), call.args.end(), moved) ||
         std::any_of(call.outs.begin(), call.outs.end(), moved);
}

void MethodBuilder::build_kernel_call(const CallPlan& plan, Step& step) {
  MethodState& state = *state_;
  const std::size_t first_arg = state.arg_pool.size();
  const std::size_t first_out = state.out_pool.size();
  const std::size_t first_list = state.list_pool.size();
  bool fixed = !plan.op->has(ops::kDataDependent);
  for (const std::uint32_t value : plan.args) {
    state.arg_pool.push_back(value == kNoItem ? &kNone : &state.values.at(value));
    const bool changes = can_change(value);
    fixed = fixed && !changes;
    if (changes && !state.values.items(value).empty()) state.list_pool.push_back(value);
  }
  for (const std::uint32_t value : plan.outs) {
    state.out_pool.push_back(&state.values.at(value));
    const bool changes = can_change(value);
    fixed = fixed && !changes;
    if (changes && !state.values.items(value).empty()) state.list_pool.push_back(value);
  }
  step.kind = StepKind::kKernel;
  step.op = plan.op;
  step.infer = plan.op->def->infer;
  step.is_fixed = fixed;
  step.check_overlap = may_alias_later(plan);
  step.args = std::span(state.arg_pool).subspan(first_arg);
  step.outs = std::span(state.out_pool).subspan(first_out);
  step.call = ops::Call(step.args, step.outs);
  step.stale_lists = std::span(state.list_pool).subspan(first_list);
  choose_kernel(step);
}

void MethodBuilder::choose_kernel(Step& step) {
  MethodState& state = *state_;
  const KernelResolver& resolver = options_.kernels != nullptr ? *options_.kernels : portable_;
  step.record = static_cast<std::uint32_t>(state.kernels.size());
  state.kernels.push_back(resolver.resolve(*step.op, step.call));
  step.kernel = state.kernels.back().kernel;
  ETALON_CHECK(step.kernel != nullptr);  // a resolver falls back on the portable kernel
  step.scratch = state.kernels.back().scratch;
  if (step.op->has(ops::kPrim)) {
    state.kernel_events.emplace_back();
  } else {
    state.kernel_events.push_back("native_call_" + std::string(without_namespace(step.op->out_name)));
  }
  step.kernel_event = state.kernel_events.back();
}

Status MethodBuilder::build_delegates() {
  MethodState& state = *state_;
  for (std::size_t i = 0; i < state.plan->delegates.size(); ++i) {
    const pte::Delegate& delegate = state.plan->delegates[i];
    DelegateSource source;
    std::vector<const ops::Value*> args;
    for (const auto& instruction : chain().instructions) {
      const auto* call = std::get_if<pte::DelegateCall>(&instruction);
      if (call == nullptr || at(call->delegate_index) != i) continue;
      for (const std::int32_t value : call->args) {
        const auto* tensor = std::get_if<pte::Tensor>(&state.plan->values[at(value)]);
        args.push_back(&state.values.at(at(value)));
        source.constant_args.push_back(tensor != nullptr && tensor->is_constant() && !moved_into_[at(value)]);
      }
      break;
    }
    source.payload = delegate.payload;
    source.compile_specs = delegate.compile_specs;
    source.named_data = [program = &program_](std::string_view key) { return program->named_data(key); };
    source.args = args;
    ETALON_TRY(auto compiled, options_.backends->find(delegate.id)->compile(source),
               fmt::format("delegate {} ({})", i, delegate.id));
    state.delegates.push_back(std::move(compiled));
  }
  return {};
}

Status MethodBuilder::build_delegate_call(const pte::DelegateCall& call, Step& step) {
  MethodState& state = *state_;
  const std::size_t first = state.out_pool.size();
  const std::size_t first_list = state.list_pool.size();
  step.kind = StepKind::kDelegate;
  step.record = at(call.delegate_index);
  step.delegate = state.delegates[step.record].get();
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const std::uint32_t value = at(call.args[i]);
    if (i >= step.delegate->input_count()) {
      ETALON_CHECKED(check_output(ops::ArgType::kTensor, value), fmt::format("output argument {}", i));
    }
    state.out_pool.push_back(&state.values.at(value));
  }
  if (call.args.size() < step.delegate->input_count()) {
    return invalid_input(fmt::format("it has {} arguments, want at least {}", call.args.size(), step.delegate->input_count()));
  }
  step.delegate_args = std::span(state.out_pool).subspan(first);
  step.stale_lists = std::span(state.list_pool).subspan(first_list);
  return {};
}

Status MethodBuilder::prove_fixed_shapes() {
  for (std::size_t i = 0; i < state_->steps.size(); ++i) {
    const Step& step = state_->steps[i];
    if (step.kind != StepKind::kKernel) continue;
    Status status = check_overlap(*step.op, step.call);
    if (status.ok() && step.is_fixed && step.infer != nullptr) {
      RunTimeShapes shapes(*step.op, step.call);
      status = step.infer(step.call, shapes);
    }
    if (!status.ok()) return in_instruction(status.error(), i, step.op->out_name);
  }
  return {};
}

// Shapes are at their upper bounds here. A call whose arguments change is asked again before it runs.
Status MethodBuilder::size_scratch() {
  std::size_t most = 0;
  for (const Step& step : state_->steps) {
    if (step.kind != StepKind::kKernel || step.scratch == nullptr) continue;
    if (!step.is_fixed) {
      RunTimeShapes shapes(*step.op, step.call);
      // Numbers that only a run computes may not fit yet; then the size is found out then.
      if (step.infer != nullptr && !step.infer(step.call, shapes).ok()) continue;
    }
    most = std::max(most, step.scratch(step.call));
  }
  return state_->ensure_scratch(most);
}

Result<Method> Method::load(const Program& program, std::string_view name, const MethodOptions& options) {
  EventTracer* tracer = options.tracer;
  if (tracer != nullptr) tracer->begin_block(event_names::kDefaultBlock);
  const std::uint64_t start = tracer != nullptr ? platform::now_ns() : 0;
  ETALON_TRY(Method method, MethodBuilder(program, options).run(name), fmt::format("method {}", name));
  if (tracer != nullptr) {
    tracer->record({event_names::kInit, -1, 0, start, platform::now_ns()});
    tracer->record({event_names::kLoadMethod, -1, 0, start, platform::now_ns()});
  }
  return method;
}

}  // namespace etalon::runtime
