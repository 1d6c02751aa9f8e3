// Lowering: what the rules that take ATen operators apart write their operators with.
//
// A rule reads like the formula it stands for, so errors travel as the private exception Refusal, thrown by
// every method here and caught by lower() in rules.h; none leaves this folder.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/builder.h"

namespace etalon::frontend {

using ir::Arg;
using ir::IntItem;
using ir::IntItems;
using ir::TensorType;
using ir::ValueId;
using ir::ValueIds;
using Ints = std::vector<std::int64_t>;

struct Refusal {
  Error error;
};
[[noreturn]] inline void refuse(std::string message) { throw Refusal{unsupported(std::move(message))}; }
[[noreturn]] inline void refuse_input(std::string message) {
  throw Refusal{invalid_input(std::move(message))};
}

template <class T>
T take(Result<T> result) {
  if (!result.ok()) throw Refusal{result.take_error()};
  return std::move(result).value();
}

// The arguments of one operator, by position in its schema, defaults filled in. An accessor refuses what a
// rule cannot work with: a number that is only known at run time where a literal is wanted.
class Args {
 public:
  explicit Args(std::span<const Arg> args) : args_(args) {}

  const Arg& operator[](std::size_t i) const { return args_[i]; }
  std::size_t size() const { return args_.size(); }
  bool has(std::size_t i) const;
  bool is_number(std::size_t i) const;  // a literal number
  ValueId tensor(std::size_t i) const;
  ValueId tensor_or_none(std::size_t i) const { return has(i) ? tensor(i) : ir::kNoValue; }
  const ValueIds& tensors(std::size_t i) const;
  std::int64_t integer(std::size_t i) const;
  std::int64_t integer_or(std::size_t i, std::int64_t fallback) const {
    return has(i) ? integer(i) : fallback;
  }
  double number(std::size_t i) const;
  double number_or(std::size_t i, double fallback) const { return has(i) ? number(i) : fallback; }
  bool flag(std::size_t i) const;
  const std::string& text(std::size_t i) const;
  IntItem item(std::size_t i) const;
  const IntItems& items(std::size_t i) const;  // an absent list is empty
  Ints ints(std::size_t i) const;
  std::vector<double> doubles(std::size_t i) const;
  DType dtype_or(std::size_t i, DType fallback) const;

 private:
  std::span<const Arg> args_;
};

inline Arg as_arg(const Arg& arg) { return arg; }
inline Arg as_arg(ValueId id) { return id == ir::kNoValue ? Arg{} : Arg{id}; }
inline Arg as_arg(bool value) { return value; }
inline Arg as_arg(int value) { return std::int64_t{value}; }
inline Arg as_arg(std::int64_t value) { return value; }
inline Arg as_arg(std::size_t value) { return static_cast<std::int64_t>(value); }
inline Arg as_arg(double value) { return value; }
inline Arg as_arg(const char* text) { return std::string(text); }
inline Arg as_arg(DType dtype) { return static_cast<std::int64_t>(dtype); }
inline Arg as_arg(const IntItem& item) {
  return item.symbol == ir::kNoValue ? Arg{item.value} : Arg{item.symbol};
}
inline Arg as_arg(const Ints& ints) { return ir::literal_ints(ints); }
inline Arg as_arg(const IntItems& items) { return items; }
inline Arg as_arg(const ValueIds& ids) { return ids; }

// A size wanted of a reshaped tensor: a literal, or the size that a dim of some tensor has at run time.
struct SizeOf {
  ValueId tensor = ir::kNoValue;  // none: literal
  std::int64_t value = 0;         // the literal, or the dim

  static SizeOf literal(std::int64_t value) { return {ir::kNoValue, value}; }
};
using Sizes = std::vector<SizeOf>;

class Lowering {
 public:
  explicit Lowering(ir::Builder& builder) : builder_(builder) {}

  ir::Builder& builder() { return builder_; }
  ir::Graph& graph() { return builder_.graph(); }
  const TensorType& type(ValueId id) const { return std::as_const(builder_).type(id); }
  DType dtype(ValueId id) const { return type(id).dtype; }
  std::size_t rank(ValueId id) const { return type(id).sizes.size(); }
  // A dim counted from the end made positive.
  std::size_t dim(ValueId id, std::int64_t dim) const;
  // A size that must not be dynamic.
  std::int64_t static_size(ValueId id, std::size_t dim) const;
  bool is_static(ValueId id) const { return !type(id).is_dynamic(); }

