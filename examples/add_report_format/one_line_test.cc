#include "add_report_format/one_line.h"

#include <gtest/gtest.h>

namespace etalon::report {
namespace {

TEST(OneLine, names_the_run_its_time_and_its_largest_category) {
  analysis::Report report;
  analysis::Profile profile;
  profile.name = "fast, 1 thread";
  profile.accounting.end_to_end_ms = 3.214;
  analysis::CategoryRow category;
  category.name = "Convolution";
  category.share = 0.81;
  profile.categories.push_back(category);
  report.profiles.push_back(profile);
  EXPECT_EQ(write_one_line(report), "fast, 1 thread: 3.21 ms, most in Convolution (81 %)\n");
}

TEST(OneLine, is_empty_without_runs) { EXPECT_EQ(write_one_line({}), ""); }

}  // namespace
}  // namespace etalon::report
