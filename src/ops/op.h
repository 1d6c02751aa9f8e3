// OpDef: everything the toolkit knows about one operator, and Call: one invocation of it.
//
// Operators are written in torch's functional form (arguments of the functional schema, by position). The `out` names
// are those that ExecuTorch programs store; the runtime maps a program's argument list onto the functional positions:
// an `out` schema has the same arguments in the same order, less dtype/layout/device/pin_memory where the functional
// one has `layout`, followed by the outputs. A dropped argument reads as None.
//
// Contract of the functions, all thread-safe and free of allocation on success:
//   infer   validates the arguments (shapes, dims, dtypes, values that are not tensor contents) and reports the outputs'
//           dtypes and sizes. Runs at export on tensors whose data() may be null, and before every kernel at run time.
//           For data-dependent shapes (nonzero) it reports the upper bound.
//   kernel  computes the outputs, which already have the inferred sizes. Any dim order must work: use strides or
//           copy. May fail only because of tensor contents (an index out of range) or an unsupported dtype.
//   flops   floating-point (or integer) operations, a multiply-add counting as two. Null: data movement, zero.
//   scratch bytes of temporary memory the kernel wants from call.scratch(), an upper bound that grows with the shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "ops/value.h"

namespace etalon::ops {

class Call {
 public:
  Call(std::span<const Value* const> args, std::span<Value* const> outs, std::span<std::byte> scratch = {})
      : args_(args), outs_(outs), scratch_(scratch) {}

  // Arguments, by position in the functional schema. The tag was checked against the schema.
  std::size_t arg_count() const { return args_.size(); }
  const Value& arg(std::size_t i) const { return *args_[i]; }
  bool has(std::size_t i) const { return !args_[i]->is(Value::Tag::kNone); }
  const TensorView& tensor(std::size_t i) const { return *args_[i]->as_tensor(); }
  const TensorView* optional_tensor(std::size_t i) const { return has(i) ? args_[i]->as_tensor() : nullptr; }
  std::span<TensorView* const> tensors(std::size_t i) const { return args_[i]->as_tensors(); }  // items may be null
  std::int64_t integer(std::size_t i) const { return scalar(i).as_int(); }
  double number(std::size_t i) const { return scalar(i).as_double(); }
  bool flag(std::size_t i) const { return scalar(i).as_bool(); }
  Scalar scalar(std::size_t i) const;
  std::string_view text(std::size_t i) const { return args_[i]->as_string(); }
  std::span<const std::int64_t> ints(std::size_t i) const { return args_[i]->as_ints(); }
  std::span<const bool> flags(std::size_t i) const { return args_[i]->as_bools(); }
  std::span<const double> doubles(std::size_t i) const { return args_[i]->as_doubles(); }
  std::optional<std::int64_t> optional_int(std::size_t i) const;
  std::optional<double> optional_number(std::size_t i) const;
  // The dtype argument i, or `fallback` when it is None. kUnsupported for numbers we do not compute with.
  Result<DType> dtype_or(std::size_t i, DType fallback) const;

  // Outputs. Kernels only; infer must not look at them.
  std::size_t out_count() const { return outs_.size(); }
  TensorView& out(std::size_t i = 0) const { return *outs_[i]->as_tensor(); }
  std::span<TensorView* const> out_list(std::size_t i = 0) const { return outs_[i]->as_tensors(); }
  Value& out_value(std::size_t i = 0) const { return *outs_[i]; }  // for operators that return numbers

  // Temporary memory of the size that `scratch` asked for, aligned to 64 bytes.
  std::span<std::byte> scratch() const { return scratch_; }

 private:
  std::span<const Value* const> args_;
  std::span<Value* const> outs_;
  std::span<std::byte> scratch_;
};

// Where infer reports what the outputs look like. At export this fills the graph; at run time it resizes the tensors.
class OutShapes {
 public:
  virtual ~OutShapes() = default;
  // Output `index` is a tensor. Without `order`: contiguous at export, whatever the program chose at run time.
  virtual Status set(std::size_t index, DType dtype, const Dims& sizes, const DimOrder* order = nullptr) = 0;
  // Output `index` is a list of `count` tensors; then each item is set.
  virtual Status set_list(std::size_t index, std::size_t count) = 0;
  virtual Status set_item(std::size_t index, std::size_t item, DType dtype, const Dims& sizes) = 0;
};

using InferFn = Status (*)(const Call&, OutShapes&);
using KernelFn = Status (*)(const Call&);
using FlopsFn = std::int64_t (*)(const Call&);
using ScratchFn = std::size_t (*)(const Call&);

enum Trait : std::uint32_t {
  kNoTraits = 0,
  // Each output element depends only on the input elements at the same (broadcast) place: the output may use the
  // memory of an input of the same dtype, sizes and dim order.
  kElementwise = 1u << 0,
  // The output has the input's elements in the same memory order when both are contiguous (view, squeeze, flatten):
  // the exporter may let it share the memory of argument 0.
  kSameElements = 1u << 1,
  // Writes argument 0 (copy_, index_put_); there are no outputs besides it.
  kMutatesSelf = 1u << 2,
  // Two calls give different results (rand, native_dropout in training): never folded or shared.
  kRandom = 1u << 3,
  // Any output dtype that the computed type can be cast to is accepted (`add.out` with a float output of int inputs).
  kCastsOutput = 1u << 4,
  // Returns numbers, not tensors (sym_size, executorch_prim::add); stored without repeated return value.
  kPrim = 1u << 5,
  // The output shape depends on tensor contents (nonzero, masked_select).
  kDataDependent = 1u << 6,
};

// How far a result may be from torch's for float32; other dtypes scale it by their epsilon. torch.testing's defaults.
struct Tolerance {
  double rtol = 1.3e-6;
  double atol = 1e-5;
};

struct OpDef {
  std::string_view schema;         // functional schema
  std::string_view out_name;       // "aten::add.out"; for prims the name in programs
  InferFn infer = nullptr;
  KernelFn kernel = nullptr;
  FlopsFn flops = nullptr;
  ScratchFn scratch = nullptr;
  std::uint32_t traits = kNoTraits;
  // Other functional names with the same arguments, separated by spaces: "aten::view aten::_unsafe_view".
  std::string_view aliases = {};
  Tolerance tolerance = {};
};

// What one file defines: `extern constinit const OpFamily kSoftmaxOps{kRows};`, listed in ops.def. (Without `extern` a
// constant is private to its file.)
using OpFamily = std::span<const OpDef>;

// Bytes read and written by a call, counting every tensor once.
struct Traffic {
  std::int64_t read_bytes = 0;
  std::int64_t written_bytes = 0;
};
Traffic traffic_of(const Call& call);

}  // namespace etalon::ops
