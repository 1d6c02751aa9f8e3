// Functions of one number, one node each.
#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

template <xnn::NodeType kType>
Status lower_unary(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.natural(a.value(0));
  b.emit(kType, {rep.id}, b.make_like(a.out(), rep));
  return {};
}

// log(1 + exp(x)) as softplus has it: a logarithm of numbers from 1 to 2, where adding one first loses nothing that the
// result's magnitude could show.
Refused refuse_log1p(const NodeArgs& a) {
  const ir::Value& input = a.graph()[a.value(0)];
  const bool of_exp = input.source == ir::ValueSource::kNode &&
                      a.graph().nodes[input.source_index].op->functional_name == "aten::exp";
  if (!of_exp) return Refusal{"log(1 + x) loses the digits of a small x", "use log where the argument is not near zero"};
  return std::nullopt;
}
Status lower_log1p(PayloadBuilder& b, const NodeArgs& a) {
  const Rep rep = b.natural(a.value(0));
  const DType dtype = a.out_type().dtype;
  const std::uint32_t sum = b.temporary(rep.dims, dtype);
  b.emit(xnn::NodeType::kAdd, {rep.id, b.scalar(1.0, dtype)}, sum);
  b.emit(xnn::NodeType::kLog, {sum}, b.make_like(a.out(), rep));
  return {};
}

using enum xnn::NodeType;
constexpr Lowering kRows[] = {
    {"aten::abs", accept, lower_unary<kAbs>},
    {"aten::neg", accept, lower_unary<kNegate>},
    {"aten::floor", accept, lower_unary<kFloor>},
    {"aten::ceil", accept, lower_unary<kCeiling>},
    {"aten::exp", accept, lower_unary<kExp>},
    {"aten::log", accept, lower_unary<kLog>},
    {"aten::sin", accept, lower_unary<kSin>},
    {"aten::cos", accept, lower_unary<kCos>},
    {"aten::sqrt", accept, lower_unary<kSquareRoot>},
    {"aten::rsqrt", accept, lower_unary<kReciprocalSquareRoot>},
    {"aten::tanh", accept, lower_unary<kTanh>},
    {"aten::sigmoid", accept, lower_unary<kSigmoid>},
    {"aten::log1p", refuse_log1p, lower_log1p},
};

}  // namespace

extern constinit const LoweringFamily kUnaryLowerings{kRows};

}  // namespace etalon::xnnpack
