#include "platform/affinity.h"

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "platform/memory.h"

namespace etalon::platform {
namespace {

TEST(Affinity, reads_masks_as_taskset_does) {
  EXPECT_EQ(*parse_cpu_mask("0x80"), std::vector<int>{7});
  EXPECT_EQ(*parse_cpu_mask("3"), (std::vector<int>{0, 1}));
  EXPECT_EQ(*parse_cpu_mask("F0"), (std::vector<int>{4, 5, 6, 7}));
  EXPECT_EQ(*parse_cpu_mask("10000000000000000"), std::vector<int>{64});
}

TEST(Affinity, refuses_what_is_not_a_mask) {
  for (const char* text : {"", "0x", "0", "0x0", "xyz", "-1", "1 2"}) {
    EXPECT_FALSE(parse_cpu_mask(text).ok()) << text;
  }
}

TEST(Affinity, can_be_set_to_what_it_is) {
  const auto before = affinity();
  ASSERT_FALSE(before.empty());
  EXPECT_TRUE(set_affinity(before).ok());
  EXPECT_EQ(affinity(), before);
  EXPECT_EQ(usable_cpu_count(), static_cast<int>(before.size()));
}

TEST(Affinity, cpus_that_do_not_exist_are_an_error) {
  const auto before = affinity();
  EXPECT_FALSE(set_affinity({1023}).ok());
  EXPECT_EQ(affinity(), before);
}

TEST(Clock, does_not_go_back) {
  const auto first = now_ns();
  EXPECT_LE(first, now_ns());
}

TEST(Memory, peak_is_at_least_what_is_held) {
  ASSERT_TRUE(peak_rss_bytes().has_value());
  ASSERT_TRUE(physical_memory_bytes().has_value());
  EXPECT_GT(*peak_rss_bytes(), 1u << 20);
  EXPECT_LT(*peak_rss_bytes(), *physical_memory_bytes());
  EXPECT_GT(page_faults().minor, 0u);
}

}  // namespace
}  // namespace etalon::platform
