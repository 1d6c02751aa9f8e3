#include "ops/matmul.h"

#include <fmt/core.h>

#include <algorithm>

namespace etalon::ops {

namespace {

// Up to this many rows, packing the other matrix costs more than it saves.
constexpr std::int64_t kFewRows = 3;

// Few rows of A against the rows of B^T, both contiguous along k: B is read once, in order.
void add_dots(const MatrixProduct& p, float alpha) {
  const auto* a = static_cast<const float*>(p.a.data);
  const auto* b = static_cast<const float*>(p.b.data);
  auto* c = static_cast<float*>(p.c.data);
  for (std::int64_t n = 0; n < p.size.n; ++n) {
    for (std::int64_t m = 0; m < p.size.m; ++m) {
      c[m * p.c.row_stride + n * p.c.column_stride] +=
          alpha * dot(a + m * p.a.row_stride, b + n * p.b.column_stride, p.size.k);
    }
  }
}

// Few rows of A against a row-major B: each row of C collects multiples of B's rows.
void add_rows(const MatrixProduct& p, float alpha) {
  const auto* a = static_cast<const float*>(p.a.data);
  const auto* b = static_cast<const float*>(p.b.data);
  auto* c = static_cast<float*>(p.c.data);
  constexpr std::int64_t kChunk = 1024;
  for (std::int64_t first = 0; first < p.size.n; first += kChunk) {
    const std::int64_t count = std::min(kChunk, p.size.n - first);
    for (std::int64_t k = 0; k < p.size.k; ++k) {
      const float* row = b + k * p.b.row_stride + first;
      for (std::int64_t m = 0; m < p.size.m; ++m) {
        const float factor = alpha * a[m * p.a.row_stride + k * p.a.column_stride];
        float* to = c + m * p.c.row_stride + first;
        for (std::int64_t n = 0; n < count; ++n) to[n] += factor * row[n];
      }
    }
  }
}

bool add_few_rows(const MatrixProduct& p, float alpha) {
  if (p.size.m > kFewRows) return false;
  const bool a_along_k = p.a.column_stride == 1;
  if (a_along_k && p.b.row_stride == 1) {
    add_dots(p, alpha);
    return true;
  }
  if (p.b.column_stride == 1 && p.c.column_stride == 1) {
    add_rows(p, alpha);
    return true;
  }
  return false;
}

MatrixProduct transposed(const MatrixProduct& p) {
  return {p.dtype, {p.size.n, p.size.m, p.size.k}, p.b.transposed(), p.a.transposed(), p.c.transposed()};
}

template <class T>
void add_packed(const MatrixProduct& p, float alpha, std::span<std::byte> scratch) {
  const StridedMatrix<T> a(static_cast<const T*>(p.a.data), p.a.column_stride, p.a.row_stride);
  const StridedMatrix<T> b(static_cast<const T*>(p.b.data), p.b.row_stride, p.b.column_stride);
  gemm_add(p.size, a, b, alpha, {p.dtype, p.c.data, p.c.row_stride, p.c.column_stride}, scratch);
}

// float64 and integers: plain sums of products.
template <class T, class Sum>
void add_plain(const MatrixProduct& p, Sum alpha) {
  const auto* a = static_cast<const T*>(p.a.data);
  const auto* b = static_cast<const T*>(p.b.data);
  auto* c = static_cast<T*>(p.c.data);
  for (std::int64_t m = 0; m < p.size.m; ++m) {
    for (std::int64_t n = 0; n < p.size.n; ++n) {
      Sum sum{};
      const T* row = a + m * p.a.row_stride;
      const T* column = b + n * p.b.column_stride;
      for (std::int64_t k = 0; k < p.size.k; ++k) {
        sum += static_cast<Sum>(row[k * p.a.column_stride]) * static_cast<Sum>(column[k * p.b.row_stride]);
      }
      T& result = c[m * p.c.row_stride + n * p.c.column_stride];
      result = static_cast<T>(static_cast<Sum>(result) + alpha * sum);
    }
  }
}

bool is_packed_dtype(DType dtype) { return is_floating(dtype) && dtype != DType::kFloat64; }

}  // namespace

std::size_t matmul_scratch(DType dtype) { return is_packed_dtype(dtype) ? kGemmScratchBytes : 0; }

Status multiply_add(const MatrixProduct& product, const Scalar& alpha, std::span<std::byte> scratch) {
  return visit_dtype(product.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, float>) {
      if (add_few_rows(product, alpha.as<float>()) || add_few_rows(transposed(product), alpha.as<float>())) return {};
      add_packed<T>(product, alpha.as<float>(), scratch);
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      add_packed<T>(product, alpha.as<float>(), scratch);
    } else if constexpr (std::is_same_v<T, double>) {
      add_plain<double, double>(product, alpha.as_double());
    } else if constexpr (std::is_same_v<T, bool>) {
      return unsupported("dtype bool, want a number");
    } else {
      add_plain<T, std::uint64_t>(product, static_cast<std::uint64_t>(alpha.as_int()));
    }
    return {};
  });
}

Status check_matmul_dtypes(DType a, DType b) {
  if (a != b) return invalid_input(fmt::format("dtypes {} and {} differ, want the same", name_of(a), name_of(b)));
  if (a == DType::kBool) return unsupported("dtype bool, want a number");
  return {};
}

}  // namespace etalon::ops
