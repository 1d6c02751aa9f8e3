#include "analysis/factor_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::analysis {
namespace {

using testing::ElementsAre;

FactorRun run(const std::string& dtype, const std::string& isa, const std::string& threads, double ms) {
  FactorRun made;
  made.levels = {{"dtype", dtype}, {"isa", isa}, {"threads", threads}};
  made.cell.run = dtype + " " + isa + " " + threads;
  made.cell.median_ms = ms;
  return made;
}

TEST(FactorTable, only_what_differs_is_a_factor) {
  const FactorTable table = make_factor_table({run("fp32", "avx2", "1", 10), run("fp32", "avx512", "1", 5)});
  EXPECT_THAT(table.factors, ElementsAre("isa"));
  EXPECT_THAT(table.cells[1].levels, ElementsAre("avx512"));
  EXPECT_TRUE(table.interactions.empty());
}

TEST(FactorTable, factors_that_multiply_do_not_interact) {
  const FactorTable table = make_factor_table({run("fp32", "avx2", "1", 10), run("fp32", "avx512", "1", 5),
                                               run("fp32", "avx2", "4", 4), run("fp32", "avx512", "4", 2)});
  EXPECT_THAT(table.factors, ElementsAre("isa", "threads"));
  EXPECT_TRUE(table.interactions.empty());
}

TEST(FactorTable, a_planted_interaction_is_found) {
  const FactorTable table = make_factor_table({run("fp32", "avx2", "1", 10), run("fp32", "avx512", "1", 5),
                                               run("fp32", "avx2", "4", 4), run("fp32", "avx512", "4", 4)});
  ASSERT_EQ(table.interactions.size(), 1U);
  EXPECT_EQ(table.interactions[0].first_level, "avx512");
  EXPECT_EQ(table.interactions[0].second_level, "4");
  EXPECT_DOUBLE_EQ(table.interactions[0].expected_ms, 2);
  EXPECT_DOUBLE_EQ(table.interactions[0].measured_ms, 4);
}

TEST(FactorTable, without_all_corners_nothing_is_said) {
  const FactorTable table = make_factor_table(
      {run("fp32", "avx2", "1", 10), run("int8", "avx2", "1", 5), run("int8", "avx512", "1", 1)});
  EXPECT_TRUE(table.interactions.empty());
}

TEST(FactorTable, runs_that_no_factor_tells_apart_keep_their_names) {
  std::vector<FactorRun> runs = {run("fp32", "avx2", "1", 10), run("fp32", "avx2", "1", 11)};
  runs[1].cell.run = "again";
  const FactorTable table = make_factor_table(runs);
  EXPECT_THAT(table.factors, ElementsAre("run"));
  EXPECT_THAT(table.cells[1].levels, ElementsAre("again"));
}

}  // namespace
}  // namespace etalon::analysis
