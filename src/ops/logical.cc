// and, or, xor of truth values: every element but zero is true.
#include "ops/elementwise.h"
#include "ops/infer.h"

namespace etalon::ops {
namespace {

struct And {
  bool operator()(bool a, bool b) const { return a && b; }
};
struct Or {
  bool operator()(bool a, bool b) const { return a || b; }
};
struct Xor {
  bool operator()(bool a, bool b) const { return a != b; }
};

template <class Function>
Status kernel(const Call& call) {
  return map<bool, bool>(call.tensor(0), call.tensor(1), call.out(), Function{});
}

constexpr OpDef row(std::string_view schema, std::string_view out_name, KernelFn kernel_fn) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_broadcast_bool,
          .kernel = kernel_fn,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput};
}

constexpr OpDef kRows[] = {
    row("aten::logical_and(Tensor self, Tensor other) -> Tensor", "aten::logical_and.out", kernel<And>),
    row("aten::logical_or(Tensor self, Tensor other) -> Tensor", "aten::logical_or.out", kernel<Or>),
    row("aten::logical_xor(Tensor self, Tensor other) -> Tensor", "aten::logical_xor.out", kernel<Xor>),
};

}  // namespace

extern constinit const OpFamily kLogicalOps{kRows};

}  // namespace etalon::ops
