#include "backends/native/arena_plan.h"

#include <gtest/gtest.h>

namespace etalon::native {
namespace {

TEST(ArenaPlan, tensors_that_never_live_together_share_memory) {
  const ArenaItem items[] = {{1000, 0, 1}, {1000, 2, 3}, {1000, 4, 5}};
  EXPECT_EQ(plan_arena(items).bytes, 1024u);
}

TEST(ArenaPlan, a_reader_and_what_it_writes_are_apart) {
  const ArenaItem items[] = {{100, 0, 1}, {100, 1, 2}};
  const ArenaPlan plan = plan_arena(items);
  EXPECT_EQ(plan.bytes, 256u);
  EXPECT_NE(plan.offsets[0], plan.offsets[1]);
}

TEST(ArenaPlan, small_tensors_fill_the_gaps_between_large_ones) {
  const ArenaItem items[] = {{4096, 0, 1}, {4096, 1, 2}, {4096, 2, 3}, {64, 3, 3}};
  EXPECT_EQ(plan_arena(items).bytes, 8192u);
}

TEST(ArenaPlan, no_two_living_tensors_overlap_in_any_of_many_random_plans) {
  std::uint32_t seed = 1;
  const auto next = [&](std::uint32_t n) { return (seed = seed * 1664525 + 1013904223) / 65536 % n; };
  for (int round = 0; round < 200; ++round) {
    std::vector<ArenaItem> items;
    for (std::uint32_t i = 0; i < 1 + next(30); ++i) {
      const std::uint32_t first = next(20);
      items.push_back({1 + next(5000), first, first + next(6)});
    }
    const ArenaPlan plan = plan_arena(items);
    for (std::size_t a = 0; a < items.size(); ++a) {
      EXPECT_LE(plan.offsets[a] + items[a].bytes, plan.bytes);
      for (std::size_t b = 0; b < a; ++b) {
        if (items[a].first > items[b].last || items[b].first > items[a].last) continue;
        EXPECT_TRUE(plan.offsets[a] + items[a].bytes <= plan.offsets[b] ||
                    plan.offsets[b] + items[b].bytes <= plan.offsets[a]);
      }
    }
  }
}

}  // namespace
}  // namespace etalon::native
