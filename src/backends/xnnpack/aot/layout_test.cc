#include "backends/xnnpack/aot/layout.h"

#include <gtest/gtest.h>

namespace etalon::xnnpack {
namespace {

TEST(Layout, permuting_a_permuted_tensor_back_is_the_own_order) {
  EXPECT_EQ(order_through_permute(channels_last(), {0, 2, 3, 1}), contiguous_order(4));
  EXPECT_EQ(order_through_permute(contiguous_order(4), {0, 3, 1, 2}), channels_last());
}

TEST(Layout, flattening_height_and_width_of_a_channels_last_image_moves_nothing) {
  const auto order = order_through_view(static_shape({1, 192, 14, 14}), channels_last(), static_shape({1, 192, 196}));
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(*order, (DimOrder{0, 2, 1}));
}

TEST(Layout, flattening_channels_of_a_channels_last_image_moves_elements) {
  EXPECT_FALSE(order_through_view(static_shape({1, 8, 4, 4}), channels_last(), static_shape({1, 128})).has_value());
}

TEST(Layout, a_pooled_image_flattens_whatever_its_order) {
  const auto order = order_through_view(static_shape({1, 128, 1, 1}), channels_last(), static_shape({1, 128}));
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(*order, contiguous_order(2));
}

TEST(Layout, dims_of_one_stand_behind_the_dim_before_them) {
  const auto order = order_through_view(static_shape({2, 6, 5}), {0, 2, 1}, static_shape({2, 1, 6, 5}));
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(*order, (DimOrder{0, 1, 3, 2}));
}

TEST(Layout, splitting_a_dim_keeps_its_parts_together) {
  const auto order = order_through_view(static_shape({1, 12, 7}), {0, 2, 1}, static_shape({1, 3, 4, 7}));
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(*order, (DimOrder{0, 3, 1, 2}));
}

TEST(Layout, a_dynamic_dim_matches_only_itself) {
  const Shape from{Dims{8, 4, 6}, Dims{3, 4, 6}};
  const Shape to{Dims{8, 24}, Dims{3, 24}};
  EXPECT_FALSE(order_through_view(from, {0, 2, 1}, to).has_value());
  EXPECT_EQ(order_through_view(from, {0, 1, 2}, to), std::optional(contiguous_order(2)));
}

TEST(Layout, orders_that_move_only_dims_of_one_are_the_same_places) {
  EXPECT_TRUE(same_places(static_shape({1, 32, 1, 1}), contiguous_order(4), channels_last()));
  EXPECT_FALSE(same_places(static_shape({1, 32, 2, 1}), contiguous_order(4), channels_last()));
}

}  // namespace
}  // namespace etalon::xnnpack
