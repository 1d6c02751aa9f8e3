// Softmax and layer normalisation: one row at a time.
#include "backends/native/operators/layout_facts.h"
#include "ops/infer.h"

namespace etalon::native {
namespace {

using kernels::Binary;
using kernels::Isa;
using kernels::Unary;
using ops::Call;

// The dim that softmax runs along is the innermost one, up to dims of size 1.
const char* refusal_of_softmax(const Call& call) {
  const TensorView& x = call.tensor(0);
  if (!is_float(x) || !is_float(call.out())) return kNotFloat;
  if (!x.is_contiguous() || !call.out().is_contiguous()) return kNotDense;
  const auto dim = wrap_dim(call.integer(1), x.rank());
  if (!dim || x.rank() == 0) return "wants a tensor with dims";
  for (std::size_t d = *dim + 1; d < x.rank(); ++d) {
    if (x.size(d) != 1) return "wants the softmax along the last dim";
  }
  return x.numel() == 0 ? "wants elements" : nullptr;
}
std::size_t softmax_length(const Call& call) {
  return static_cast<std::size_t>(call.tensor(0).size(*wrap_dim(call.integer(1), call.tensor(0).rank())));
}

struct Softmax : NoScratch {
  static constexpr std::string_view kOutName = "aten::_softmax.out";
  static const char* refusal(const Call& call) { return refusal_of_softmax(call); }
  static Status run(const Call& call, Isa cap) {
    const auto softmax_row = kernels::vector_kernels(cap).softmax_row;
    const std::size_t n = softmax_length(call);
    const float* x = call.tensor(0).data_as<const float>();
    float* out = call.out().data_as<float>();
    for (std::size_t i = 0; i < count_of(call.tensor(0)); i += n) softmax_row(x + i, out + i, n, 1.0f);
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("rsoftmax", cap); }
};

// x - largest - log(sum of exp(x - largest)).
struct LogSoftmax {
  static constexpr std::string_view kOutName = "aten::_log_softmax.out";
  static const char* refusal(const Call& call) { return refusal_of_softmax(call); }
  static std::size_t scratch(const Call& call, Isa) { return softmax_length(call) * sizeof(float); }
  static Status run(const Call& call, Isa cap) {
    const kernels::VectorKernels& k = kernels::vector_kernels(cap);
    const auto subtract = k.binary_scalar[static_cast<std::size_t>(Binary::kSubtract)];
    const auto exponential = k.unary[static_cast<std::size_t>(Unary::kExp)];
    const std::size_t n = softmax_length(call);
    auto* powers = reinterpret_cast<float*>(call.scratch().data());
    for (std::size_t i = 0; i < count_of(call.tensor(0)); i += n) {
      const float* x = call.tensor(0).data_as<const float>() + i;
      float* out = call.out().data_as<float>() + i;
      const float largest = k.max_row(x, n);
      subtract(x, &largest, out, n, -__builtin_inff(), __builtin_inff());
      exponential(out, powers, n, {});
      const float total = __builtin_logf(k.sum_row(powers, n));
      subtract(out, &total, out, n, -__builtin_inff(), __builtin_inff());
    }
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("rlogsoftmax", cap); }
};

struct LayerNorm : NoScratch {
  static constexpr std::string_view kOutName = "aten::native_layer_norm.out";
  static const char* refusal(const Call& call) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
      const TensorView* t = call.optional_tensor(i);
      if (t != nullptr && !is_float(*t)) return kNotFloat;
      if (t != nullptr && !t->is_contiguous()) return kNotDense;
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (!is_dense_float(call.out(i))) return kNotDense;
    }
    return call.tensor(0).numel() == 0 ? "wants elements" : nullptr;
  }
  static Status run(const Call& call, Isa cap) {
    const auto layer_norm_row = kernels::vector_kernels(cap).layer_norm_row;
    const TensorView* weight = call.optional_tensor(2);
    const TensorView* bias = call.optional_tensor(3);
    const float* x = call.tensor(0).data_as<const float>();
    const std::size_t rows = count_of(call.out(1));
    const std::size_t n = count_of(call.tensor(0)) / rows;
    for (std::size_t i = 0; i < rows; ++i) {
      layer_norm_row(x + i * n, weight == nullptr ? nullptr : weight->data_as<const float>(),
                     bias == nullptr ? nullptr : bias->data_as<const float>(), call.out(0).data_as<float>() + i * n, n,
                     static_cast<float>(call.number(4)), call.out(1).data_as<float>() + i,
                     call.out(2).data_as<float>() + i);
    }
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("rlayernorm", cap); }
};

constexpr NativeOperator kRows[] = {native_operator<Softmax>(), native_operator<LogSoftmax>(),
                                    native_operator<LayerNorm>()};

}  // namespace

extern constinit const NativeFamily kRowOperators{kRows};

}  // namespace etalon::native
