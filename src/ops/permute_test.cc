#include <gtest/gtest.h>

#include <numeric>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::CallOptions;
using testing::Tensor;
using testing::tensor;

TEST(Permute, agrees_with_decoded_indices_for_every_order_and_size) {
  const Dims sizes = {3, 17, 2, 20};
  std::vector<double> values(3 * 17 * 2 * 20);
  std::iota(values.begin(), values.end(), 0.0);
  for (const DType dtype : {DType::kInt16, DType::kFloat32, DType::kFloat64}) {
    std::vector<std::int64_t> dims = {0, 1, 2, 3};
    do {
      Tensor x(dtype, sizes, {0, 2, 3, 1});
      x.set_values(values);
      auto result = call_op("aten::permute_copy", {x.value(), Value::of_ints(dims)});
      ASSERT_TRUE(result.ok()) << result.error().message();
      const Tensor& y = result->tensors[0];
      const auto found = y.values();
      std::size_t i = 0;
      std::array<std::int64_t, 4> at{};
      std::array<std::int64_t, 4> from{};
      for (at[0] = 0; at[0] < y.sizes()[0]; ++at[0]) {
        for (at[1] = 0; at[1] < y.sizes()[1]; ++at[1]) {
          for (at[2] = 0; at[2] < y.sizes()[2]; ++at[2]) {
            for (at[3] = 0; at[3] < y.sizes()[3]; ++at[3], ++i) {
              for (std::size_t d = 0; d < 4; ++d) from[static_cast<std::size_t>(dims[d])] = at[d];
              ASSERT_EQ(found[i], ((from[0] * 17 + from[1]) * 2 + from[2]) * 20 + from[3]);
            }
          }
        }
      }
    } while (std::next_permutation(dims.begin(), dims.end()));
  }
}

TEST(Permute, refuses_lists_that_are_no_permutation) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  for (const std::vector<std::int64_t>& dims : std::vector<std::vector<std::int64_t>>{{0}, {0, 0}, {0, -2}, {0, 2}, {0, 1, 2}}) {
    EXPECT_FALSE(call_op("aten::permute_copy", {x.value(), Value::of_ints(dims)}).ok());
  }
}

TEST(Transpose, swaps_two_dims) {
  Tensor x = tensor({2, 1, 3}, {0, 1, 2, 3, 4, 5});
  auto result = call_op("aten::transpose_copy.int", {x.value(), Value::of_int(0), Value::of_int(-1)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{3, 1, 2}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 3, 1, 4, 2, 5}));
  EXPECT_FALSE(call_op("aten::transpose_copy.int", {x.value(), Value::of_int(0), Value::of_int(3)}).ok());
}

TEST(Transpose, t_takes_up_to_two_dims) {
  Tensor matrix = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor vector = tensor({3}, {0, 1, 2});
  Tensor cube = tensor({1, 1, 1}, {0});
  auto result = call_op("aten::t_copy", {matrix.value()});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 3, 1, 4, 2, 5}));
  auto same = call_op("aten::t", {vector.value()});
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->tensors[0].values(), (std::vector<double>{0, 1, 2}));
  EXPECT_FALSE(call_op("aten::t", {cube.value()}).ok());
}

}  // namespace
}  // namespace etalon::ops
