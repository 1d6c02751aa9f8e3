// Sessions of worker processes: shell scripts that are named as our runner and talk like it.
#include "cli/arms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "measure/samples.h"

namespace etalon::cli {
namespace {

using ::testing::HasSubstr;

// Tells 1000 ns for every run, 2000 with --isa=slow; with --isa=crash it ends at the first request. What it was started
// with is written to <folder>/commands.
constexpr std::string_view kScript = R"(#!/bin/sh
echo "$@" >> "$(dirname "$0")/commands"
time=1000
for flag in "$@"; do
  case $flag in
    --isa=slow) time=2000 ;;
    --isa=crash) crash=1 ;;
    --isa=unknown) echo "error no such instruction set"; exit 2 ;;
    --etdump_path=*) etdump=${flag#--etdump_path=} ;;
  esac
done
echo "ready load_ms=3.5 baseline_rss_bytes=4096"
while read word count; do
  [ "$word" = quit ] && break
  [ -n "$crash" ] && kill -SEGV $$
  reply=ns
  i=0
  while [ $i -lt "$count" ]; do reply="$reply $time"; i=$((i+1)); done
  echo "$reply first_ms=0.5"
done
[ -n "$etdump" ] && echo recorded > "$etdump"
exit 0
)";

class Arms : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_arms_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(make_directories(folder_).ok());
    ASSERT_TRUE(write_file(folder_ + "/net.pte", std::string_view("model")).ok());
    ASSERT_TRUE(write_file(folder_ + "/etalon-runner", kScript).ok());
    ASSERT_EQ(::chmod((folder_ + "/etalon-runner").c_str(), 0755), 0);
    options_.plan.launches = 3;
    options_.plan.blocks_per_launch = 2;
    options_.plan.control_launches = 1;
    options_.plan.block_seconds = 0;
    options_.plan.most_repeats = 0;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ArmRequest arm(const std::string& name, const std::string& isa = "") const {
    ArmRequest request;
    request.name = name;
    request.isa = isa;
    request.model = folder_ + "/net.pte";
    request.runner = folder_ + "/etalon-runner";
    return request;
  }
  std::string error_of(const std::vector<ArmRequest>& arms) const {
    const auto outcome = measure_arms(arms, options_);
    return outcome.ok() ? "(measured)" : outcome.error().message();
  }
  std::size_t processes() const {
    const auto text = read_text_file(folder_ + "/commands");
    return text.ok() ? static_cast<std::size_t>(std::count(text->begin(), text->end(), '\n')) : 0;
  }

  std::string folder_;
  ArmsOptions options_;
};

TEST_F(Arms, are_measured_in_blocks_of_fresh_processes_that_tell_their_figures) {
  const auto outcome = measure_arms({arm("a"), arm("b", "slow")}, options_);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(processes(), 2U + 2 + 3 * 2) << "probes, control, launches";
  ASSERT_EQ(outcome->recording.arms.size(), 2U);
  for (const measure::ArmSamples& samples : outcome->recording.arms) {
    ASSERT_EQ(samples.launches.size(), 3U);
    for (const measure::LaunchRecord& launch : samples.launches) {
      EXPECT_EQ(launch.blocks.size(), 2U);
      EXPECT_EQ(launch.figures, (measure::Figures{
                                    {"load_ms", 3.5}, {"first_ms", 0.5}, {"baseline_rss_bytes", 4096}}));
    }
  }
  EXPECT_NEAR(outcome->judgement.verdicts.at(0).ratio, 2, 1e-9);
}