  // Calls an operator of the registry: its first output, or all.
  template <class... A>
  ValueId op(std::string_view name, const A&... args) {
    return op_all(name, args...)[0];
  }
  template <class... A>
  ValueIds op_all(std::string_view name, const A&... args) {
    std::vector<Arg> list;
    list.reserve(sizeof...(args));
    (list.push_back(as_arg(args)), ...);
    return take(builder_.call_all(name, std::move(list)));
  }
  // The same for anything that lower() can do, a rule or an operator.
  template <class... A>
  ValueId aten(std::string_view name, const A&... args) {
    return aten_all(name, args...)[0];
  }
  template <class... A>
  ValueIds aten_all(std::string_view name, const A&... args) {
    std::vector<Arg> list;
    list.reserve(sizeof...(args));
    (list.push_back(as_arg(args)), ...);
    return lower_list(name, std::move(list));
  }

  // Arithmetic. A plain number takes part as torch's wrapped number does: it never widens the tensor's dtype.
  ValueId add(ValueId a, ValueId b) { return op("aten::add.Tensor", a, b); }
  ValueId sub(ValueId a, ValueId b) { return op("aten::sub.Tensor", a, b); }
  ValueId mul(ValueId a, ValueId b) { return op("aten::mul.Tensor", a, b); }
  ValueId div(ValueId a, ValueId b) { return op("aten::div.Tensor", a, b); }
  ValueId add(ValueId a, double b) { return op("aten::add.Scalar", a, b); }
  ValueId mul(ValueId a, double b) { return op("aten::mul.Scalar", a, b); }
  ValueId div(ValueId a, double b) { return op("aten::div.Scalar", a, b); }
  ValueId where(ValueId condition, ValueId a, ValueId b) { return op("aten::where.self", condition, a, b); }
  ValueId unary(std::string_view name, ValueId x) { return op(name, x); }
  // A rank-0 literal.
  ValueId scalar(double value, DType dtype) { return builder_.scalar_tensor(value, dtype); }
  ValueId constant(const std::vector<float>& values, const Dims& sizes, DType dtype);
  ValueId constant(const Ints& values, const Dims& sizes, DType dtype) {
    return builder_.int_tensor(values, sizes, dtype);
  }
  ValueId cast(ValueId x, DType dtype);
  // A number in the place of a tensor, as a rank-0 literal of the dtype that makes it a wrapped number beside
  // `other`.
  ValueId wrapped(const Arg& number, ValueId other);

  // Shape changes; each gives `x` itself back when nothing would change.
  ValueId permute(ValueId x, const Ints& dims);
  ValueId transpose(ValueId x, std::int64_t a, std::int64_t b);
  ValueId unsqueeze(ValueId x, std::int64_t dim);
  ValueId squeeze(ValueId x, std::int64_t dim);
  ValueId view(ValueId x, const IntItems& sizes);
  ValueId reshape(ValueId x, const Sizes& sizes);
  ValueId expand(ValueId x, const IntItems& sizes);
  ValueId slice(ValueId x, std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step = 1);
  ValueId select(ValueId x, std::int64_t dim, std::int64_t index);
  ValueId cat(const ValueIds& parts, std::int64_t dim);

  IntItem size(ValueId x, std::size_t dim) { return take(builder_.size_item(x, dim)); }
  IntItems sizes(ValueId x) { return take(builder_.size_items(x)); }
  // All sizes of `x`, for reshape().
  Sizes sizes_of(ValueId x) const;
  IntItem product(std::span<const IntItem> items);
  IntItem multiply(const IntItem& a, const IntItem& b) {
    return combine("executorch_prim::mul.Scalar", a, b);
  }
  // An integer operation on sizes, computed now when both are literal.
  IntItem combine(std::string_view prim, const IntItem& a, const IntItem& b);
  // What an item is under the upper bound.
  std::int64_t bound(const IntItem& item) const;

 private:
  ValueIds lower_list(std::string_view name, std::vector<Arg> args);

  ir::Builder& builder_;
};

}  // namespace etalon::frontend
