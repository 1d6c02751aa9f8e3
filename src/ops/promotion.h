// torch.result_type: the dtype in which an operator's arguments are combined.
//
// Arguments fall into three priorities: tensors with dims, tensors without, numbers. A lower priority decides
// the dtype only if its category (bool < integral < floating) is higher than that of every higher priority.
#pragma once

#include <initializer_list>
#include <optional>

#include "ops/op.h"

namespace etalon::ops {

class ResultType {
 public:
  void add(const TensorView& tensor) { merge(tensor.rank() > 0 ? dims_ : no_dims_, tensor.dtype()); }
  void add(const Scalar& number) { merge(numbers_, dtype_of(number)); }

  // float32 when nothing was added.
  DType dtype() const { return combine(dims_, combine(no_dims_, numbers_)).value_or(DType::kFloat32); }

  // torch's dtype of a Python number: bool, int64, or the default float32.
  static DType dtype_of(const Scalar& number) {
    switch (number.category()) {
      case DTypeCategory::kBool:
        return DType::kBool;
      case DTypeCategory::kIntegral:
        return DType::kInt64;
      default:
        return DType::kFloat32;
    }
  }

 private:
  using Slot = std::optional<DType>;
  static void merge(Slot& slot, DType dtype) { slot = slot ? promote_types(*slot, dtype) : dtype; }
  static Slot combine(Slot higher, Slot lower) {
    if (!higher) return lower;
    if (!lower || category_of(*higher) >= category_of(*lower)) return higher;
    return promote_types(*higher, *lower);
  }

  Slot dims_;
  Slot no_dims_;
  Slot numbers_;
};

// Of the arguments at these positions, tensors or numbers; None is left out.
inline DType result_type(const Call& call, std::initializer_list<std::size_t> positions) {
  ResultType result;
  for (const std::size_t i : positions) {
    if (!call.has(i)) continue;
    if (call.arg(i).is(Value::Tag::kTensor)) {
      result.add(call.tensor(i));
    } else {
      result.add(call.scalar(i));
    }
  }
  return result.dtype();
}

// What functions on real numbers return: integers and bools become float32.
inline DType floating_type(DType dtype) { return is_floating(dtype) ? dtype : DType::kFloat32; }

}  // namespace etalon::ops
