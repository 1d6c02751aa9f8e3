#include "ops/elementwise.h"

#include <gtest/gtest.h>

#include "ops/op_testing.h"
#include "ops/promotion.h"
#include "ops/strided.h"

namespace etalon::ops {
namespace {

using testing::Tensor;
using testing::tensor;

constexpr auto kAdd = [](auto a, auto b) { return static_cast<decltype(a)>(a + b); };

std::vector<double> iota(std::int64_t count) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(static_cast<double>(i));
  return out;
}

// The straightforward answer: indices decoded one by one.
std::vector<double> broadcast_sum(const Tensor& a, const Tensor& b, const Dims& sizes) {
  Tensor wide_a(DType::kFloat64, sizes);
  Tensor wide_b(DType::kFloat64, sizes);
  copy_cast(a.view(), wide_a.view());
  copy_cast(b.view(), wide_b.view());
  const auto x = wide_a.values();
  const auto y = wide_b.values();
  std::vector<double> sum;
  for (std::size_t i = 0; i < x.size(); ++i) sum.push_back(x[i] + y[i]);
  return sum;
}

TEST(Elementwise, broadcasts_over_every_pair_of_shapes_and_orders) {
  const std::vector<std::pair<Dims, Dims>> shapes = {{{2, 3, 4, 5}, {2, 3, 4, 5}},
                                                     {{2, 3, 4, 5}, {5}},
                                                     {{2, 3, 4, 5}, {3, 1, 1}},
                                                     {{2, 1, 4, 1}, {1, 3, 1, 5}},
                                                     {{2, 3, 4, 5}, {}},
                                                     {{1, 1, 1, 1}, {2, 3, 1, 1}},
                                                     {{3, 700}, {700}},
                                                     {{3, 700}, {3, 1}},
                                                     {{700, 3}, {3}},
                                                     {{2, 300, 5, 3}, {300, 1, 1}},
                                                     {{0, 3}, {3}}};
  for (const auto& [sa, sb] : shapes) {
    const Dims sizes = *broadcast(sa, sb);
    for (const bool last : {false, true}) {
      const DimOrder order =
          last && sizes.size() == 4 ? DimOrder{0, 2, 3, 1} : contiguous_order(sizes.size());
      for (const DType other : {DType::kFloat32, DType::kInt32, DType::kBFloat16}) {
        const Tensor a = tensor(sa, iota(numel(sa)));
        Tensor b(other, sb, last && sb.size() == 4 ? DimOrder{3, 2, 1, 0} : contiguous_order(sb.size()));
        b.set_values(iota(numel(sb)));
        Tensor out(DType::kFloat32, sizes, order);
        ASSERT_TRUE((map<float, float>(a.view(), b.view(), out.view(), kAdd)).ok());
        EXPECT_EQ(out.values(), broadcast_sum(a, b, sizes)) << to_string(sa) << " + " << to_string(sb);
      }
    }
  }
}

TEST(Elementwise, takes_numbers_and_converts_the_output) {
  const Tensor a = tensor(DType::kUInt8, {600}, std::vector<double>(600, 200));
  Tensor out(DType::kUInt8, {600});
  ASSERT_TRUE((map<std::int64_t, std::int64_t>(a.view(), Scalar(std::int64_t{100}), out.view(), kAdd)).ok());
  EXPECT_EQ(out.values(), std::vector<double>(600, 44));  // wraps
  Tensor wide(DType::kFloat64, {600});
  ASSERT_TRUE((map<std::int64_t, std::int64_t>(a.view(), Scalar(std::int64_t{100}), wide.view(), kAdd)).ok());
  EXPECT_EQ(wide.values(), std::vector<double>(600, 300));
}

TEST(Elementwise, may_write_over_an_input) {
  Tensor a = tensor({2000}, iota(2000));
  ASSERT_TRUE((map<float, float>(a.view(), Scalar(1.0), a.view(), kAdd)).ok());
  EXPECT_EQ(a.values()[1999], 2000);
  Tensor half = tensor(DType::kFloat16, {2000}, iota(2000));
  ASSERT_TRUE((map<float, float>(half.view(), half.view(), half.view(), kAdd)).ok());
  EXPECT_EQ(half.values()[1001], 2002);
}

TEST(ResultType, follows_the_priorities_of_torch) {
  const Tensor i32 = tensor(DType::kInt32, {1}, {1});
  const Tensor i64_0d = tensor(DType::kInt64, {}, {1});
  const Tensor f64_0d = tensor(DType::kFloat64, {}, {1});
  const Tensor f16 = tensor(DType::kFloat16, {1}, {1});
  const Tensor truth = tensor(DType::kBool, {1}, {1});
  const auto of = [](auto&&... x) {
    ResultType type;
    (type.add(x), ...);
    return type.dtype();
  };
  EXPECT_EQ(of(i32.view(), i64_0d.view()), DType::kInt32);
  EXPECT_EQ(of(i32.view(), f64_0d.view()), DType::kFloat64);
  EXPECT_EQ(of(f16.view(), f64_0d.view()), DType::kFloat16);
  EXPECT_EQ(of(i32.view(), f16.view()), DType::kFloat16);
  EXPECT_EQ(of(i32.view(), Scalar(2.0)), DType::kFloat32);
  EXPECT_EQ(of(f16.view(), Scalar(2.0)), DType::kFloat16);
  EXPECT_EQ(of(truth.view(), Scalar(std::int64_t{2})), DType::kInt64);
  EXPECT_EQ(of(truth.view(), Scalar(true)), DType::kBool);
  EXPECT_EQ(of(f64_0d.view(), Scalar(2.0)), DType::kFloat64);
}

}  // namespace
}  // namespace etalon::ops
