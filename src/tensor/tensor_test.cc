#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tensor/half.h"

namespace etalon {
namespace {

TEST(DType, promotion_follows_torch) {
  EXPECT_EQ(promote_types(DType::kInt32, DType::kFloat16), DType::kFloat16);
  EXPECT_EQ(promote_types(DType::kFloat16, DType::kBFloat16), DType::kFloat32);
  EXPECT_EQ(promote_types(DType::kUInt8, DType::kInt8), DType::kInt16);
  EXPECT_EQ(promote_types(DType::kBool, DType::kUInt8), DType::kUInt8);
  EXPECT_EQ(promote_types(DType::kUInt8, DType::kInt64), DType::kInt64);
}

TEST(DType, names_and_numbers_lead_back) {
  for (const std::string_view name : {"uint8", "int8", "int64", "float16", "bfloat16", "float64", "bool", "uint16"}) {
    const auto dtype = dtype_from_name(name);
    ASSERT_TRUE(dtype);
    EXPECT_EQ(name_of(*dtype), name);
    EXPECT_EQ(dtype_from_name(short_name_of(*dtype)), dtype);
    EXPECT_EQ(dtype_from_number(static_cast<int>(*dtype)), dtype);
  }
  EXPECT_FALSE(dtype_from_number(9));
}

TEST(Half, every_half_survives_a_round_trip) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = Half::to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(Half::from_float(value), bits);
  }
}

TEST(Half, rounds_to_nearest_even_and_overflows_to_infinity) {
  EXPECT_EQ(Half::from_float(1.0f + std::ldexp(1.0f, -11)), Half::from_float(1.0f));
  EXPECT_EQ(Half::from_float(1.0f + 3 * std::ldexp(1.0f, -11)), Half::from_float(1.0f + std::ldexp(1.0f, -9)));
  EXPECT_EQ(Half::from_float(65520.0f), 0x7c00);
  EXPECT_EQ(Half::from_float(65519.0f), 0x7bff);
  EXPECT_EQ(Half::from_float(std::ldexp(1.0f, -25)), 0);
  EXPECT_TRUE(std::isnan(Half::to_float(Half::from_float(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(BFloat16, rounds_to_nearest_even) {
  EXPECT_EQ(static_cast<float>(BFloat16(1.0f + std::ldexp(1.0f, -8))), 1.0f);
  EXPECT_EQ(static_cast<float>(BFloat16(1.0f + 3 * std::ldexp(1.0f, -8))), 1.0f + std::ldexp(1.0f, -6));
}

TEST(Dims, broadcast_follows_numpy) {
  EXPECT_EQ(broadcast({3, 1}, {2}), (Dims{3, 2}));
  EXPECT_EQ(broadcast({}, {4, 5}), (Dims{4, 5}));
  EXPECT_EQ(broadcast({1}, {0}), (Dims{0}));
  EXPECT_FALSE(broadcast({3}, {2}));
}

TEST(Dims, outside_sizes_are_checked) {
  const std::int64_t huge[] = {std::int64_t{1} << 40, std::int64_t{1} << 40};
  EXPECT_FALSE(make_dims(huge).ok());
  const std::int64_t negative[] = {-1};
  EXPECT_FALSE(make_dims(negative).ok());
  const std::int64_t many[17] = {};
  EXPECT_FALSE(make_dims(many).ok());
}

TEST(Dims, channels_last_strides) {
  const DimOrder order = {0, 2, 3, 1};
  EXPECT_TRUE(is_channels_last_order(order));
  EXPECT_EQ(strides_of({2, 3, 4, 5}, order), (Dims{60, 1, 15, 3}));
  EXPECT_EQ(order_of_strides({60, 1, 15, 3}), order);
  EXPECT_FALSE(is_permutation({0, 0}));
}

TEST(TensorView, resizes_within_its_capacity_only) {
  float data[6];
  TensorView tensor(DType::kFloat32, {2, 3}, data);
  EXPECT_FALSE(tensor.resize({1, 3}).ok());
  tensor.set_resizable(true);
  EXPECT_TRUE(tensor.resize({1, 3}).ok());
  EXPECT_EQ(tensor.numel(), 3);
  EXPECT_FALSE(tensor.resize({3, 3}).ok());
  EXPECT_TRUE(tensor.resize({6}).ok());
}

TEST(Dims, the_bytes_of_any_tensor_fit_into_64_bits) {
  const std::int64_t side = std::int64_t{1} << 28;
  ASSERT_TRUE(make_dims(std::vector<std::int64_t>{side, side}).ok());
  EXPECT_FALSE(make_dims(std::vector<std::int64_t>{side, side, 2}).ok());
  EXPECT_FALSE(make_dims(std::vector<std::int64_t>{0, side, side, 2}).ok());
}

}  // namespace
}  // namespace etalon
