#include "backends/native/layout.h"

#include <gtest/gtest.h>

#include "backends/native/loop_nest.h"

namespace etalon::native {
namespace {

TEST(Layout, sizes_of_one_do_not_count) {
  EXPECT_TRUE(is_contiguous({1, 4, 1, 3}, {99, 3, 77, 1}));
  EXPECT_FALSE(is_contiguous({2, 4}, {8, 1}));
  EXPECT_TRUE(is_dense({2, 3, 4}, {12, 1, 3}));
  EXPECT_FALSE(is_dense({2, 3, 4}, {24, 1, 3}));
}

TEST(Layout, a_row_stride_exists_where_rows_are_equally_far_apart) {
  EXPECT_EQ(row_stride({1, 4, 5, 3}, {60, 15, 3, 1}), 3);
  EXPECT_EQ(row_stride({1, 4, 5, 3}, {200, 50, 10, 1}), 10);  // channels of a wider tensor
  EXPECT_EQ(row_stride({1, 4, 5, 3}, {200, 60, 10, 1}), std::nullopt);
  EXPECT_EQ(row_stride({1, 4, 5, 3}, {60, 5, 1, 20}), std::nullopt);  // planes
  EXPECT_EQ(row_stride({7}, {1}), 7);
}

TEST(Layout, a_reshape_is_a_view_where_strides_allow_it) {
  EXPECT_EQ(reshaped_strides({2, 3, 4}, {12, 4, 1}, {6, 4}), (Dims{4, 1}));
  EXPECT_EQ(reshaped_strides({2, 3, 4}, {100, 4, 1}, {2, 12}), (Dims{100, 1}));
  EXPECT_EQ(reshaped_strides({2, 12}, {100, 1}, {2, 3, 4}), (Dims{100, 4, 1}));
  EXPECT_EQ(reshaped_strides({2, 3, 4}, {100, 4, 1}, {6, 4}), std::nullopt);
  EXPECT_EQ(reshaped_strides({3, 4}, {1, 3}, {12}), std::nullopt);
  EXPECT_EQ(reshaped_strides({1, 196, 192}, {1, 1, 196}, {196, 192}), (Dims{1, 196}));
}

TEST(LoopNest, dense_operands_of_the_same_order_become_one_run) {
  const Dims strides[] = {{60, 1, 15, 5}, {60, 1, 15, 5}};
  const LoopNest nest({2, 5, 4, 3}, strides, 0);
  ASSERT_EQ(nest.rank(), 1u);
  EXPECT_EQ(nest.size(0), 120);
  EXPECT_EQ(nest.inner_stride(1), 1);
}

TEST(LoopNest, a_broadcast_operand_keeps_its_dims_apart) {
  const Dims strides[] = {{60, 15, 5, 1}, {0, 0, 0, 1}};
  const LoopNest nest({2, 4, 3, 5}, strides, 0);
  ASSERT_EQ(nest.rank(), 2u);
  EXPECT_EQ(nest.size(0), 24);
  EXPECT_EQ(nest.stride(0, 0), 5);
  EXPECT_EQ(nest.stride(1, 0), 0);
}

TEST(LoopNest, rounds_visit_every_row_once_from_any_start) {
  const Dims strides[] = {{12, 4, 1}, {100, 10, 1}};
  const LoopNest nest({2, 3, 4}, strides, 1);
  std::vector<std::int64_t> seen;
  const auto note = [&](const LoopNest::Offsets& at) { seen.push_back(at[1]); };
  ASSERT_EQ(nest.rounds(1), 6);
  nest.for_each(1, 0, 2, note);
  nest.for_each(1, 2, 6, note);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 10, 20, 100, 110, 120}));
}

TEST(LoopNest, shares_cover_everything_once) {
  for (std::int64_t count : {0, 1, 7, 64, 100}) {
    std::int64_t next = 0;
    for (unsigned worker = 0; worker < 3; ++worker) {
      const Range range = share_of(count, worker, 3, 16);
      EXPECT_EQ(range.begin, next);
      next = range.end;
    }
    EXPECT_EQ(next, count);
  }
}

}  // namespace
}  // namespace etalon::native
