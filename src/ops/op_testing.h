// For tests: tensors that own their memory, and calling an operator by name the way the runtime does.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ops/convert.h"
#include "ops/registry.h"

namespace etalon::ops::testing {

// The DType of a storage type.
template <class T>
DType storage_dtype() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::kUInt8;
  if constexpr (std::is_same_v<T, std::int8_t>) return DType::kInt8;
  if constexpr (std::is_same_v<T, std::int16_t>) return DType::kInt16;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::kInt64;
  if constexpr (std::is_same_v<T, double>) return DType::kFloat64;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
  return DType::kFloat32;
}

class Tensor {
 public:
  // Uninitialised elements are 0xAB bytes, so that a kernel that forgets some is seen.
  Tensor(DType dtype, const Dims& sizes) : Tensor(dtype, sizes, contiguous_order(sizes.size())) {}
  Tensor(DType dtype, const Dims& sizes, const DimOrder& order)
      : bytes_(static_cast<std::size_t>(numel(sizes)) * size_of(dtype) + 64, std::byte{0xAB}),
        view_(std::make_unique<TensorView>(dtype, sizes, order, bytes_.data())) {}

  TensorView& view() { return *view_; }
  const TensorView& view() const { return *view_; }
  DType dtype() const { return view_->dtype(); }
  const Dims& sizes() const { return view_->sizes(); }
  Value value() { return Value::of_tensor(view_.get()); }

  // The elements in the order of their indices (not of memory), as doubles.
  std::vector<double> values() const {
    std::vector<double> out;
    for_each_offset([&](std::int64_t offset) {
      double x = 0;
      convert_run(dtype(), at(offset), DType::kFloat64, &x, 1);
      out.push_back(x);
    });
    return out;
  }
  void set_values(const std::vector<double>& values) {
    std::size_t i = 0;
    for_each_offset(
        [&](std::int64_t offset) { convert_run(DType::kFloat64, &values[i++], dtype(), at(offset), 1); });
  }

 private:
  std::byte* at(std::int64_t offset) const {
    return view_->data_as<std::byte>() + static_cast<std::size_t>(offset) * size_of(dtype());
  }
  template <class Visit>
  void for_each_offset(Visit visit) const {
    for (std::int64_t i = 0; i < view_->numel(); ++i) {
      std::int64_t rest = i;
      std::int64_t offset = 0;
      for (std::size_t d = view_->rank(); d-- > 0;) {
        offset += rest % view_->size(d) * view_->stride(d);
        rest /= view_->size(d);
      }
      visit(offset);
    }
  }

  std::vector<std::byte> bytes_;
  std::unique_ptr<TensorView> view_;
};

// tensor({2, 2}, {1, 2, 3, 4}) is float32; tensor(DType::kInt64, {2}, {1, 2}).
inline Tensor tensor(DType dtype, const Dims& sizes, const std::vector<double>& values) {
  Tensor t(dtype, sizes);
  t.set_values(values);
  return t;
}
inline Tensor tensor(const Dims& sizes, const std::vector<double>& values) {
  return tensor(DType::kFloat32, sizes, values);
}
inline Tensor channels_last(const Dims& sizes, const std::vector<double>& values) {
  Tensor t(DType::kFloat32, sizes, DimOrder{0, 2, 3, 1});
  t.set_values(values);
  return t;
}

// What infer reported.
class RecordedShapes : public OutShapes {
 public:
  struct Out {
    DType dtype = DType::kFloat32;
    Dims sizes;
    std::optional<DimOrder> order;
  };
  Status set(std::size_t index, DType dtype, const Dims& sizes, const DimOrder* order) override {
    return set_in(index, 0, {dtype, sizes, order ? std::optional(*order) : std::nullopt});
  }
  Status set_list(std::size_t index, std::size_t count) override {
    if (outs.size() <= index) outs.resize(index + 1);
    outs[index].resize(count);
    return {};
  }
  Status set_item(std::size_t index, std::size_t item, DType dtype, const Dims& sizes) override {
    return set_in(index, item, {dtype, sizes, std::nullopt});
  }

  std::vector<std::vector<Out>> outs;  // [output][item]

 private:
  Status set_in(std::size_t index, std::size_t item, const Out& out) {
    if (outs.size() <= index) outs.resize(index + 1);
    if (outs[index].size() <= item) outs[index].resize(item + 1);
    outs[index][item] = out;
    return {};
  }
};

struct CallOptions {
  std::optional<DType> out_dtype = {};     // of output 0 where it differs from the inferred one
  std::optional<DimOrder> out_order = {};  // of output 0
};

// One entry per output; a list output gives its items one after the other.
struct CallResult {
  std::vector<Tensor> tensors;
  std::vector<Value> numbers;  // of operators that return numbers
};

// Calls operator `name` (functional). Missing trailing arguments are None, so pass the ones that have other
// defaults.
inline Result<CallResult> call_op(std::string_view name, std::vector<Value> args,
                                  const CallOptions& options = {}) {
  const Op* op = find_op(name);
  if (op == nullptr) return not_found(std::string(name));
  args.resize(op->schema.args.size());
  std::vector<const Value*> arg_list;
  for (std::size_t i = 0; i < args.size(); ++i) {
    arg_list.push_back(&args[i]);
    if (args[i].is(Value::Tag::kNone)) continue;
    ETALON_CHECKED(check_arg(op->schema.args[i], args[i]));
  }
  RecordedShapes shapes;
  ETALON_CHECKED(op->def->infer(Call(arg_list, {}), shapes));

  CallResult result;
  std::vector<Value> outs(op->schema.returns.size());
  std::vector<std::vector<TensorView*>> lists(outs.size());
  for (std::size_t i = 0; i < shapes.outs.size(); ++i) {
    for (const auto& out : shapes.outs[i]) {
      const bool first = i == 0;
      const DType dtype = first && options.out_dtype ? *options.out_dtype : out.dtype;
      DimOrder order = out.order.value_or(contiguous_order(out.sizes.size()));
      if (first && options.out_order) order = *options.out_order;
      result.tensors.emplace_back(dtype, out.sizes, order);
      lists[i].push_back(&result.tensors.back().view());
    }
    const bool is_list = op->schema.returns[i] == ArgType::kTensorList;
    if (is_list)
      outs[i] = Value::of_tensors(lists[i]);
    else if (!lists[i].empty())
      outs[i] = Value::of_tensor(lists[i][0]);
  }
  std::vector<Value*> out_list;
  for (Value& out : outs) out_list.push_back(&out);
  std::vector<std::byte> scratch;
  const Call sized(arg_list, out_list);
  if (op->def->scratch != nullptr) scratch.resize(op->def->scratch(sized) + 64);
  const std::size_t skew = reinterpret_cast<std::uintptr_t>(scratch.data()) % 64;
  const std::span<std::byte> aligned = std::span(scratch).subspan(scratch.empty() ? 0 : (64 - skew) % 64);
  ETALON_CHECKED(op->def->kernel(Call(arg_list, out_list, aligned)));
  if (op->has(kPrim)) result.numbers = outs;
  return result;
}

}  // namespace etalon::ops::testing
