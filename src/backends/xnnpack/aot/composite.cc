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

bool is_composite(const ops::Op& op) { return &op == &hardswish_op() || &op == &prelu_op(); }

}  // namespace etalon::xnnpack
