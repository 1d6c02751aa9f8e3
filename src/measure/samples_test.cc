#include "measure/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace etalon::measure {
namespace {

using ::testing::HasSubstr;

Recording two_arms() {
  Recording recording;
  recording.session = "s1";
  recording.seed = 18446744073709551601U;
  recording.runs_per_block = 2;
  recording.machine_json = R"({"load_1min": 0.5})";
  recording.looks = {6, 12};
  recording.spending = Spending::kPocock;
  for (const char* name : {"off", "on"}) {
    ArmSamples arm;
    arm.name = name;
    arm.key = "k";
    arm.threads = 2;
    LaunchRecord launch;
    launch.started_at = "2026-01-02T03:04:05Z";
    launch.warmup_ms = {1.5, 1.1};
    launch.steadiness = "warm-up";
    launch.figures["load_ms"] = 4.25;
    launch.blocks.push_back({0, 0, 1, {1.01, 1.02}, {1.3}, 1000, 1800, true, true});
    launch.blocks.push_back({0, 1, 0, {0.1 + 0.2, 1.02}, {1.3}, 1000, 1001, false, false});
    launch.blocks.push_back({1, 0, 0, {1.04, 1.0 / 3}, {}, 0, 0, false, false});
    arm.launches = {launch};
    recording.arms.push_back(arm);
  }
  recording.control = recording.arms;
  return recording;
}

TEST(Samples, written_and_read_back_are_the_same_to_the_last_bit) {
  const Recording recording = two_arms();
  const std::string text = recording_to_json(recording);
  const auto read = parse_recording(text);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(recording_to_json(*read), text);
  EXPECT_EQ(read->seed, recording.seed);
  EXPECT_EQ(read->looks, recording.looks);
  EXPECT_THAT(read->machine_json, HasSubstr("\"load_1min\":0.5"));
  EXPECT_EQ(read->spending, Spending::kPocock);
  ASSERT_EQ(read->arms.size(), 2U);
  ASSERT_EQ(read->control.size(), 2U);
  const LaunchRecord& launch = read->arms[1].launches[0];
  ASSERT_EQ(launch.blocks.size(), 3U);
  EXPECT_TRUE(launch.blocks[0].voided);
  EXPECT_EQ(launch.blocks[0].runs_ms, recording.arms[1].launches[0].blocks[0].runs_ms);
  EXPECT_EQ(launch.blocks[1].runs_ms[0], 0.1 + 0.2);
  EXPECT_EQ(launch.blocks[1].attempt, 1U);
  EXPECT_EQ(launch.blocks[1].sentinel_after_ns, 1001);
  EXPECT_EQ(launch.figures.at("load_ms"), 4.25);
  EXPECT_EQ(launch.steadiness, "warm-up");
}

TEST(Samples, voided_runs_are_kept_apart_from_those_that_count) {
  const ArmSamples arm = two_arms().arms[0];
  EXPECT_EQ(arm.runs_ms().size(), 4U);
  EXPECT_EQ(arm.runs_ms()[0], 0.1 + 0.2);
}

TEST(Samples, one_arm_is_written_flat_as_a_run_folder_holds_it) {
  Recording recording = two_arms();
  recording.control.clear();
  recording.arms.resize(1);
  const std::string text = recording_to_json(recording);
  EXPECT_THAT(text, HasSubstr("\"experiment\": \"off\""));
  EXPECT_EQ(text.find("\"arms\""), std::string::npos);
  const auto read = parse_recording(text);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(recording_to_json(*read), text);
}

TEST(Samples, a_launch_without_blocks_is_one_block) {
  const auto read =
      parse_recording(R"({"schema": "etalon.samples/1", "key": "k", "experiment": "on", "threads": 2,
    "traced": false, "launches": [{"round": 3, "started_at": "x", "runs_ms": [1, 2], "first_ms": 9, "load_ms": 0.5}]})");
  ASSERT_TRUE(read.ok()) << read.error().message();
  const LaunchRecord& launch = read->arms.at(0).launches.at(0);
  EXPECT_EQ(launch.index, 3U);
  ASSERT_EQ(launch.blocks.size(), 1U);
  EXPECT_EQ(launch.blocks[0].runs_ms.size(), 2U);
  EXPECT_EQ(launch.figures.at("first_ms"), 9);
}

std::string error_of(const std::string& launches) {
  const auto read = parse_recording(R"({"schema": "etalon.samples/1", "launches": )" + launches + "}");
  return read.ok() ? "(accepted)" : read.error().message();
}

TEST(Samples, each_defect_is_named_with_its_place) {
  EXPECT_EQ(error_of("7"), "launches: found 7, want a list");
  EXPECT_EQ(error_of(R"([{"runs_ms": [1, 0]}])"), "launches[0].runs_ms[1]: found 0, want a time above 0");
  EXPECT_EQ(error_of(R"([{"runs_ms": [1, "x"]}])"),
            "launches[0].runs_ms[1]: found \"x\", want a time above 0");
  EXPECT_EQ(error_of(R"([3])"), "launches[0]: found 3, want an object");
  EXPECT_EQ(error_of(R"([{"runs_ms": [1], "blocks": [{"index": 0, "runs": 2}]}])"),
            "launches[0].blocks[0].runs: found 2, but only 1 of the launch's runs_ms are left");
  EXPECT_EQ(error_of(R"([{"runs_ms": [1, 2], "blocks": [{"index": 0, "runs": 1}]}])"),
            "launches[0]: the blocks hold 1 runs, runs_ms holds 2");
  EXPECT_THAT(error_of(R"([{"round": -1}])"), HasSubstr("launches[0].round: found -1"));
  EXPECT_THAT(parse_recording("{}").error().message(), HasSubstr("want \"etalon.samples/1\""));
  EXPECT_THAT(parse_recording("[]").error().message(), HasSubstr("want an object"));
  EXPECT_THAT(parse_recording(R"({"schema": "etalon.samples/1"})").error().message(),
              HasSubstr("launches: missing"));
  EXPECT_THAT(
      parse_recording(R"({"schema": "etalon.samples/1", "seed": "1x", "launches": []})").error().message(),
      HasSubstr("seed: found \"1x\""));
  EXPECT_THAT(
      parse_recording(R"({"schema": "etalon.samples/1", "looks": [5, 5], "launches": []})").error().message(),
      HasSubstr("looks[1]: found 5, want a whole number from 6"));
}

TEST(Samples, a_file_names_itself_in_its_errors) {
  const std::string path = ::testing::TempDir() + "etalon_samples_test.json";
  ASSERT_TRUE(write_recording(path, two_arms()).ok());
  EXPECT_TRUE(read_recording(path).ok());
  ASSERT_TRUE(write_file(path, std::string_view("{")).ok());
  EXPECT_THAT(read_recording(path).error().message(), HasSubstr("etalon_samples_test.json: not valid JSON"));
}

}  // namespace
}  // namespace etalon::measure
