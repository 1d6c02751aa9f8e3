// For tests: one operator call by the kernel that the resolver chooses, beside the reference, on every ISA of this CPU.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "backends/native/operators/resolver.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/testing.h"
#include "ops/op_testing.h"

namespace etalon::native::testing {

using ops::Value;
using ops::testing::Tensor;

// Calls of operator new so far; heap_counter_test.cc.
int heap_uses();

class OperatorCase {
 public:
  explicit OperatorCase(std::string_view name) : op_(ops::find_op(name)) { EXPECT_NE(op_, nullptr) << name; }

  // Arguments in the order of the functional schema; those that are left out are None.
  OperatorCase& arg(Value value) {
    args_.push_back(value);
    return *this;
  }
  OperatorCase& arg(Tensor& tensor) { return arg(tensor.value()); }
  OperatorCase& none() { return arg(Value()); }
  OperatorCase& out_order(const DimOrder& order) {
    options_.out_order = order;
    return *this;
  }

  // Runs both on every ISA. `refusal` is part of the reason for which the portable kernel must have been chosen; empty:
  // a native one must be.
  void check(const std::string& refusal = {}) {
    auto want = ops::testing::call_op(op_->name(), args_, options_);
    ASSERT_TRUE(want.ok()) << op_->name() << ": " << want.error().message();
    for (const kernels::Isa isa : kernels::testing::isas_to_test()) {
      SCOPED_TRACE(std::string(op_->name()) + " with " + std::string(kernels::info_of(isa).name));
      check_on(isa, refusal, *want);
    }
  }
  // Runs the kernel that was chosen for these arguments on others, as after a move or a change of sizes.
  void check_with_other_arguments(std::vector<Value> others) {
    for (const kernels::Isa isa : kernels::testing::isas_to_test()) {
      Prepared chosen(*this);
      const auto choice = make_native_resolver(isa)->resolve(*op_, chosen.call());
      const std::vector<Value> before = std::exchange(args_, others);
      auto want = ops::testing::call_op(op_->name(), args_, options_);
      ASSERT_TRUE(want.ok());
      Prepared prepared(*this);
      prepared.run(choice);
      compare(prepared, *want);
      args_ = before;
    }
  }

 private:
  // Outputs and scratch of one call.
  class Prepared {
   public:
    explicit Prepared(OperatorCase& owner) {
      owner.args_.resize(owner.op_->schema.args.size());
      for (const Value& value : owner.args_) args_.push_back(&value);
      ops::testing::RecordedShapes shapes;
      EXPECT_TRUE(owner.op_->def->infer(ops::Call(args_, {}), shapes).ok());
      values_.resize(shapes.outs.size());
      for (std::size_t i = 0; i < shapes.outs.size(); ++i) {
        const auto& out = shapes.outs[i].at(0);
        DimOrder order = out.order.value_or(contiguous_order(out.sizes.size()));
        if (i == 0 && owner.options_.out_order) order = *owner.options_.out_order;
        tensors.emplace_back(out.dtype, out.sizes, order);
        values_[i] = tensors.back().value();
      }
      for (Value& value : values_) outs_.push_back(&value);
    }
    ops::Call call(std::span<std::byte> scratch = {}) const { return {args_, outs_, scratch}; }
    void run(const runtime::KernelChoice& choice) {
      const int at_first = heap_uses();
      const std::size_t bytes = choice.scratch == nullptr ? 0 : choice.scratch(call());
      EXPECT_EQ(heap_uses(), at_first) << "asking for scratch memory used the heap";
      std::vector<std::byte> memory(bytes + 128, std::byte{0xCD});
      const std::size_t skew = (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
      const int before = heap_uses();
      const Status status = choice.kernel(call(std::span(memory).subspan(skew, bytes)));
      EXPECT_EQ(heap_uses(), before) << "a kernel used the heap";
      EXPECT_TRUE(status.ok()) << status.error().message();
      for (std::size_t i = skew + bytes; i < memory.size(); ++i) {
        ASSERT_EQ(memory[i], std::byte{0xCD}) << "wrote behind its scratch memory";
      }
    }
    std::vector<Tensor> tensors;

   private:
    std::vector<const Value*> args_;
    std::vector<Value> values_;
    std::vector<Value*> outs_;
  };

  void check_on(kernels::Isa isa, const std::string& refusal, const ops::testing::CallResult& want) {
    Prepared prepared(*this);
    const auto choice = make_native_resolver(isa)->resolve(*op_, prepared.call());
    EXPECT_EQ(choice.wanted_isa, kernels::info_of(kernels::best_float_isa(isa)).name);
    if (isa == kernels::Isa::kScalar && choice.reason.find("no SIMD kernel takes") != std::string::npos) {
      EXPECT_EQ(choice.isa, "portable");
    } else if (refusal.empty()) {
      EXPECT_NE(choice.isa, "portable") << choice.reason;
      EXPECT_NE(choice.name.find("ukernel"), std::string::npos) << choice.name;
      EXPECT_EQ(choice.isa == choice.wanted_isa, choice.reason.empty()) << choice.reason;
    } else {
      EXPECT_EQ(choice.isa, "portable");
      EXPECT_NE(choice.reason.find(refusal), std::string::npos) << choice.reason;
    }
    prepared.run(choice);
    compare(prepared, want);
  }

  void compare(const Prepared& got, const ops::testing::CallResult& want) const {
    ASSERT_EQ(got.tensors.size(), want.tensors.size());
    for (std::size_t t = 0; t < got.tensors.size(); ++t) {
      const auto a = got.tensors[t].values();
      const auto b = want.tensors[t].values();
      ASSERT_EQ(a.size(), b.size());
      double largest = 0;
      for (const double x : b) largest = std::isfinite(x) ? std::max(largest, std::fabs(x)) : largest;
      int wrong = 0;
      for (std::size_t i = 0; i < a.size() && wrong < 3; ++i) {
        const auto& tolerance = op_->def->tolerance;
        const double allowed = std::max(tolerance.atol * std::max(1.0, largest), tolerance.rtol * std::fabs(b[i]));
        const bool same = std::isnan(b[i]) ? std::isnan(a[i]) : a[i] == b[i] || std::fabs(a[i] - b[i]) <= allowed;
        if (same) continue;
        ++wrong;
        ADD_FAILURE() << "output " << t << " element " << i << " is " << a[i] << ", the reference gives " << b[i];
      }
    }
  }

  const ops::Op* op_;
  std::vector<Value> args_;
  ops::testing::CallOptions options_;
};

inline std::mt19937& random_source() {
  static std::mt19937 source{11};
  return source;
}
inline Tensor random_tensor(const Dims& sizes, const DimOrder& order, double low = -2, double high = 2) {
  Tensor out(DType::kFloat32, sizes, order);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> values(static_cast<std::size_t>(out.view().numel()));
  for (double& x : values) x = uniform(random_source());
  out.set_values(values);
  return out;
}
inline Tensor random_tensor(const Dims& sizes, double low = -2, double high = 2) {
  return random_tensor(sizes, contiguous_order(sizes.size()), low, high);
}
inline const DimOrder kChannelsLast{0, 2, 3, 1};

}  // namespace etalon::native::testing
