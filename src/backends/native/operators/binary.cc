// Operators on the elements of two tensors, broadcast, or of a tensor and a number.
#include "backends/native/operators/layout_facts.h"
#include "ops/strided.h"

namespace etalon::native {
namespace {

using kernels::Binary;
using kernels::Isa;
using ops::Call;
using Nest = ops::LoopNest<3>;  // operands: output, self, other

constexpr std::size_t kAlpha = 2;
// Below this, walking the rows costs more than what is done to them.
constexpr std::int64_t kShortestRow = 4;

bool is_number(const Call& call, std::size_t i) { return !call.arg(i).is(ops::Value::Tag::kTensor); }

// Strides of argument `i` along the output's dims.
Dims strides_over(const Call& call, std::size_t i, const Dims& sizes) {
  if (is_number(call, i)) return Dims(sizes.size(), 0);
  return ops::StridedView(call.tensor(i)).broadcast_to(sizes).strides;
}
Nest nest_of(const Call& call) {
  const TensorView& out = call.out();
  return {out.sizes(), {out.strides(), strides_over(call, 0, out.sizes()), strides_over(call, 1, out.sizes())}};
}

const char* refusal_of_tensors(const Call& call) {
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (!is_number(call, i) && !is_float(call.tensor(i))) return kNotFloat;
  }
  if (!is_float(call.out())) return kNotFloat;
  const Nest nest = nest_of(call);
  if (nest.empty) return nullptr;
  const auto walks = [&](std::size_t k) { return nest.step(k) == 1 || nest.step(k) == 0 || nest.run() == 1; };
  if (!walks(1) || !walks(2) || (nest.step(0) != 1 && nest.run() != 1)) return kOtherLayout;
  if (nest.step(1) == 0 && nest.step(2) == 0) return "wants an operand that is not constant along the rows";
  return nest.rank > 1 && nest.run() < kShortestRow ? "wants longer rows" : nullptr;
}

// With alpha == 1, or folded into the number: `other` is multiplied, or `self` where kSwapped.
template <Binary kKernel, bool kHasAlpha, bool kSwapped>
struct BinaryOperator : NoScratch {
  static const char* refusal(const Call& call) {
    if (kHasAlpha && call.has(kAlpha) && call.number(kAlpha) != 1.0 && (kSwapped || !is_number(call, 1))) {
      return "wants alpha of 1";
    }
    return refusal_of_tensors(call);
  }
  static Status run(const Call& call, Isa cap) {
    const kernels::VectorKernels& k = kernels::vector_kernels(cap);
    const auto index = static_cast<std::size_t>(kKernel);
    const Nest nest = nest_of(call);
    float number = 0;
    const float* a = data_of(call, kSwapped ? 1 : 0, number);
    const float* b = data_of(call, kSwapped ? 0 : 1, number);
    constexpr std::size_t kA = kSwapped ? 2 : 1;
    constexpr std::size_t kB = kSwapped ? 1 : 2;
    const bool whole = nest.empty || nest.run() == 1;  // one element: no operand repeats
    const kernels::BinaryFn kernel = whole || nest.step(1) == nest.step(2) ? k.binary[index]
                                     : nest.step(kB) == 0                 ? k.binary_scalar[index]
                                                                          : k.binary_by_scalar[index];
    float* out = call.out().data_as<float>();
    ops::for_each_run(nest, [&](const auto& at) {
      kernel(a + at[kA], b + at[kB], out + at[0], static_cast<std::size_t>(nest.run()), -__builtin_inff(),
             __builtin_inff());
    });
    return {};
  }
  static KernelLabel label(const Call& call, Isa cap) {
    return vector_label(std::string(kernels::name_of(kKernel)) + (is_number(call, 1) ? "c" : ""), cap);
  }

 private:
  static const float* data_of(const Call& call, std::size_t i, float& number) {
    if (!is_number(call, i)) return call.tensor(i).data_as<const float>();
    number = call.scalar(i).as<float>();
    if (kHasAlpha && call.has(kAlpha)) number *= call.scalar(kAlpha).as<float>();
    return &number;
  }
};

#define BINARY(Type, kernel, has_alpha, swapped, name)           \
  struct Type : BinaryOperator<kernel, has_alpha, swapped> {     \
    static constexpr std::string_view kOutName = "aten::" name;  \
  };
BINARY(Add, Binary::kAdd, true, false, "add.out")
BINARY(AddScalar, Binary::kAdd, true, false, "add.Scalar_out")
BINARY(Sub, Binary::kSubtract, true, false, "sub.out")
BINARY(SubScalar, Binary::kSubtract, true, false, "sub.Scalar_out")
BINARY(RsubScalar, Binary::kSubtract, true, true, "rsub.Scalar_out")
BINARY(Mul, Binary::kMultiply, false, false, "mul.out")
BINARY(MulScalar, Binary::kMultiply, false, false, "mul.Scalar_out")
BINARY(Div, Binary::kDivide, false, false, "div.out")
BINARY(DivScalar, Binary::kDivide, false, false, "div.Scalar_out")
BINARY(Maximum, Binary::kMaximum, false, false, "maximum.out")
BINARY(Minimum, Binary::kMinimum, false, false, "minimum.out")
#undef BINARY

constexpr NativeOperator kRows[] = {
    native_operator<Add>(),       native_operator<AddScalar>(), native_operator<Sub>(),
    native_operator<SubScalar>(), native_operator<RsubScalar>(), native_operator<Mul>(),
    native_operator<MulScalar>(), native_operator<Div>(),       native_operator<DivScalar>(),
    native_operator<Maximum>(),   native_operator<Minimum>(),
};

}  // namespace

extern constinit const NativeFamily kBinaryOperators{kRows};

}  // namespace etalon::native
