#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

// Small whole numbers, so that sums in any order are exact.
Numbers ramp(std::int64_t count, int period) {
  Numbers values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i % period - period / 2));
  return values;
}

Numbers product(const Numbers& a, const Numbers& b, std::int64_t m, std::int64_t k, std::int64_t n) {
  Numbers c(static_cast<std::size_t>(m * n), 0.0);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t p = 0; p < k; ++p) c[i * n + j] += a[i * k + p] * b[p * n + j];
    }
  }
  return c;
}

// Whole and partial tiles and blocks, few rows, few columns, no depth.
const std::vector<Ints> kSizes{{1, 1, 1}, {4, 8, 8}, {5, 3, 9}, {2, 300, 20}, {70, 300, 2}, {67, 259, 261}, {129, 2, 3}, {2, 0, 3}};

TEST(Mm, agrees_with_the_definition_for_all_sizes_orders_and_dtypes) {
  for (const Ints& size : kSizes) {
    const std::int64_t m = size[0], k = size[1], n = size[2];
    const Numbers a = ramp(m * k, 5), b = ramp(k * n, 7);
    const Numbers expected = product(a, b, m, k, n);
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kInt64}) {
      for (int orders = 0; orders < 8; ++orders) {
        const auto order = [&](int bit) { return (orders >> bit & 1) != 0 ? DimOrder{1, 0} : DimOrder{0, 1}; };
        Tensor left(dtype, {m, k}, order(0)), right(dtype, {k, n}, order(1));
        left.set_values(a);
        right.set_values(b);
        auto out = call_op("aten::mm", {left.value(), right.value()}, {.out_order = order(2)});
        ASSERT_TRUE(out.ok()) << out.error().message();
        EXPECT_EQ(out->tensors[0].values(), expected) << m << " " << k << " " << n << " orders " << orders;
      }
    }
  }
}

TEST(Mm, sums_halves_in_float) {
  Tensor left = tensor(DType::kFloat16, {1, 4096}, Numbers(4096, 1.0));
  Tensor right = tensor(DType::kFloat16, {4096, 1}, Numbers(4096, 1.0));
  EXPECT_THAT(call_op("aten::mm", {left.value(), right.value()})->tensors[0].values(), ElementsAre(4096));
}

TEST(Mm, refuses_shapes_and_dtypes_that_do_not_fit) {
  Tensor a = tensor({2, 3}, ramp(6, 5)), b = tensor({2, 3}, ramp(6, 5));
  auto shapes = call_op("aten::mm", {a.value(), b.value()});
  ASSERT_FALSE(shapes.ok());
  EXPECT_THAT(shapes.error().message(), HasSubstr("[2, 3] and [2, 3] cannot be multiplied"));
  Tensor c = tensor(DType::kFloat64, {3, 2}, ramp(6, 5));
  auto dtypes = call_op("aten::mm", {a.value(), c.value()});
  ASSERT_FALSE(dtypes.ok());
  EXPECT_THAT(dtypes.error().message(), HasSubstr("float32 and float64"));
}

TEST(Bmm, multiplies_batch_by_batch) {
  Tensor a = tensor({2, 1, 2}, {1, 2, 3, 4}), b = tensor({2, 2, 1}, {5, 6, 7, 8});
  EXPECT_THAT(call_op("aten::bmm", {a.value(), b.value()})->tensors[0].values(), ElementsAre(17, 53));
}

TEST(Addmm, scales_both_parts_and_ignores_self_when_beta_is_zero) {
  Tensor self = tensor({2}, {1, 2}), a = tensor({1, 2}, {1, 2}), b = tensor({2, 2}, {1, 2, 3, 4});
  auto out = call_op("aten::addmm", {self.value(), a.value(), b.value(), Value::of_int(2), Value::of_double(0.5)});
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(5.5, 9));
  Tensor nan = tensor({1}, {std::nan("")});
  auto without = call_op("aten::addmm", {nan.value(), a.value(), b.value(), Value::of_int(0), Value::of_int(1)});
  EXPECT_THAT(without->tensors[0].values(), ElementsAre(7, 10));
  Tensor wide = tensor({3}, {1, 2, 3});
  EXPECT_FALSE(call_op("aten::addmm", {wide.value(), a.value(), b.value()}).ok());
}

TEST(Linear, takes_inputs_of_any_rank_and_order) {
  Tensor weight = tensor({2, 3}, {1, 0, 1, 0, 2, 0}), bias = tensor({2}, {10, 20});
  Tensor row = tensor({3}, {1, 2, 3});
  EXPECT_THAT(call_op("aten::linear", {row.value(), weight.value(), bias.value()})->tensors[0].values(),
              ElementsAre(14, 24));
  Tensor batch(DType::kFloat32, {2, 2, 3}, DimOrder{1, 0, 2});
  batch.set_values({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  EXPECT_THAT(call_op("aten::linear", {batch.value(), weight.value()})->tensors[0].values(),
              ElementsAre(4, 4, 10, 10, 16, 16, 22, 22));
  Tensor narrow = tensor({2}, {1, 2});
  EXPECT_FALSE(call_op("aten::linear", {narrow.value(), weight.value()}).ok());
}

}  // namespace
}  // namespace etalon::ops::testing
