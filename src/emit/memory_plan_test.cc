#include "emit/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace etalon::emit {
namespace {

TEST(MemoryPlan, a_chain_needs_two_tensors) {
  std::vector<Storage> storages = {{1024, 0, 1}, {1024, 1, 2}, {1024, 2, 3}, {1024, 3, 4}};
  const MemoryPlan plan = plan_memory(storages);
  EXPECT_EQ(plan.planned_bytes, 2048u);
  EXPECT_EQ(plan.ideal_bytes, 2048u);
  EXPECT_EQ(plan.unshared_bytes, 4096u);
}

TEST(MemoryPlan, storages_alive_together_never_overlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Storage> storages;
    for (int i = 0; i < 40; ++i) {
      const auto first = static_cast<std::uint32_t>(random() % 30);
      storages.push_back({random() % 5000, first, first + static_cast<std::uint32_t>(random() % 8)});
    }
    const MemoryPlan plan = plan_memory(storages);
    EXPECT_GE(plan.planned_bytes, plan.ideal_bytes);
    for (std::size_t a = 0; a < storages.size(); ++a) {
      EXPECT_EQ(storages[a].offset % kPlanAlignment, 0u);
      EXPECT_LE(storages[a].offset + storages[a].size_bytes, plan.planned_bytes);
      for (std::size_t b = 0; b < a; ++b) {
        const bool together = storages[a].first <= storages[b].last && storages[b].first <= storages[a].last;
        const bool overlap = storages[a].offset < storages[b].offset + storages[b].size_bytes &&
                             storages[b].offset < storages[a].offset + storages[a].size_bytes;
        EXPECT_FALSE(together && overlap && storages[a].size_bytes > 0 && storages[b].size_bytes > 0) << a << " and " << b;
      }
    }
  }
}

}  // namespace
}  // namespace etalon::emit
