// Products of matrices: the right one is packed at each call, unless the left one has too few rows for that to pay.
#include "backends/native/operators/layout_facts.h"
#include "kernels/batch_matmul/batch_matmul.h"

namespace etalon::native {
namespace {

using kernels::BatchMatmulKernel;
using kernels::Isa;
using kernels::MatmulShape;
using ops::Call;

// Rows that are multiplied before the bias is added to them, while they are still in the cache.
constexpr std::int64_t kRowsAtOnce = 48;

constexpr std::int64_t kFewRows = 2;

struct Product {
  MatmulShape shape;
  std::int64_t batch = 1;
  const float* a = nullptr;
  const float* b = nullptr;
  const float* bias = nullptr;  // of n elements, or null
  float* c = nullptr;
};

const char* refusal_of_matrices(const TensorView& a, const TensorView& b, const TensorView& out) {
  if (!is_float(a) || !is_float(b) || !is_float(out)) return kNotFloat;
  if (!a.is_contiguous() || !b.is_contiguous() || !out.is_contiguous()) return kNotDense;
  return a.numel() == 0 || b.numel() == 0 ? "wants elements" : nullptr;
}
const char* refusal_of_bias(const TensorView& bias, std::int64_t n) {
  if (!is_dense_float(bias)) return kNotDense;
  const bool is_row = bias.numel() == n && bias.rank() > 0 && bias.sizes().back() == n;
  return is_row ? nullptr : "wants a bias of one row";
}

MatmulShape shape_of(std::int64_t m, std::int64_t n, std::int64_t k, bool b_is_transposed) {
  return {m, n, k, k, b_is_transposed ? k : n, n, b_is_transposed, 1.0f};
}
Product product_of(const TensorView& a, const TensorView& b, const TensorView& out, bool b_is_transposed) {
  Product p;
  const std::int64_t k = a.sizes().back();
  const std::int64_t n = b.size(b_is_transposed ? 0 : b.rank() - 1);
  p.batch = b.rank() == 3 ? b.size(0) : 1;
  p.shape = shape_of(a.numel() / k / p.batch, n, k, b_is_transposed);
  p.a = a.data_as<const float>();
  p.b = b.data_as<const float>();
  p.c = out.data_as<float>();
  return p;
}

// One row of A at a time times B as it lies in memory.
void multiply_few_rows(const Product& p, Isa cap) {
  const kernels::VectorKernels& vector = kernels::vector_kernels(cap);
  const auto [n, k] = std::array{static_cast<std::size_t>(p.shape.n), static_cast<std::size_t>(p.shape.k)};
  const auto batch = static_cast<std::size_t>(p.batch), m = static_cast<std::size_t>(p.shape.m);
  const auto scale = vector.binary_scalar[static_cast<std::size_t>(kernels::Binary::kMultiply)];
  for (std::size_t row = 0; row < batch * m; ++row) {
    const float* a = p.a + row * k;
    const float* b = p.b + row / m * k * n;
    float* c = p.c + row * n;
    if (p.shape.b_is_transposed) {
      for (std::size_t i = 0; i < n; ++i) c[i] = vector.dot_row(a, b + i * k, k);
    } else {
      vector.weighted_sum_columns(a, b, k, n, n, c);
    }
    if (p.shape.scale != 1.0f) scale(c, &p.shape.scale, c, n, -__builtin_inff(), __builtin_inff());
    if (p.bias != nullptr) vector.add_columns(c, p.bias, c, 1, n, -__builtin_inff(), __builtin_inff());
  }
}

void multiply(const Product& p, Isa cap, std::byte* scratch) {
  if (p.shape.m <= kFewRows) return multiply_few_rows(p, cap);
  const BatchMatmulKernel& kernel = kernels::batch_matmul_kernel(cap);
  const auto add_columns = kernels::vector_kernels(cap).add_columns;
  const auto [m, n, k] = std::array{p.shape.m, p.shape.n, p.shape.k};
  for (std::int64_t i = 0; i < p.batch; ++i) {
    float* c = p.c + i * m * n;
    const std::int64_t step = p.bias == nullptr ? m : kRowsAtOnce;
    for (std::int64_t row = 0; row < m; row += step) {
      const std::int64_t end = std::min(m, row + step);
      kernel.run(p.shape, p.a + i * m * k, p.b + i * k * n, c, row, end, row > 0, scratch);
      if (p.bias == nullptr) continue;
      float* block = c + row * n;
      add_columns(block, p.bias, block, static_cast<std::size_t>(end - row), static_cast<std::size_t>(n),
                  -__builtin_inff(), __builtin_inff());
    }
  }
}

// `Arguments` finds the matrices in the argument list.
template <class Arguments>
struct MatmulOperator {
  static constexpr bool kWantsSimd = true;
  static constexpr std::string_view kOutName = Arguments::kOutName;
  static const char* refusal(const Call& call) { return Arguments::refusal(call); }
  static std::size_t scratch(const Call& call, Isa cap) {
    const MatmulShape shape = Arguments::of(call).shape;
    return shape.m <= kFewRows ? 0 : kernels::batch_matmul_kernel(cap).scratch_bytes(shape);
  }
  static Status run(const Call& call, Isa cap) {
    multiply(Arguments::of(call), cap, call.scratch().data());
    return {};
  }
  static KernelLabel label(const Call& call, Isa cap) {
    if (Arguments::of(call).shape.m <= kFewRows) return vector_label("gemv", cap);
    const BatchMatmulKernel& kernel = kernels::batch_matmul_kernel(cap);
    return {std::string(kernel.name), kernel.isa};
  }
};

struct Mm {
  static constexpr std::string_view kOutName = "aten::mm.out";
  static const char* refusal(const Call& call) {
    return refusal_of_matrices(call.tensor(0), call.tensor(1), call.out());
  }
  static Product of(const Call& call) { return product_of(call.tensor(0), call.tensor(1), call.out(), false); }
};
struct Bmm : Mm {
  static constexpr std::string_view kOutName = "aten::bmm.out";
};

struct Addmm {
  static constexpr std::string_view kOutName = "aten::addmm.out";
  static const char* refusal(const Call& call) {
    if (const char* refused = refusal_of_matrices(call.tensor(1), call.tensor(2), call.out())) return refused;
    if (call.has(3) && call.number(3) != 1.0) return "wants beta of 1";
    return refusal_of_bias(call.tensor(0), call.out().sizes().back());
  }
  static Product of(const Call& call) {
    Product p = product_of(call.tensor(1), call.tensor(2), call.out(), false);
    p.bias = call.tensor(0).data_as<const float>();
    if (call.has(4)) p.shape.scale = static_cast<float>(call.number(4));
    return p;
  }
};

struct Linear {
  static constexpr std::string_view kOutName = "aten::linear.out";
  static const char* refusal(const Call& call) {
    if (const char* refused = refusal_of_matrices(call.tensor(0), call.tensor(1), call.out())) return refused;
    if (call.tensor(1).rank() != 2) return "wants a matrix of weights";
    const TensorView* bias = call.optional_tensor(2);
    return bias == nullptr ? nullptr : refusal_of_bias(*bias, call.tensor(1).size(0));
  }
  static Product of(const Call& call) {
    Product p = product_of(call.tensor(0), call.tensor(1), call.out(), true);
    if (const TensorView* bias = call.optional_tensor(2)) p.bias = bias->data_as<const float>();
    return p;
  }
};

constexpr NativeOperator kRows[] = {
    native_operator<MatmulOperator<Mm>>(),
    native_operator<MatmulOperator<Bmm>>(),
    native_operator<MatmulOperator<Addmm>>(),
    native_operator<MatmulOperator<Linear>>(),
};

}  // namespace

extern constinit const NativeFamily kMatmulOperators{kRows};

}  // namespace etalon::native
