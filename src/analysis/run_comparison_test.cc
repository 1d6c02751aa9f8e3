#include "analysis/run_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/comparison_testing.h"
#include "measure/random.h"

namespace etalon::analysis {
namespace {

using measure::Recording;

// Launches of three blocks whose times wander together, as those of one machine do.
measure::ArmSamples arm(const std::string& name, double ms, std::uint64_t seed) {
  measure::ArmSamples samples;
  samples.name = name;
  measure::Random noise(seed);
  for (std::uint32_t launch = 0; launch < 12; ++launch) {
    measure::LaunchRecord record;
    record.index = launch;
    record.figures = {{"load_ms", 5}, {"peak_rss_bytes", 1e6 + launch}};
    const double machine = 1 + 0.2 * launch;  // slower and slower, for both alike
    for (std::uint32_t index = 0; index < 3; ++index) {
      measure::Block block;
      block.index = index;
      for (int run = 0; run < 5; ++run) block.runs_ms.push_back(ms * machine * (1 + 0.005 * noise.uniform()));
      record.blocks.push_back(std::move(block));
    }
    samples.launches.push_back(std::move(record));
  }
  return samples;
}

Recording recording(const std::string& session, std::vector<measure::ArmSamples> arms) {
  Recording made;
  made.session = session;
  made.arms = std::move(arms);
  return made;
}

TEST(RunComparison, runs_of_one_session_are_paired_and_small_differences_are_seen) {
  const Recording session = recording("s1", {arm("a", 10, 1), arm("b", 10.3, 2)});
  RecordedRun baseline{.name = "a", .recording = &session, .arm = 0};
  RecordedRun candidate{.name = "b", .recording = &session, .arm = 1};
  const Comparison found = compare_runs("", baseline, candidate);
  ASSERT_TRUE(found.verdict.has_value());
  EXPECT_EQ(found.verdict->claim, measure::Claim::kSlower);
  EXPECT_TRUE(found.interleaved);
  EXPECT_NEAR(found.ratio, 1.03, 0.002);
  EXPECT_EQ(found.label, "b against a");
}

TEST(RunComparison, files_of_one_session_are_as_one) {
  const Recording first = recording("s1", {arm("a", 10, 1)});
  const Recording second = recording("s1", {arm("b", 10.3, 2)});
  const Comparison found =
      compare_runs("", {.name = "a", .recording = &first}, {.name = "b", .recording = &second});
  EXPECT_TRUE(found.interleaved);
  EXPECT_EQ(found.verdict->claim, measure::Claim::kSlower);
}

TEST(RunComparison, the_same_small_difference_between_two_sessions_is_not_believed) {
  const Recording first = recording("s1", {arm("a", 10, 1)});
  const Recording second = recording("s2", {arm("b", 10.3, 2)});
  const Comparison found =
      compare_runs("", {.name = "a", .recording = &first}, {.name = "b", .recording = &second});
  EXPECT_FALSE(found.interleaved);
  EXPECT_EQ(found.verdict->claim, measure::Claim::kInconclusive);
}

TEST(RunComparison, figures_are_those_of_the_launches) {
  const Recording session = recording("s1", {arm("a", 10, 1), arm("b", 10, 2)});
  const Comparison found =
      compare_runs("", {.name = "a", .recording = &session}, {.name = "b", .recording = &session, .arm = 1});
  ASSERT_EQ(found.figures.size(), 2U);
  EXPECT_EQ(found.figures[0].name, "peak memory of process");
  EXPECT_EQ(*found.figures[0].baseline, 1e6 + 11) << "the largest of all launches";
  EXPECT_EQ(*found.figures[1].candidate, 5);
}

TEST(RunComparison, without_samples_and_recordings_it_says_what_is_missing) {
  RunResult slow;
  slow.median_ms = 4;
  RunResult fast;
  fast.median_ms = 2;
  const Comparison found =
      compare_runs("", {.name = "slow", .result = &slow}, {.name = "fast", .result = &fast});
  EXPECT_DOUBLE_EQ(found.ratio, 0.5);
  EXPECT_FALSE(found.verdict.has_value());
  EXPECT_THAT(found.notes, testing::ElementsAre(testing::HasSubstr("without a verdict"),
                                                testing::HasSubstr("no recording of slow")));
}

TEST(RunComparison, operators_are_scaled_to_the_untraced_times) {
  const Recording session = recording("s1", {arm("a", 10, 1), arm("b", 5, 2)});
  const Profile profile = ProfileBuilder().op("convolution", 1).profile();
  const Comparison found = compare_runs("", {.name = "a", .profile = &profile, .recording = &session},
                                        {.name = "b", .profile = &profile, .recording = &session, .arm = 1});
  ASSERT_EQ(found.operators.size(), 1U);
  EXPECT_DOUBLE_EQ(found.operators[0].baseline_ms, found.baseline_ms);
  double sum = 0;
  for (const WaterfallStep& step : found.waterfall) sum += step.delta_ms;
  EXPECT_NEAR(sum, found.candidate_ms - found.baseline_ms, 1e-12);
}

TEST(RunComparison, a_table_judges_every_run_against_the_first) {
  const Recording session = recording("s1", {arm("a", 10, 1), arm("b", 5, 2), arm("c", 10, 3)});
  std::vector<RunResult> results(3);
  std::vector<RecordedRun> runs;
  for (std::size_t i = 0; i < 3; ++i) {
    results[i].threads = i == 1 ? 4 : 1;
    results[i].isa_wanted = i == 2 ? "avx2" : "avx512";
    runs.push_back({.name = session.arms[i].name, .result = &results[i], .recording = &session, .arm = i});
  }
  const FactorTable table = table_of_runs(runs);
  EXPECT_THAT(table.factors, testing::ElementsAre("isa", "threads"));
  ASSERT_EQ(table.cells.size(), 3U);
  EXPECT_FALSE(table.cells[0].verdict.has_value());
  EXPECT_EQ(table.cells[1].verdict->claim, measure::Claim::kFaster);
  EXPECT_EQ(table.cells[2].verdict->claim, measure::Claim::kEquivalent);
}

TEST(RunComparison, the_dtype_of_a_program_is_that_of_most_of_its_arithmetic) {
  ModelFacts facts;
  EXPECT_EQ(main_dtype(facts), "");
  NodeFacts product;
  product.dtype = "float32";
  product.compute_dtype = "int8";
  product.flops = 100;
  NodeFacts small;
  small.dtype = "float32";
  small.flops = 10;
  facts.nodes = {small, product};
  EXPECT_EQ(main_dtype(facts), "int8");
}

}  // namespace
}  // namespace etalon::analysis
