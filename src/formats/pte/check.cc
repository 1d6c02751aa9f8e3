#include "formats/pte/check.h"

#include <span>

#include "fmt/format.h"
#include "formats/scalar_type.h"

namespace etalon::formats::pte {
namespace {

Status check_index(std::int64_t index, std::size_t count, std::string_view what) {
  if (index >= 0 && static_cast<std::uint64_t>(index) < count) return {};
  return invalid_input(fmt::format("{} {} does not exist, there are {}", what, index, count));
}

Status check_values(const ExecutionPlan& plan, std::span<const std::int32_t> indices) {
  for (const std::int32_t index : indices) ETALON_CHECKED(check_index(index, plan.values.size(), "value"));
  return {};
}

template <class Wanted>
Status check_refers_to(const ExecutionPlan& plan, std::int64_t index, std::string_view wanted) {
  ETALON_CHECKED(check_index(index, plan.values.size(), "value"));
  if (std::holds_alternative<Wanted>(plan.values[static_cast<std::size_t>(index)])) return {};
  return invalid_input(fmt::format("list item refers to value {}, which is not {}", index, wanted));
}

Status check_allocation(const ExecutionPlan& plan, const Tensor& tensor) {
  const Allocation& place = *tensor.allocation;
  if (place.memory_id == 0 || place.memory_id >= plan.planned_buffer_sizes.size()) {
    return invalid_input(fmt::format("planned buffer {} does not exist, there are {}", place.memory_id,
                                     plan.planned_buffer_sizes.size() - 1));
  }
  const auto available = static_cast<std::uint64_t>(plan.planned_buffer_sizes[place.memory_id]);
  const auto needed = tensor_nbytes(tensor);
  if (!needed) return unsupported(fmt::format("planned memory for elements of type {}", tensor.dtype));
  if (place.offset > available || *needed > available - place.offset) {
    return invalid_input(fmt::format("{} bytes at {} leave planned buffer {} of {} bytes", *needed,
                                     place.offset, place.memory_id, available));
  }
  return {};
}

Status check_tensor(const ExecutionPlan& plan, const Tensor& tensor) {
  if (!is_scalar_type(tensor.dtype))
    return invalid_input(fmt::format("unknown scalar type {}", tensor.dtype));
  if (tensor.sizes.size() > kMaxRank) {
    return unsupported(fmt::format("rank is {}, want at most {}", tensor.sizes.size(), kMaxRank));
  }
  for (const std::int32_t size : tensor.sizes) {
    if (size < 0) return invalid_input(fmt::format("size is {}, want 0 or more", size));
  }
  if (!is_dim_order(tensor.dim_order, tensor.sizes.size())) {
    return invalid_input(fmt::format("dim order is not a permutation of {} dimensions", tensor.sizes.size()));
  }
  if (dtype_size(tensor.dtype) != 0 && !tensor_nbytes(tensor)) {
    return invalid_input("the size in bytes overflows");
  }
  if (tensor.allocation) return check_allocation(plan, tensor);
  return {};
}

struct ValueCheck {
  const ExecutionPlan& plan;

  Status operator()(const Tensor& tensor) const { return check_tensor(plan, tensor); }
  Status operator()(const IntList& list) const {
    for (const auto item : list.items) ETALON_CHECKED(check_refers_to<Int>(plan, item, "an int"));
    return {};
  }
  Status operator()(const TensorList& list) const {
    for (const auto item : list.items) ETALON_CHECKED(check_refers_to<Tensor>(plan, item, "a tensor"));
    return {};
  }
  Status operator()(const OptionalTensorList& list) const {
    for (const auto item : list.items) {
      if (item == -1) continue;
      ETALON_CHECKED(check_index(item, plan.values.size(), "value"));
      if (std::holds_alternative<Null>(plan.values[static_cast<std::size_t>(item)])) continue;
      ETALON_CHECKED(check_refers_to<Tensor>(plan, item, "a tensor"));
    }
    return {};
  }
  template <class Other>
  Status operator()(const Other&) const {
    return {};
  }
};

struct InstructionCheck {
  const ExecutionPlan& plan;
  std::size_t instruction_count;

  Status operator()(const KernelCall& call) const {
    ETALON_CHECKED(check_index(call.op_index, plan.operators.size(), "operator"));
    return check_values(plan, call.args);
  }
  Status operator()(const DelegateCall& call) const {
    ETALON_CHECKED(check_index(call.delegate_index, plan.delegates.size(), "delegate"));
    return check_values(plan, call.args);
  }
  Status operator()(const MoveCall& call) const {
    const std::int32_t both[] = {call.from, call.to};
    return check_values(plan, both);
  }
  Status operator()(const JumpFalseCall& call) const {
    ETALON_CHECKED(check_index(call.condition, plan.values.size(), "value"));
    return check_index(call.destination, instruction_count + 1, "instruction");
  }
  Status operator()(const FreeCall& call) const {
    return check_index(call.value, plan.values.size(), "value");
  }
};

Status check_chain(const ExecutionPlan& plan, const Chain& chain) {
  ETALON_CHECKED(check_values(plan, chain.inputs), "inputs");
  ETALON_CHECKED(check_values(plan, chain.outputs), "outputs");
  const InstructionCheck check{plan, chain.instructions.size()};
  for (std::size_t i = 0; i < chain.instructions.size(); ++i) {
    ETALON_CHECKED(std::visit(check, chain.instructions[i]), fmt::format("instruction {}", i));
  }
  return {};
}

Status check_planned_memory(const ExecutionPlan& plan) {
  if (plan.planned_buffer_sizes.empty())
    return invalid_input("the list of planned buffers lacks its reserved entry");
  for (const std::int64_t size : plan.planned_buffer_sizes) {
    if (size < 0) return invalid_input(fmt::format("planned buffer of {} bytes", size));
  }
  for (const BufferDevice& device : plan.buffer_devices) {
    ETALON_CHECKED(check_index(device.buffer_idx, plan.planned_buffer_sizes.size(), "planned buffer"));
  }
  return {};
}

}  // namespace

Status check_plan(const ExecutionPlan& plan) {
  ETALON_CHECKED(check_planned_memory(plan));
  for (std::size_t i = 0; i < plan.values.size(); ++i) {
    ETALON_CHECKED(std::visit(ValueCheck{plan}, plan.values[i]), fmt::format("value {}", i));
  }
  ETALON_CHECKED(check_values(plan, plan.inputs), "inputs");
  ETALON_CHECKED(check_values(plan, plan.outputs), "outputs");
  if (plan.chains.empty()) return invalid_input("there is no chain of instructions");
  for (std::size_t i = 0; i < plan.chains.size(); ++i) {
    ETALON_CHECKED(check_chain(plan, plan.chains[i]), fmt::format("chain {}", i));
  }
  return {};
}

}  // namespace etalon::formats::pte
