// Softmax over any dim: XNNPACK's is over the innermost.
#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kDim = 1, kHalfToFloat = 2;

Refused refuse_softmax(const NodeArgs& a) {
  if (a.flag(kHalfToFloat)) return Refusal{"the softmax converts half to float", "convert before it"};
  if (a.type(kInput).sizes.empty()) return Refusal{"the softmax is of a single number", {}};
  return std::nullopt;
}

Status lower_softmax(PayloadBuilder& b, const NodeArgs& a) {
  const std::size_t rank = a.type(kInput).sizes.size();
  const Rep rep = b.with_innermost(a.value(kInput), a.dim(kDim, rank));
  b.emit(xnn::NodeType::kSoftmax, {rep.id}, b.make_like(a.out(), rep));
  return {};
}

constexpr Lowering kRows[] = {{"aten::_softmax", refuse_softmax, lower_softmax}};

}  // namespace

extern constinit const LoweringFamily kSoftmaxLowerings{kRows};

}  // namespace etalon::xnnpack
