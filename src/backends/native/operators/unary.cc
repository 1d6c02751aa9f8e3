// Operators on each element of one tensor.
#include "backends/native/operators/layout_facts.h"

namespace etalon::native {
namespace {

using kernels::Isa;
using kernels::Unary;
using kernels::UnaryParams;
using ops::Call;

const char* refusal_of_tensors(const Call& call) {
  const TensorView& x = call.tensor(0);
  const TensorView& out = call.out();
  if (!is_float(x) || !is_float(out)) return kNotFloat;
  return same_layout(x, out) ? nullptr : kOtherLayout;
}

// `Parameters` gives what the arguments say, and refuses what the kernel cannot.
template <Unary kKernel, class Parameters>
struct UnaryOperator : NoScratch {
  static constexpr std::string_view kOutName = Parameters::kOutName;
  static const char* refusal(const Call& call) {
    const char* refused = refusal_of_tensors(call);
    return refused != nullptr ? refused : Parameters::refusal(call);
  }
  static Status run(const Call& call, Isa cap) {
    const auto kernel = kernels::vector_kernels(cap).unary[static_cast<std::size_t>(kKernel)];
    kernel(call.tensor(0).data_as<const float>(), call.out().data_as<float>(), count_of(call.out()),
           Parameters::of(call));
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label(kernels::name_of(kKernel), cap); }
};

struct NoParameters {
  static const char* refusal(const Call&) { return nullptr; }
  static UnaryParams of(const Call&) { return {}; }
};
#define PLAIN(Type, name)                                    \
  struct Type : NoParameters {                               \
    static constexpr std::string_view kOutName = "aten::" name; \
  };
PLAIN(Abs, "abs.out")
PLAIN(Ceil, "ceil.out")
PLAIN(Cos, "cos.out")
PLAIN(Exp, "exp.out")
PLAIN(Floor, "floor.out")
PLAIN(Log, "log.out")
PLAIN(Neg, "neg.out")
PLAIN(Round, "round.out")
PLAIN(Rsqrt, "rsqrt.out")
PLAIN(Sigmoid, "sigmoid.out")
PLAIN(Sin, "sin.out")
PLAIN(Sqrt, "sqrt.out")
PLAIN(Tanh, "tanh.out")
#undef PLAIN

struct Relu : NoParameters {
  static constexpr std::string_view kOutName = "aten::relu.out";
  static UnaryParams of(const Call&) { return {.min = 0.0f}; }
};
struct Hardtanh : NoParameters {
  static constexpr std::string_view kOutName = "aten::hardtanh.out";
  static UnaryParams of(const Call& call) {
    return {.min = static_cast<float>(call.number(1)), .max = static_cast<float>(call.number(2))};
  }
};
struct Clamp : NoParameters {
  static constexpr std::string_view kOutName = "aten::clamp.out";
  static const char* refusal(const Call& call) {
    // A bound that is NaN makes every element NaN.
    const auto is_nan = [&](std::size_t i) { return call.has(i) && call.number(i) != call.number(i); };
    return is_nan(1) || is_nan(2) ? "wants bounds that are numbers" : nullptr;
  }
  static UnaryParams of(const Call& call) {
    UnaryParams params;
    if (call.has(1)) params.min = static_cast<float>(call.number(1));
    if (call.has(2)) params.max = static_cast<float>(call.number(2));
    return params;
  }
};
struct LeakyRelu : NoParameters {
  static constexpr std::string_view kOutName = "aten::leaky_relu.out";
  static UnaryParams of(const Call& call) { return {.alpha = static_cast<float>(call.number(1))}; }
};
struct Elu : NoParameters {
  static constexpr std::string_view kOutName = "aten::elu.out";
  static const char* refusal(const Call& call) {
    return call.number(2) == 1.0 && call.number(3) == 1.0 ? nullptr : "wants scale and input_scale of 1";
  }
  static UnaryParams of(const Call& call) { return {.alpha = static_cast<float>(call.number(1))}; }
};

// The argument says which of two forms.
struct Gelu : NoScratch {
  static constexpr std::string_view kOutName = "aten::gelu.out";
  static const char* refusal(const Call& call) { return refusal_of_tensors(call); }
  static Status run(const Call& call, Isa cap) {
    const auto kernel = kernels::vector_kernels(cap).unary[static_cast<std::size_t>(form_of(call))];
    kernel(call.tensor(0).data_as<const float>(), call.out().data_as<float>(), count_of(call.out()), {});
    return {};
  }
  static KernelLabel label(const Call& call, Isa cap) { return vector_label(kernels::name_of(form_of(call)), cap); }

 private:
  static Unary form_of(const Call& call) { return call.text(1) == "tanh" ? Unary::kApproximateGelu : Unary::kGelu; }
};

struct Square : NoParameters {
  static constexpr std::string_view kOutName = "aten::pow.Tensor_Scalar_out";
  static const char* refusal(const Call& call) { return call.number(1) == 2.0 ? nullptr : "wants an exponent of 2"; }
};

constexpr NativeOperator kRows[] = {
    native_operator<UnaryOperator<Unary::kAbs, Abs>>(),
    native_operator<UnaryOperator<Unary::kCeiling, Ceil>>(),
    native_operator<UnaryOperator<Unary::kClamp, Clamp>>(),
    native_operator<UnaryOperator<Unary::kClamp, Hardtanh>>(),
    native_operator<UnaryOperator<Unary::kClamp, Relu>>(),
    native_operator<UnaryOperator<Unary::kCos, Cos>>(),
    native_operator<UnaryOperator<Unary::kElu, Elu>>(),
    native_operator<UnaryOperator<Unary::kExp, Exp>>(),
    native_operator<UnaryOperator<Unary::kFloor, Floor>>(),
    native_operator<Gelu>(),
    native_operator<UnaryOperator<Unary::kLeakyRelu, LeakyRelu>>(),
    native_operator<UnaryOperator<Unary::kLog, Log>>(),
    native_operator<UnaryOperator<Unary::kNegate, Neg>>(),
    native_operator<UnaryOperator<Unary::kReciprocalSqrt, Rsqrt>>(),
    native_operator<UnaryOperator<Unary::kRound, Round>>(),
    native_operator<UnaryOperator<Unary::kSigmoid, Sigmoid>>(),
    native_operator<UnaryOperator<Unary::kSin, Sin>>(),
    native_operator<UnaryOperator<Unary::kSqrt, Sqrt>>(),
    native_operator<UnaryOperator<Unary::kSquare, Square>>(),
    native_operator<UnaryOperator<Unary::kTanh, Tanh>>(),
};

}  // namespace

extern constinit const NativeFamily kUnaryOperators{kRows};

}  // namespace etalon::native
