// Comparisons: the answer is a bool tensor. Both sides are compared in the dtype they promote to.
#include "ops/elementwise.h"
#include "ops/infer.h"
#include "ops/promotion.h"

namespace etalon::ops {
namespace {

// A number takes part in the promoted dtype, which for halves is coarser than the float we compute in.
Operand rounded_operand(const Call& call, std::size_t i, DType type) {
  if (call.arg(i).is(Value::Tag::kTensor)) return call.tensor(i);
  const Scalar number = call.scalar(i);
  const auto value = static_cast<float>(number.as_double());
  if (type == DType::kFloat16) return Scalar(static_cast<double>(static_cast<float>(Half(value))));
  if (type == DType::kBFloat16) return Scalar(static_cast<double>(static_cast<float>(BFloat16(value))));
  return number;
}

template <class Compare>
Status compare_kernel(const Call& call) {
  const DType type = result_type(call, {0, 1});
  return visit_computed(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, bool>(call.tensor(0), rounded_operand(call, 1, type), call.out(), Compare{});
  });
}

struct Eq {
  template <class T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct Ne {
  template <class T>
  bool operator()(T a, T b) const {
    return a != b;
  }
};
struct Lt {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct Le {
  template <class T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};
struct Gt {
  template <class T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};
struct Ge {
  template <class T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};

constexpr OpDef row(std::string_view schema, std::string_view out_name, KernelFn kernel) {
  return {.schema = schema,
          .out_name = out_name,
          .infer = infer_broadcast_bool,
          .kernel = kernel,
          .flops = flops_per_element,
          .traits = kElementwise | kCastsOutput};
}

constexpr OpDef kRows[] = {
    row("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", "aten::eq.Tensor_out", compare_kernel<Eq>),
    row("aten::eq.Scalar(Tensor self, Scalar other) -> Tensor", "aten::eq.Scalar_out", compare_kernel<Eq>),
    row("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", "aten::ne.Tensor_out", compare_kernel<Ne>),
    row("aten::ne.Scalar(Tensor self, Scalar other) -> Tensor", "aten::ne.Scalar_out", compare_kernel<Ne>),
    row("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", "aten::lt.Tensor_out", compare_kernel<Lt>),
    row("aten::lt.Scalar(Tensor self, Scalar other) -> Tensor", "aten::lt.Scalar_out", compare_kernel<Lt>),
    row("aten::le.Tensor(Tensor self, Tensor other) -> Tensor", "aten::le.Tensor_out", compare_kernel<Le>),
    row("aten::le.Scalar(Tensor self, Scalar other) -> Tensor", "aten::le.Scalar_out", compare_kernel<Le>),
    row("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", "aten::gt.Tensor_out", compare_kernel<Gt>),
    row("aten::gt.Scalar(Tensor self, Scalar other) -> Tensor", "aten::gt.Scalar_out", compare_kernel<Gt>),
    row("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", "aten::ge.Tensor_out", compare_kernel<Ge>),
    row("aten::ge.Scalar(Tensor self, Scalar other) -> Tensor", "aten::ge.Scalar_out", compare_kernel<Ge>),
};

}  // namespace

extern constinit const OpFamily kComparisonOps{kRows};

}  // namespace etalon::ops
