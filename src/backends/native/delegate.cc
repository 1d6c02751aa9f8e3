#include "backends/native/delegate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "backends/native/plan_builder.h"
#include "backends/native/rewrites/rewrite.h"
#include "backends/native/schedule.h"
#include "base/checked.h"

namespace etalon::native {
namespace {

using xnn::DataType;

// XNNPACK's numbers are smaller than those of torch: indices are computed in 32 bits and widened afterwards.
bool is_bindable(DataType type, DType dtype, bool is_output) {
  switch (type) {
    case DataType::kFp32:
      return dtype == DType::kFloat32;
    case DataType::kFp16:
      return dtype == DType::kFloat16;
    case DataType::kBf16:
      return dtype == DType::kBFloat16;
    case DataType::kQint8:
      return dtype == DType::kInt8;
    case DataType::kQuint8:
      return dtype == DType::kUInt8;
    case DataType::kInt32:
      return dtype == DType::kInt32 || (is_output && dtype == DType::kInt64);
    default:
      return false;
  }
}

// Sizes in the order of memory; a number is a vector of one.
Dims physical_dims(const TensorView& tensor) {
  Dims dims;
  for (const std::uint8_t dim : tensor.order()) dims.push_back(tensor.size(dim));
  if (dims.empty()) dims.push_back(1);
  return dims;
}

bool has_physical_dims(const TensorView& tensor, const Dims& dims) {
  if (tensor.rank() == 0) return dims.size() == 1 && dims[0] == 1;
  if (tensor.rank() != dims.size()) return false;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (tensor.size(tensor.order()[i]) != dims[i]) return false;
  }
  return true;
}

// The same number of elements under other sizes is let through, as the stock runtime does for numbers.
Status give_size(TensorView& tensor, const Dims& dims) {
  if (has_physical_dims(tensor, dims)) return {};
  if (tensor.rank() != dims.size()) {
    if (tensor.numel() == numel(dims)) return {};
    return invalid_input(
        fmt::format("it has {} dims, the result has sizes {}", tensor.rank(), to_string(dims)));
  }
  Dims logical = tensor.sizes();
  for (std::size_t i = 0; i < dims.size(); ++i) logical[tensor.order()[i]] = dims[i];
  return tensor.resize(logical);
}

// From the back, because both share their memory.
void widen(TensorView& tensor) {
  const auto* narrow = tensor.data_as<const std::int32_t>();
  auto* wide = tensor.data_as<std::int64_t>();
  for (std::int64_t i = tensor.numel(); i-- > 0;) {
    std::int32_t value;
    std::memcpy(&value, narrow + i, sizeof(value));
    const std::int64_t widened = value;
    std::memcpy(wide + i, &widened, sizeof(widened));
  }
}

}  // namespace

Result<std::unique_ptr<NativeDelegate>> NativeDelegate::compile(const runtime::DelegateSource& source,
                                                                const Settings& settings, WorkerPool& pool,
                                                                WorkingMemory& memory) {
  auto delegate = std::unique_ptr<NativeDelegate>(new NativeDelegate(settings, pool, memory));
  ETALON_TRY(delegate->graph_, xnn::decode(source.payload));
  delegate->named_data_ = source.named_data;
  if (!delegate->named_data_) delegate->named_data_ = [](std::string_view) { return std::optional<Bytes>(); };
  ETALON_CHECKED(delegate->describe_arguments(source));
  if (settings.packed_cache != nullptr || settings.packed_sink != nullptr) {
    delegate->packed_.keep_in(settings.packed_cache, settings.packed_sink,
                              fmt::format("{:016x}/", content_hash(source.payload)));
  }
  std::vector<Dims> inputs(source.args.size());
  for (std::size_t i = 0; i < delegate->input_count_; ++i)
    inputs[i] = physical_dims(*source.args[i]->as_tensor());
  ETALON_TRY(auto plan, delegate->build_plan(inputs));
  delegate->plans_.push_back(std::move(plan));
  return delegate;
}

Status NativeDelegate::describe_arguments(const runtime::DelegateSource& source) {
  arguments_.resize(source.args.size());
  constant_arguments_.resize(source.args.size());
  std::size_t first_output = source.args.size();
  std::size_t inputs_end = 0;
  for (const xnn::Value& value : graph_.values) {
    if (!value.is_external()) continue;
    if (value.external_id >= arguments_.size()) {
      return invalid_input(fmt::format("value {} is argument {} of a call with {}", value.id,
                                       value.external_id, arguments_.size()));
    }
    Argument& argument = arguments_[value.external_id];
    if (argument.type != DataType::kInvalid)
      return invalid_input(fmt::format("argument {} is bound twice", value.external_id));
    argument.type = value.type;
    argument.is_output = value.is_output();
    if (value.is_output()) {
      first_output = std::min<std::size_t>(first_output, value.external_id);
    } else {
      inputs_end = std::max<std::size_t>(inputs_end, value.external_id + 1);
    }
  }
  if (inputs_end > first_output) return unsupported("outputs among the input arguments");
  input_count_ = first_output;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    ETALON_CHECKED(check_argument(i, *source.args[i]));
    if (i >= input_count_ || i >= source.constant_args.size() || !source.constant_args[i]) continue;
    const TensorView& tensor = *source.args[i]->as_tensor();
    constant_arguments_[i] = {tensor.data_as<const std::byte>(), tensor.nbytes()};
    arguments_[i].is_constant = true;
  }
  return {};
}

