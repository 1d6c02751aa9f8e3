// mm, bmm, addmm: products of two matrices.
#include <fmt/core.h>

#include <cstring>

#include "ops/element.h"
#include "ops/matmul.h"
#include "ops/op.h"
#include "ops/strided.h"

namespace etalon::ops {

namespace {

Status check_pair(const TensorView& a, const TensorView& b, std::size_t rank) {
  if (a.rank() != rank || b.rank() != rank) {
    return invalid_input(fmt::format("matrices {} and {} have rank {} and {}, want {}", to_string(a.sizes()),
                                     to_string(b.sizes()), a.rank(), b.rank(), rank));
  }
  ETALON_CHECKED(check_matmul_dtypes(a.dtype(), b.dtype()));
  const bool batches_fit = rank == 2 || a.size(0) == b.size(0);
  if (!batches_fit || a.size(rank - 1) != b.size(rank - 2)) {
    return invalid_input(
        fmt::format("sizes {} and {} cannot be multiplied", to_string(a.sizes()), to_string(b.sizes())));
  }
  return {};
}

Matrix matrix_of(const TensorView& view, std::int64_t batch) {
  const std::size_t last = view.rank() - 1;
  const std::int64_t offset = view.rank() == 3 ? batch * view.stride(0) : 0;
  auto* data = static_cast<std::byte*>(view.data()) + offset * static_cast<std::int64_t>(size_of(view.dtype()));
  return {data, view.stride(last - 1), view.stride(last)};
}

GemmSize size_of_product(const TensorView& a, const TensorView& b) {
  const std::size_t last = a.rank() - 1;
  return {a.size(last - 1), b.size(last), a.size(last)};
}

Status add_products(const TensorView& a, const TensorView& b, const TensorView& out, const Scalar& alpha,
                    std::span<std::byte> scratch) {
  const std::int64_t batches = a.rank() == 3 ? a.size(0) : 1;
  for (std::int64_t i = 0; i < batches; ++i) {
    ETALON_CHECKED(multiply_add(
        {a.dtype(), size_of_product(a, b), matrix_of(a, i), matrix_of(b, i), matrix_of(out, i)}, alpha, scratch));
  }
  return {};
}

void set_zero(const TensorView& view) { std::memset(view.data(), 0, view.nbytes()); }

template <std::size_t kRank>
Status infer_product(const Call& call, OutShapes& outs) {
  const TensorView& a = call.tensor(0);
  const TensorView& b = call.tensor(1);
  ETALON_CHECKED(check_pair(a, b, kRank));
  Dims sizes = a.sizes();
  sizes[kRank - 1] = b.size(kRank - 1);
  return outs.set(0, a.dtype(), sizes);
}

Status kernel_product(const Call& call) {
  if (call.out().numel() > 0) set_zero(call.out());
  return add_products(call.tensor(0), call.tensor(1), call.out(), Scalar(std::int64_t{1}), call.scratch());
}

std::int64_t flops_product(const Call& call) {
  const TensorView& a = call.tensor(0);
  return 2 * a.numel() * call.tensor(1).size(call.tensor(1).rank() - 1);
}

std::size_t scratch(const Call& call) { return matmul_scratch(call.tensor(0).dtype()); }

// addmm: beta * self + alpha * mat1 * mat2.
constexpr std::size_t kBeta = 3;
constexpr std::size_t kAlpha = 4;

Scalar number_or_one(const Call& call, std::size_t i) {
  return call.has(i) ? call.scalar(i) : Scalar(std::int64_t{1});
}

Status infer_addmm(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  const TensorView& a = call.tensor(1);
  const TensorView& b = call.tensor(2);
  ETALON_CHECKED(check_pair(a, b, 2));
  ETALON_CHECKED(check_matmul_dtypes(self.dtype(), a.dtype()));
  const Dims sizes{a.size(0), b.size(1)};
  const auto common = broadcast(self.sizes(), sizes);
  if (!common || *common != sizes) {
    return invalid_input(
        fmt::format("self {} does not broadcast to the product's {}", to_string(self.sizes()), to_string(sizes)));
  }
  for (const std::size_t i : {kBeta, kAlpha}) {
    if (!is_floating(a.dtype()) && number_or_one(call, i).category() == DTypeCategory::kFloating) {
      return invalid_input("alpha and beta must be integers for integer matrices");
    }
  }
  return outs.set(0, a.dtype(), sizes);
}

// The elements fill the memory, so their order does not matter.
Status scale(const TensorView& view, const Scalar& factor) {
  return visit_dtype(view.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    T* elements = view.data_as<T>();
    for (std::int64_t i = 0; i < view.numel(); ++i) {
      if constexpr (kIsFloating<T>) {
        using Math = MathTypeOf<T>;
        elements[i] = T(static_cast<Math>(elements[i]) * static_cast<Math>(factor.as_double()));
      } else {
        const std::uint64_t product = static_cast<std::uint64_t>(elements[i]) * static_cast<std::uint64_t>(factor.as_int());
        elements[i] = static_cast<T>(product);
      }
    }
    return {};
  });
}

Status kernel_addmm(const Call& call) {
  const TensorView& out = call.out();
  const Scalar beta = number_or_one(call, kBeta);
  if (!beta.as_bool()) {
    // Not a multiplication by zero: what is NaN in self must not show.
    if (out.numel() > 0) set_zero(out);
  } else {
    copy_cast(call.tensor(0), out);
    if (beta.as_double() != 1.0) ETALON_CHECKED(scale(out, beta));
  }
  return add_products(call.tensor(1), call.tensor(2), out, number_or_one(call, kAlpha), call.scratch());
}

std::int64_t flops_addmm(const Call& call) {
  return (2 * call.tensor(1).size(1) + 2) * call.tensor(1).size(0) * call.tensor(2).size(1);
}

// Sums of k products round differently in every implementation.
constexpr Tolerance kTolerance{1e-4, 1e-4};

constexpr OpDef kRows[] = {
    {.schema = "aten::mm(Tensor self, Tensor mat2) -> Tensor",
     .out_name = "aten::mm.out",
     .infer = infer_product<2>,
     .kernel = kernel_product,
     .flops = flops_product,
     .scratch = scratch,
     .tolerance = kTolerance},
    {.schema = "aten::bmm(Tensor self, Tensor mat2) -> Tensor",
     .out_name = "aten::bmm.out",
     .infer = infer_product<3>,
     .kernel = kernel_product,
     .flops = flops_product,
     .scratch = scratch,
     .tolerance = kTolerance},
    {.schema = "aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     .out_name = "aten::addmm.out",
     .infer = infer_addmm,
     .kernel = kernel_addmm,
     .flops = flops_addmm,
     .scratch = scratch,
     .tolerance = kTolerance},
};

}  // namespace

extern constinit const OpFamily kMmOps{kRows};

}  // namespace etalon::ops
