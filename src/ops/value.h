// Value: one argument or result of an operator call, as programs store them and kernels see them.
// A plain tagged union that borrows everything it points to; copying is cheap and never allocates.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tensor/tensor.h"

namespace etalon::ops {

class Value {
 public:
  enum class Tag : std::uint8_t {
    kNone,
    kInt,     // also dtype, memory format and layout, by their c10 number
    kBool,
    kDouble,
    kString,
    kTensor,
    kIntList,
    kBoolList,
    kDoubleList,
    kTensorList,  // items may be null: an absent optional tensor
  };

  Value() = default;
  static Value of_int(std::int64_t v) { Value x(Tag::kInt); x.int_ = v; return x; }
  static Value of_bool(bool v) { Value x(Tag::kBool); x.bool_ = v; return x; }
  static Value of_double(double v) { Value x(Tag::kDouble); x.double_ = v; return x; }
  static Value of_string(std::string_view v) { return Value(Tag::kString, v.data(), v.size()); }
  static Value of_tensor(TensorView* v) { return Value(Tag::kTensor, v, 1); }
  static Value of_ints(std::span<const std::int64_t> v) { return Value(Tag::kIntList, v.data(), v.size()); }
  static Value of_bools(std::span<const bool> v) { return Value(Tag::kBoolList, v.data(), v.size()); }
  static Value of_doubles(std::span<const double> v) { return Value(Tag::kDoubleList, v.data(), v.size()); }
  static Value of_tensors(std::span<TensorView* const> v) { return Value(Tag::kTensorList, v.data(), v.size()); }

  Tag tag() const { return tag_; }
  bool is(Tag tag) const { return tag_ == tag; }

  // Each accessor requires the matching tag (checked by Call against the schema before a kernel runs).
  std::int64_t as_int() const { return int_; }
  bool as_bool() const { return bool_; }
  double as_double() const { return double_; }
  std::string_view as_string() const { return {static_cast<const char*>(list_.data), list_.size}; }
  TensorView* as_tensor() const { return static_cast<TensorView*>(const_cast<void*>(list_.data)); }
  std::span<const std::int64_t> as_ints() const { return {static_cast<const std::int64_t*>(list_.data), list_.size}; }
  std::span<const bool> as_bools() const { return {static_cast<const bool*>(list_.data), list_.size}; }
  std::span<const double> as_doubles() const { return {static_cast<const double*>(list_.data), list_.size}; }
  std::span<TensorView* const> as_tensors() const {
    return {static_cast<TensorView* const*>(list_.data), list_.size};
  }

 private:
  explicit Value(Tag tag) : tag_(tag) {}
  Value(Tag tag, const void* data, std::size_t size) : tag_(tag), list_{data, size} {}

  struct List {
    const void* data;
    std::size_t size;
  };
  Tag tag_ = Tag::kNone;
  union {
    std::int64_t int_;
    bool bool_;
    double double_;
    List list_{nullptr, 0};
  };
};

// A Python number: the value of a `Scalar` argument.
class Scalar {
 public:
  explicit Scalar(std::int64_t v) : category_(DTypeCategory::kIntegral), int_(v), double_(static_cast<double>(v)) {}
  explicit Scalar(double v);
  explicit Scalar(bool v) : category_(DTypeCategory::kBool), int_(v ? 1 : 0), double_(v ? 1.0 : 0.0) {}

  DTypeCategory category() const { return category_; }
  std::int64_t as_int() const { return int_; }  // a double is truncated and saturated
  double as_double() const { return double_; }
  bool as_bool() const { return category_ == DTypeCategory::kFloating ? double_ != 0.0 : int_ != 0; }
  template <class T>
  T as() const;

 private:
  DTypeCategory category_;
  std::int64_t int_;
  double double_;
};

}  // namespace etalon::ops

#include "ops/value_inline.h"