Status NativeDelegate::check_argument(std::size_t i, const ops::Value& value) const {
  const Argument& argument = arguments_[i];
  if (argument.type == DataType::kInvalid && i >= input_count_) return {};
  if (!value.is(ops::Value::Tag::kTensor))
    return invalid_input(fmt::format("argument {} is not a tensor", i));
  if (argument.type == DataType::kInvalid) return {};
  const TensorView& tensor = *value.as_tensor();
  if (!is_bindable(argument.type, tensor.dtype(), argument.is_output)) {
    return invalid_input(fmt::format("argument {} is {}, the payload wants {}", i, name_of(tensor.dtype()),
                                     xnn::name_of(argument.type)));
  }
  return {};
}

Result<std::unique_ptr<Plan>> NativeDelegate::build_plan(std::span<const Dims> inputs) {
  std::vector<ExternalInput> externals(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) externals[i] = {inputs[i], constant_arguments_[i]};
  ETALON_TRY(Graph graph, import_graph(graph_, named_data_, externals, settings_.memory_limit, widened_));
  rewrite(graph);
  ETALON_TRY(auto plan, PlanBuilder(graph, settings_, packed_).build());
  release_widened(*plan);
  for (auto& constant : graph.owned) constants_.push_back(std::move(constant));
  plan->input_dims.assign(inputs.begin(), inputs.end());
  plan->output_dims.resize(arguments_.size());
  for (const Value& value : graph.values) {
    if (value.is_output) plan->output_dims[value.external] = value.dims;
  }
  for (const auto& evidence : plan->evidence)
    plan->event_names.push_back(*names_.insert(evidence.name).first);
  ETALON_TRY(const std::size_t grown, memory_.reserve(scratch_bytes(*plan) + plan->arena_bytes), "working memory");
  reserved_bytes_ += grown;
  return plan;
}

// Filters are packed by now, and widened again should another size want them packed in another way.
void NativeDelegate::release_widened(const Plan& newest) {
  std::set<const std::byte*> used(newest.bases.begin(), newest.bases.end());
  for (const auto& plan : plans_) used.insert(plan->bases.begin(), plan->bases.end());
  widened_.keep_only(used);
}

std::size_t NativeDelegate::scratch_bytes(const Plan& plan) const {
  return round_up(plan.scratch_bytes, kAlignment) * pool_.workers();
}

// Scratch first, then activations.
Status NativeDelegate::run_plan(Plan& plan, const Place& place) {
  const std::size_t scratch = scratch_bytes(plan);
  std::byte* const shared = memory_.try_acquire();
  std::byte* memory = shared;
  if (memory == nullptr) {
    if (own_memory_.size() < scratch + plan.arena_bytes) {
      ETALON_TRY(own_memory_, MemoryBlock::allocate(scratch + plan.arena_bytes), "working memory");
    }
    memory = own_memory_.data();
  }
  plan.use_arena(memory + scratch);
  Schedule schedule(plan, memory, place);
  pool_.run(schedule);
  if (shared != nullptr) memory_.release();
  return {};
}

bool NativeDelegate::fits(const Plan& plan, std::span<ops::Value* const> args) const {
  for (std::size_t i = 0; i < input_count_; ++i) {
    if (arguments_[i].type == DataType::kInvalid) continue;
    if (!has_physical_dims(*args[i]->as_tensor(), plan.input_dims[i])) return false;
  }
  return true;
}

Result<Plan*> NativeDelegate::plan_for(std::span<ops::Value* const> args) {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (!fits(*plans_[i], args)) continue;
    std::rotate(plans_.begin(), plans_.begin() + static_cast<std::ptrdiff_t>(i),
                plans_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return plans_.front().get();
  }
  std::vector<Dims> inputs(arguments_.size());
  for (std::size_t i = 0; i < input_count_; ++i) inputs[i] = physical_dims(*args[i]->as_tensor());
  ETALON_TRY(auto plan, build_plan(inputs));
  plans_.insert(plans_.begin(), std::move(plan));
  if (plans_.size() > kKeptPlans) plans_.pop_back();
  return plans_.front().get();
}

Status NativeDelegate::resize_outputs(std::span<ops::Value* const> args, const Plan& plan) const {
  for (std::size_t i = input_count_; i < arguments_.size(); ++i) {
    if (arguments_[i].type == DataType::kInvalid) continue;
    ETALON_CHECKED(give_size(*args[i]->as_tensor(), plan.output_dims[i]), fmt::format("argument {}", i));
  }
  return {};
}

Status NativeDelegate::execute(std::span<ops::Value* const> args, const Place& place) {
  if (args.size() < arguments_.size()) {
    return invalid_input(
        fmt::format("it is called with {} arguments, want {}", args.size(), arguments_.size()));
  }
  for (std::size_t i = 0; i < arguments_.size(); ++i) ETALON_CHECKED(check_argument(i, *args[i]));
  ETALON_TRY(Plan* const plan, plan_for(args));
  ETALON_CHECKED(resize_outputs(args, *plan));
  for (const Plan::External& external : plan->externals) {
    plan->bases[external.storage] = args[external.argument]->as_tensor()->data_as<std::byte>();
  }
  const bool traces =
      place.tracer != nullptr && place.tracer->detail() == runtime::TraceDetail::kInstructions;
  ETALON_CHECKED(run_plan(*plan, traces ? place : Place{}));
  widen_outputs(args);
  return {};
}

void NativeDelegate::widen_outputs(std::span<ops::Value* const> args) const {
  for (std::size_t i = input_count_; i < arguments_.size(); ++i) {
    if (arguments_[i].type != DataType::kInt32) continue;
    TensorView& tensor = *args[i]->as_tensor();
    if (tensor.dtype() == DType::kInt64) widen(tensor);
  }
}

std::uint64_t NativeDelegate::memory_bytes() const {
  return packed_.bytes() + widened_.bytes() + reserved_bytes_ + own_memory_.size();
}

}  // namespace etalon::native
