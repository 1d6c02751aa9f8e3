// Verdicts from files: written as a session writes them, read as a report does.
#include "analysis/session_verdicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "measure/random.h"

namespace etalon::analysis {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kLaunches = 12;

class SessionVerdicts : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_verdicts_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(make_directories(folder_).ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // About `ms`, with 0.3 % of noise.
  measure::ArmSamples arm(const std::string& name, double ms) {
    measure::ArmSamples samples;
    samples.name = name;
    for (std::uint32_t index = 0; index < kLaunches; ++index) {
      measure::LaunchRecord launch;
      launch.index = index;
      measure::Block block;
      for (int run = 0; run < 10; ++run) block.runs_ms.push_back(ms * (1 + 0.003 * random_.normal()));
      launch.blocks.push_back(block);
      samples.launches.push_back(launch);
    }
    return samples;
  }
  RunResult result(const std::string& name, const std::string& session, double ms) {
    RunResult out;
    out.experiment = name;
    out.session = session;
    out.samples = name + "_samples.json";
    measure::Recording recording;
    recording.session = session;
    recording.looks = {kLaunches};
    recording.arms.push_back(arm(name, ms));
    EXPECT_TRUE(measure::write_recording(folder_ + "/" + out.samples, recording).ok());
    return out;
  }
  // Identical runs that differ by `ratio`.
  std::string control(const std::string& session, double ratio) {
    measure::Recording recording;
    recording.session = session;
    recording.looks = {kLaunches};
    recording.control = {arm("a", 1), arm("a", ratio)};
    EXPECT_TRUE(measure::write_recording(folder_ + "/control.json", recording).ok());
    return "control.json";
  }

  std::string folder_;
  measure::Random random_{7};
};

TEST_F(SessionVerdicts, results_of_one_session_are_judged_as_interleaved) {
  RunResult off = result("off", "s1", 1.00);
  const RunResult on = result("on", "s1", 0.97);
  off.control = control("s1", 1);
  const auto judged = judge_results(folder_, off, on);
  ASSERT_TRUE(judged.ok()) << judged.error().message();
  EXPECT_TRUE(judged->interleaved);
  EXPECT_TRUE(judged->control.ran);
  EXPECT_FALSE(judged->control.alarmed);
  EXPECT_EQ(judged->verdict.claim, measure::Claim::kFaster);
  EXPECT_NEAR(judged->verdict.ratio, 0.97, 0.005);
}

TEST_F(SessionVerdicts, of_two_sessions_only_large_differences_are_believed) {
  const RunResult off = result("off", "s1", 1.00);
  const auto small = judge_results(folder_, off, result("on", "s2", 0.97));
  ASSERT_TRUE(small.ok()) << small.error().message();
  EXPECT_FALSE(small->interleaved);
  EXPECT_FALSE(small->verdict.interleaved);
  EXPECT_EQ(small->verdict.claim, measure::Claim::kInconclusive);
  const auto large = judge_results(folder_, off, result("on", "s2", 0.80));
  ASSERT_TRUE(large.ok());
  EXPECT_EQ(large->verdict.claim, measure::Claim::kFaster);
  const auto unknown = judge_results(folder_, result("off", "", 1), result("on", "", 1));
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(unknown->interleaved) << "two sessions without a name are not the same";
}

TEST_F(SessionVerdicts, what_identical_runs_differed_by_is_not_claimed) {
  RunResult off = result("off", "s1", 1.00);
  const RunResult on = result("on", "s1", 0.97);
  off.control = control("s1", 1.06);
  const auto judged = judge_results(folder_, off, on);
  ASSERT_TRUE(judged.ok());
  EXPECT_TRUE(judged->control.alarmed);
  EXPECT_EQ(judged->verdict.claim, measure::Claim::kInconclusive);
}

TEST_F(SessionVerdicts, the_control_of_another_session_is_left_out) {
  RunResult off = result("off", "s1", 1.00);
  off.control = control("s0", 1.06);
  const auto found = read_control(folder_, off);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->ran);
  off.control = "absent.json";
  EXPECT_FALSE(read_control(folder_, off)->ran);
}

TEST_F(SessionVerdicts, what_is_missing_is_named) {
  const RunResult off = result("off", "s1", 1.00);
  RunResult traced;
  traced.experiment = "traced";
  EXPECT_THAT(judge_results(folder_, off, traced).error().message(), HasSubstr("traced, 1 thread: has no samples"));
  traced.samples = "absent.json";
  EXPECT_FALSE(judge_results(folder_, off, traced).ok());
  traced.samples = control("s1", 1);
  EXPECT_THAT(judge_results(folder_, off, traced).error().message(), HasSubstr("holds 0 runs"));
}

}  // namespace
}  // namespace etalon::analysis
