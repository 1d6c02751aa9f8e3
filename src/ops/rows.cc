#include "ops/rows.h"

#include <cmath>

#include "ops/reduction.h"

namespace etalon::ops {

namespace {

template <class T>
Moments moments(const T* row, std::int64_t count, double eps) {
  const auto number = static_cast<double>(count);
  const double mean = internal::fold_dense(row, count, Sum<double>{}) / number;
  const double variance = internal::fold_dense(row, count, SquaredDistance{mean}) / number;
  return {mean, 1.0 / std::sqrt(variance + eps)};
}

}  // namespace

Moments moments_of(const float* row, std::int64_t count, double eps) { return moments(row, count, eps); }
Moments moments_of(const double* row, std::int64_t count, double eps) { return moments(row, count, eps); }

}  // namespace etalon::ops
