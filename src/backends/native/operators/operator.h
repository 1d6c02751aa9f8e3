// An operator that SIMD kernels can run outside of a delegate. A file per family defines a table of them, which
// operators.def lists:
//
//   struct Sigmoid {
//     static constexpr std::string_view kOutName = "aten::sigmoid.out";
//     static const char* refusal(const ops::Call&);           // null: can do it; else what is in the way
//     static Status run(const ops::Call&, kernels::Isa cap);  // only after refusal() gave null
//     static std::size_t scratch(const ops::Call&, kernels::Isa cap);
//     static KernelLabel label(const ops::Call&, kernels::Isa cap);
//     static constexpr bool kWantsSimd = true;                // see below; left out where it is not so
//   };
//   constexpr NativeOperator kRows[] = {native_operator<Sigmoid>()};
//   extern constinit const NativeFamily kSomeOperators{kRows};
//
// Functions are thread-safe and free of allocation, except label().
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "kernels/isa.h"
#include "ops/op.h"
#include "ops/registry.h"

namespace etalon::native {

struct KernelLabel {
  std::string name;  // XNNPACK's grammar: "f32_vadd_ukernel__avx512f"
  kernels::Isa isa;  // what it really is, at most the cap
};

// Kernels are plain functions, so the cap is part of which function it is.
struct CappedKernel {
  ops::KernelFn run;
  ops::ScratchFn scratch;
};

struct NativeOperator {
  std::string_view out_name;  // as in programs: "aten::add.out"
  const char* (*refusal)(const ops::Call&);
  KernelLabel (*label)(const ops::Call&, kernels::Isa cap);
  std::span<const CappedKernel> by_cap;  // by Isa
  bool wants_simd;  // the portable kernel is faster than a scalar form of this one
};
using NativeFamily = std::span<const NativeOperator>;

namespace internal {

// The reference of operator `out_name`.
const ops::OpDef& portable_of(std::string_view out_name);

// What was seen when the program was loaded may differ now: sizes are upper bounds then, and a move can put another
// tensor into an argument's place. So the question is asked again, and the reference takes what the kernel refuses.
template <class Operator, kernels::Isa kCap>
Status run_within(const ops::Call& call) {
  if (Operator::refusal(call) != nullptr) [[unlikely]] return portable_of(Operator::kOutName).kernel(call);
  return Operator::run(call, kCap);
}

template <class Operator, kernels::Isa kCap>
std::size_t scratch_within(const ops::Call& call) {
  const ops::ScratchFn portable = portable_of(Operator::kOutName).scratch;
  const std::size_t fallback = portable == nullptr ? 0 : portable(call);
  return Operator::refusal(call) != nullptr ? fallback : std::max(fallback, Operator::scratch(call, kCap));
}

template <class Operator>
constexpr CappedKernel kByCap[] = {
#define ISA(enumerator, name, suffix, base, features) \
  {run_within<Operator, kernels::Isa::enumerator>, scratch_within<Operator, kernels::Isa::enumerator>},
#include "kernels/isa.def"
#undef ISA
};

}  // namespace internal

template <class Operator>
constexpr NativeOperator native_operator() {
  constexpr bool kWantsSimd = requires { Operator::kWantsSimd; };
  return {Operator::kOutName, Operator::refusal, Operator::label, internal::kByCap<Operator>, kWantsSimd};
}

// For those that want no scratch.
struct NoScratch {
  static std::size_t scratch(const ops::Call&, kernels::Isa) { return 0; }
};

}  // namespace etalon::native
