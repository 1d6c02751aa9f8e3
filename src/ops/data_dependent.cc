#include "ops/data_dependent.h"

#include "ops/index_plan.h"

namespace etalon::ops {

std::optional<std::size_t> data_dependent_dim(const Op& op, const Call& call) {
  if (!op.has(kDataDependent)) return std::nullopt;
  const TensorView* deciding = nullptr;  // the mask of masked_select, which comes last
  for (std::size_t i = 0; i < call.arg_count(); ++i) {
    if (call.arg(i).is(Value::Tag::kTensorList)) {
      const auto plan = plan_index(op.functional_name, call.tensor(0), call.tensors(i));
      if (!plan.ok() || !plan->is_bound) return std::nullopt;
      return plan->place + plan->index_sizes.size() - 1;
    }
    if (call.arg(i).is(Value::Tag::kTensor)) deciding = &call.tensor(i);
  }
  const bool unknown = deciding != nullptr && deciding->data() == nullptr && deciding->numel() > 0;
  return unknown ? std::optional<std::size_t>(0) : std::nullopt;
}

}  // namespace etalon::ops
