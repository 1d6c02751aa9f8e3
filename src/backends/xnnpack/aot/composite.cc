#include "backends/xnnpack/aot/composite.h"

namespace etalon::xnnpack {
namespace {

Status infer_like_self(const ops::Call& call, ops::OutShapes& out) {
  return out.set(0, call.tensor(0).dtype(), call.tensor(0).sizes());
}
std::int64_t flops_per_element(const ops::Call& call) { return 4 * numel(call.tensor(0).sizes()); }

ops::Op make(const ops::OpDef& def) {
  ops::Op op;
  op.def = &def;
  op.schema = ops::parse_schema(def.schema).value();
  op.functional_name = op.schema.full_name();
  return op;
}

Status infer_linear(const ops::Call& call, ops::OutShapes& out) {
  Dims sizes = call.tensor(0).sizes();
  const Dims& weight = call.tensor(1).sizes();
  if (sizes.empty() || weight.size() != 2) return invalid_input("a matrix product wants rows and a matrix");
  sizes[sizes.size() - 1] = weight[call.flag(3) ? 1 : 0];
  return out.set(0, call.tensor(0).dtype(), sizes);
}
std::int64_t linear_flops(const ops::Call& call) {
  const TensorView& input = call.tensor(0);
  return 2 * (numel(input.sizes()) / input.sizes().back()) * numel(call.tensor(1).sizes());
}

Status no_kernel(const ops::Call&) { return unsupported("this operator exists only on the way to a delegate"); }

}  // namespace

const ops::Op& hardswish_op() {
  static const ops::OpDef kDef{.schema = "xnnpack::hardswish(Tensor self) -> Tensor", .out_name = {}, .infer = infer_like_self,
                               .kernel = no_kernel, .flops = flops_per_element};
  static const ops::Op kOp = make(kDef);
  return kOp;
}

const ops::Op& prelu_op() {
  static const ops::OpDef kDef{.schema = "xnnpack::prelu(Tensor self, Tensor weight) -> Tensor", .out_name = {},
                               .infer = infer_like_self, .kernel = no_kernel, .flops = flops_per_element};
  static const ops::Op kOp = make(kDef);
  return kOp;
}

const ops::Op& dynamic_linear_op() {
  static const ops::OpDef kDef{
      .schema = "xnnpack::dynamic_linear(Tensor self, Tensor weight, Tensor? bias, bool is_io) -> Tensor",
      .out_name = {},
      .infer = infer_linear,
      .kernel = no_kernel,
      .flops = linear_flops};
  static const ops::Op kOp = make(kDef);
  return kOp;
}

const ops::Op& dynamic_convolution_op() {
  static const ops::OpDef& kPlain = *ops::find_op("aten::convolution")->def;
  static const ops::OpDef kDef{
      .schema =
          "xnnpack::dynamic_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
          "padding, "
          "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
      .out_name = {},
      .infer = kPlain.infer,
      .kernel = no_kernel,
      .flops = kPlain.flops};
  static const ops::Op kOp = make(kDef);
  return kOp;
}

bool is_composite(const ops::Op& op) {
  return &op == &hardswish_op() || &op == &prelu_op() || &op == &dynamic_linear_op() ||
         &op == &dynamic_convolution_op();
}

}  // namespace etalon::xnnpack
