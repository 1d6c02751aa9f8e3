// The values of one method as operators see them, without memory: enough for shapes, arithmetic and traffic.
// Numbers that only depend on shapes are computed, so that programs with dynamic shapes are told at their largest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/pte/pte.h"
#include "ops/registry.h"

namespace etalon::cli {

class ModelValues {
 public:
  // `plan` must outlive it.
  explicit ModelValues(const formats::pte::ExecutionPlan& plan);
  ModelValues(const ModelValues&) = delete;
  ModelValues& operator=(const ModelValues&) = delete;

  std::size_t size() const { return values_.size(); }
  const formats::pte::ExecutionPlan& plan() const { return plan_; }
  const formats::pte::Tensor* tensor(std::int32_t value) const;
  // The tensor's shape; null where it is no tensor, or of a dtype that we do not compute with.
  const TensorView* view(std::int32_t value) const;
  // Bytes that never change: in the program or in a data file beside it.
  bool is_constant(std::int32_t value) const;
  // The tensors of a value: itself, or the items of a list.
  std::vector<std::int32_t> tensors_of(std::int32_t value) const;
  std::string text(std::int32_t value) const;   // "float32[1, 3, 224, 224]"
  double bytes(std::int32_t value) const;       // 0 where it is no tensor

  // As an argument of a call. Lists are filled with what their items are now.
  const ops::Value* argument(std::int32_t value);
  void set_number(std::int32_t value, const ops::Value& number) { values_[index(value)] = number; }

 private:
  static std::size_t index(std::int32_t value) { return static_cast<std::size_t>(value); }
  void add(const formats::pte::EValue& value);
  void refresh(std::int32_t value);

  const formats::pte::ExecutionPlan& plan_;
  std::vector<ops::Value> values_;
  std::vector<std::unique_ptr<TensorView>> views_;             // by value; null: no tensor
  std::vector<std::vector<std::int64_t>> ints_;                // by value, of int lists
  std::vector<std::vector<TensorView*>> lists_;                // by value, of tensor lists
  std::vector<std::unique_ptr<bool[]>> bools_;
};

}  // namespace etalon::cli
