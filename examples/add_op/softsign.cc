// softsign(x) = x / (1 + |x|)   (torch.nn.functional.softsign)
#include <cmath>

#include "ops/dispatch.h"
#include "ops/op.h"

namespace etalon::ops {
namespace {

Status infer(const Call& call, OutShapes& out) { return out.set(0, call.tensor(0).dtype(), call.tensor(0).sizes()); }

template <class T>
T softsign(T x) {
  using Math = MathTypeOf<T>;
  const Math wide = static_cast<Math>(x);
  return T(wide / (Math(1) + std::abs(wide)));
}

Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  TensorView& output = call.out();
  if (!(input.order() == output.order())) return unsupported("softsign between different dim orders");
  return visit_floating(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* from = input.data_as<const T>();
    T* to = output.data_as<T>();
    for (std::int64_t i = 0; i < input.numel(); ++i) to[i] = softsign(from[i]);
    return {};
  });
}

// One division, one addition, one absolute value.
std::int64_t flops(const Call& call) { return 3 * call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "example::softsign(Tensor self) -> Tensor",
     .out_name = "example::softsign.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .traits = kElementwise},
};

}  // namespace

extern constinit const OpFamily kSoftsignOps{kRows};

}  // namespace etalon::ops
