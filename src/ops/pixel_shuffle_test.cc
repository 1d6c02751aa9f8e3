#include <gtest/gtest.h>

#include <numeric>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(PixelShuffle, spreads_channels_over_pixels) {
  Tensor x = tensor({1, 4, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  auto result = call_op("aten::pixel_shuffle", {x.value(), Value::of_int(2)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{1, 1, 2, 4}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST(PixelShuffle, unshuffle_is_its_inverse) {
  std::vector<double> values(2 * 18 * 4 * 5);
  std::iota(values.begin(), values.end(), 0.0);
  Tensor x = testing::channels_last({2, 18, 4, 5}, values);
  auto wide = call_op("aten::pixel_shuffle", {x.value(), Value::of_int(3)});
  ASSERT_TRUE(wide.ok());
  auto back = call_op("aten::pixel_unshuffle", {wide->tensors[0].value(), Value::of_int(3)});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->tensors[0].sizes(), x.sizes());
  EXPECT_EQ(back->tensors[0].values(), values);
}

TEST(PixelShuffle, refuses_factors_that_do_not_divide) {
  Tensor x = tensor({4, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  for (const std::int64_t factor : {0ll, -1ll, 3ll, 1ll << 40}) {
    EXPECT_FALSE(call_op("aten::pixel_shuffle", {x.value(), Value::of_int(factor)}).ok());
    EXPECT_FALSE(call_op("aten::pixel_unshuffle", {x.value(), Value::of_int(factor)}).ok());
  }
  Tensor matrix = tensor({1, 2}, {0, 1});
  EXPECT_FALSE(call_op("aten::pixel_shuffle", {matrix.value(), Value::of_int(1)}).ok());
}

}  // namespace
}  // namespace etalon::ops
