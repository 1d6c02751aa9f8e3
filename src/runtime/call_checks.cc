// What must hold between the tensors of one call before a kernel may trust them.
#include <fmt/core.h>

#include "runtime/method_state.h"

namespace etalon::runtime {
namespace {

bool share_memory(const TensorView& a, const TensorView& b) {
  const auto* a_begin = static_cast<const std::byte*>(a.data());
  const auto* b_begin = static_cast<const std::byte*>(b.data());
  return a_begin < b_begin + b.capacity_bytes() && b_begin < a_begin + a.capacity_bytes();
}

// Calls visit(tensor) for a tensor or for each tensor of a list, until one returns false.
template <class Visit>
bool all_tensors_of(const ops::Value& value, Visit&& visit) {
  if (value.is(ops::Value::Tag::kTensor)) return visit(*value.as_tensor());
  if (!value.is(ops::Value::Tag::kTensorList)) return true;
  for (const TensorView* item : value.as_tensors()) {
    if (item != nullptr && !visit(*item)) return false;
  }
  return true;
}

bool are_disjoint(const ops::Value& a, const ops::Value& b) {
  return all_tensors_of(a, [&](const TensorView& x) {
    return all_tensors_of(b, [&](const TensorView& y) { return !share_memory(x, y); });
  });
}

}  // namespace

Status check_overlap(const ops::Op& op, const ops::Call& call) {
  // These read each element before they write its place, and never use an element as an index.
  if (op.has(ops::kElementwise) || op.has(ops::kSameElements) || op.has(ops::kPrim)) return {};
  const std::size_t first_read = op.has(ops::kMutatesSelf) ? 1 : 0;
  for (std::size_t o = 0; o < call.out_count(); ++o) {
    for (std::size_t a = first_read; a < call.arg_count(); ++a) {
      if (!are_disjoint(call.arg(a), call.out_value(o))) {
        return invalid_input(fmt::format("output {} shares memory with argument {}", o, op.schema.args[a].name));
      }
    }
    for (std::size_t other = 0; other < o; ++other) {
      if (!are_disjoint(call.out_value(other), call.out_value(o))) {
        return invalid_input(fmt::format("outputs {} and {} share memory", other, o));
      }
    }
  }
  return {};
}

Status RunTimeShapes::resize(TensorView& tensor, DType dtype, const Dims& sizes) {
  if (tensor.dtype() != dtype && !op_.has(ops::kCastsOutput)) {
    return invalid_input(fmt::format("the output is {}, the operator gives {}", name_of(tensor.dtype()), name_of(dtype)));
  }
  if (tensor.sizes() == sizes) return {};
  changed_ = true;
  return tensor.resize(sizes);
}

Status RunTimeShapes::set(std::size_t index, DType dtype, const Dims& sizes, const DimOrder*) {
  if (index >= call_.out_count() || !call_.out_value(index).is(ops::Value::Tag::kTensor)) {
    return invalid_input(fmt::format("output {} is not a tensor", index));
  }
  return resize(call_.out(index), dtype, sizes);
}

Status RunTimeShapes::set_list(std::size_t index, std::size_t count) {
  if (index >= call_.out_count() || !call_.out_value(index).is(ops::Value::Tag::kTensorList)) {
    return invalid_input(fmt::format("output {} is not a list of tensors", index));
  }
  const std::size_t found = call_.out_list(index).size();
  if (found != count) return invalid_input(fmt::format("the output list has {} tensors, want {}", found, count));
  return {};
}

Status RunTimeShapes::set_item(std::size_t index, std::size_t item, DType dtype, const Dims& sizes) {
  const auto tensors = call_.out_list(index);
  if (item >= tensors.size() || tensors[item] == nullptr) {
    return invalid_input(fmt::format("the output list has no tensor {}", item));
  }
  return resize(*tensors[item], dtype, sizes);
}

}  // namespace etalon::runtime
