// log2 and log10: a Log and a product, log_b(x) = ln(x) / ln(b). XNNPACK's Log is right for every x, so nothing is refused.
#include <cmath>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

Status lower_logarithm(PayloadBuilder& b, const NodeArgs& a, double base) {
  const Rep rep = b.natural(a.value(0));  // whatever layout the input has, the result takes it too
  const DType dtype = a.out_type().dtype;
  const std::uint32_t natural = b.temporary(rep.dims, dtype);
  b.emit(xnn::NodeType::kLog, {rep.id}, natural);
  b.emit(xnn::NodeType::kMultiply, {natural, b.scalar(1 / std::log(base), dtype)}, b.make_like(a.out(), rep));
  return {};
}

constexpr Lowering kRows[] = {
    {"aten::log2", accept, [](PayloadBuilder& b, const NodeArgs& a) { return lower_logarithm(b, a, 2); }},
    {"aten::log10", accept, [](PayloadBuilder& b, const NodeArgs& a) { return lower_logarithm(b, a, 10); }},
};

}  // namespace

extern constinit const LoweringFamily kLogarithmLowerings{kRows};

}  // namespace etalon::xnnpack