TEST_F(Arms, hand_their_settings_to_the_runner) {
  ArmRequest request = arm("a", "avx2");
  request.engine = "native";
  request.math = "fast";
  request.threads = 3;
  request.inputs = {request.model, request.model};
  request.extra_args = {"--method_name=forward"};
  request.cpu_mask = 0x3;
  ASSERT_TRUE(measure_arms({request, arm("b")}, options_).ok());
  const auto commands = read_text_file(folder_ + "/commands");
  ASSERT_TRUE(commands.ok());
  const std::string first = commands->substr(0, commands->find('\n'));
  for (const char* flag : {"--worker", "--engine=native", "--isa=avx2", "--math=fast", "--cpu_threads=3",
                           "--cpu_affinity=0x3", "--trace=off", "--method_name=forward"}) {
    EXPECT_THAT(first, HasSubstr(flag));
  }
  EXPECT_THAT(first, HasSubstr("--inputs=" + request.model + "," + request.model));
}

TEST_F(Arms, a_session_goes_on_where_its_file_ends_and_another_is_not_continued) {
  options_.samples_path = folder_ + "/samples.json";
  const auto whole = measure_arms({arm("a"), arm("b", "slow")}, options_);
  ASSERT_TRUE(whole.ok());
  measure::Recording cut = whole->recording;
  for (measure::ArmSamples& samples : cut.arms) samples.launches.resize(1);
  ASSERT_TRUE(measure::write_recording(options_.samples_path, cut).ok());
  const std::size_t before = processes();
  const auto resumed = measure_arms({arm("a"), arm("b", "slow")}, options_);
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(processes() - before, 4U) << "two launches of two arms were missing";
  EXPECT_EQ(resumed->recording.session, whole->recording.session);
  ASSERT_TRUE(write_file(folder_ + "/net.pte", std::string_view("another model")).ok());
  const auto other = measure_arms({arm("a"), arm("b", "slow")}, options_);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->recording.session, whole->recording.session);
}

TEST_F(Arms, what_cannot_be_measured_is_named_before_anything_runs) {
  ArmRequest request = arm("b");
  request.model.clear();
  EXPECT_EQ(error_of({arm("a"), request}), "arm b has no model");
  request.model = "/nonexistent.pte";
  EXPECT_EQ(error_of({arm("a"), request}), "/nonexistent.pte: no such model");
  EXPECT_THAT(error_of({arm("a"), arm("a")}), HasSubstr("two arms are called a"));
  request = arm("b");
  request.runner = "/bin/sh";
  EXPECT_THAT(error_of({arm("a"), request}), HasSubstr("is no etalon-runner"));
  EXPECT_EQ(processes(), 0U);
}

TEST_F(Arms, a_process_that_fails_names_its_arm) {
  EXPECT_THAT(error_of({arm("a"), arm("b", "unknown")}), HasSubstr("b: "));
  EXPECT_THAT(error_of({arm("a"), arm("b", "unknown")}), HasSubstr("no such instruction set"));
  EXPECT_THAT(error_of({arm("a"), arm("b", "crash")}), HasSubstr("b: "));
  EXPECT_THAT(error_of({arm("a"), arm("b", "crash")}), HasSubstr("crashed with signal 11"));
}

TEST_F(Arms, a_traced_arm_writes_one_recording_for_each_launch) {
  ArmRequest traced = arm("b");
  traced.traced = true;
  options_.etdump_path = [&](std::size_t which, std::size_t launch) {
    EXPECT_EQ(which, 1U);
    return folder_ + "/" + std::to_string(launch) + ".etdump";
  };
  ASSERT_TRUE(measure_arms({arm("a"), traced}, options_).ok());
  for (int launch = 0; launch < 3; ++launch) {
    EXPECT_TRUE(file_exists(folder_ + "/" + std::to_string(launch) + ".etdump"));
  }
  EXPECT_FALSE(file_exists(folder_ + "/3.etdump"));
}

TEST(PlanForSeconds, more_time_is_more_launches_within_reason) {
  EXPECT_EQ(plan_for_seconds(5).launches, 12U);
  EXPECT_EQ(plan_for_seconds(5).budget_seconds, 5);
  EXPECT_EQ(plan_for_seconds(5).blocks_per_launch, 3U);
  EXPECT_EQ(plan_for_seconds(40).launches, 24U);
  EXPECT_EQ(plan_for_seconds(4000).launches, 30U);
}

}  // namespace
}  // namespace etalon::cli
