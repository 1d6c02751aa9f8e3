// clamp: min(max(x, low), high) with either limit absent. NaN in any of the three stays NaN.
#include <limits>

#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/promotion.h"

namespace etalon::ops {
namespace {

constexpr std::size_t kSelf = 0;
constexpr std::size_t kLow = 1;
constexpr std::size_t kHigh = 2;

struct Raise {
  template <class T>
  T operator()(T x, T low) const {
    return ((x > low) | (x != x)) ? x : low;
  }
};
struct Lower {
  template <class T>
  T operator()(T x, T high) const {
    return ((x < high) | (x != x)) ? x : high;
  }
};
// Both, by `|` and not `||`: a branch would keep the loop from vectorising.
struct Limit {
  template <class T>
  T operator()(T x, T low, T high) const {
    return Lower{}(Raise{}(x, low), high);
  }
};

// Limits that are numbers, not NaN, take one comparison each.
template <class T>
struct LimitByNumbers {
  T low;
  T high;
  T operator()(T x) const {
    const T raised = x < low ? low : x;
    return raised > high ? high : raised;
  }
};

bool is_plain_number(const Value& limit) {
  if (limit.is(Value::Tag::kTensor)) return false;
  return !limit.is(Value::Tag::kDouble) || limit.as_double() == limit.as_double();
}

template <class T>
T limit_or(const Call& call, std::size_t i, T absent) {
  return call.has(i) ? call.scalar(i).as<T>() : absent;
}

DType type_of(const Call& call) { return result_type(call, {kSelf, kLow, kHigh}); }

Status infer(const Call& call, OutShapes& outs) {
  if (!call.has(kLow) && !call.has(kHigh)) return invalid_input("clamp wants min, max or both");
  return infer_broadcast_as(call, outs, type_of(call));
}

Status kernel(const Call& call) {
  return visit_computed(type_of(call), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Operand x = call.tensor(kSelf);
    if (is_plain_number(call.arg(kLow)) && is_plain_number(call.arg(kHigh))) {
      using Bounds = std::numeric_limits<T>;
      const T lowest = Bounds::has_infinity ? static_cast<T>(-Bounds::infinity()) : Bounds::lowest();
      const T highest = Bounds::has_infinity ? Bounds::infinity() : Bounds::max();
      return map<T, T>(x, call.out(),
                       LimitByNumbers<T>{limit_or(call, kLow, lowest), limit_or(call, kHigh, highest)});
    }
    if (!call.has(kHigh)) return map<T, T>(x, Operand::of(call, kLow), call.out(), Raise{});
    if (!call.has(kLow)) return map<T, T>(x, Operand::of(call, kHigh), call.out(), Lower{});
    return map<T, T>(x, Operand::of(call, kLow), Operand::of(call, kHigh), call.out(), Limit{});
  });
}

std::int64_t flops(const Call& call) {
  return flops_per_element(call) * ((call.has(kLow) ? 1 : 0) + (call.has(kHigh) ? 1 : 0));
}

constexpr OpDef kRows[] = {
    {.schema = "aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
     .out_name = "aten::clamp.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .traits = kElementwise | kCastsOutput},
    {.schema = "aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor",
     .out_name = "aten::clamp.Tensor_out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .traits = kElementwise | kCastsOutput},
};

}  // namespace

extern constinit const OpFamily kClampOps{kRows};

}  // namespace etalon::ops
