#include "analysis/quantisation_sweep.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace etalon::analysis {
namespace {

constexpr double kExact = std::numeric_limits<double>::infinity();

// Twelve launches of two blocks around `ms`, with noise of 0.1 % that differs by arm.
measure::ArmSamples arm(const std::string& name, double ms) {
  measure::ArmSamples out;
  out.name = name;
  for (std::uint32_t launch = 0; launch < 12; ++launch) {
    measure::LaunchRecord record;
    record.index = launch;
    for (std::uint32_t block = 0; block < 2; ++block) {
      measure::Block one;
      one.index = block;
      for (std::uint32_t run = 0; run < 3; ++run) {
        const double noise =
            0.001 * std::sin(static_cast<double>(launch * 7 + block * 3 + run) * 1.7 + ms * 13);
        one.runs_ms.push_back(ms * (1 + noise));
      }
      record.blocks.push_back(one);
    }
    out.launches.push_back(record);
  }
  return out;
}

struct Case {
  const char* name;
  double ms;
  std::optional<double> snr_db;
  std::size_t agreeing = 100;
  std::optional<std::size_t> right = {};
};

QuantisationSweep judged(const std::vector<Case>& cases, const SweepCriterion& criterion,
                         bool labels = false) {
  QuantisationSweep sweep;
  sweep.criterion = criterion;
  sweep.samples = 100;
  sweep.has_labels = labels;
  measure::Recording recording;
  recording.session = "one";
  for (const Case& one : cases) {
    SweepCandidate candidate;
    candidate.name = one.name;
    candidate.snr_db = one.snr_db;
    candidate.agreeing = one.agreeing;
    candidate.right = one.right;
    sweep.candidates.push_back(candidate);
    recording.arms.push_back(arm(one.name, one.ms));
  }
  const auto judgement = measure::judge_recording(recording);
  EXPECT_TRUE(judgement.ok());
  const Status status = judge_sweep(recording, *judgement, sweep);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message());
  return sweep;
}

std::string dominator(const QuantisationSweep& sweep, std::size_t index) {
  const auto& by = sweep.candidates[index].dominated_by;
  return by ? sweep.candidates[*by].name : "nothing";
}

TEST(QuantisationSweep, front_holds_what_nothing_beats_in_both) {
  const auto sweep =
      judged({{"fp32", 10, kExact}, {"int8", 4, 30}, {"worse", 5, 25}, {"mixed", 6, 40}}, {.min_snr_db = 20});
  EXPECT_EQ(dominator(sweep, 0), "nothing") << "float is exact";
  EXPECT_EQ(dominator(sweep, 1), "nothing") << "the fastest";
  EXPECT_EQ(dominator(sweep, 2), "int8") << "slower and less accurate";
  EXPECT_EQ(dominator(sweep, 3), "nothing") << "slower than int8, but more accurate";
}

TEST(QuantisationSweep, float_beats_what_is_slower_than_it) {
  const auto sweep = judged({{"fp32", 10, kExact}, {"dynamic", 14, 35}}, {.min_snr_db = 20});
  EXPECT_EQ(dominator(sweep, 1), "fp32");
  EXPECT_EQ(*sweep.recommended, 0u);
  EXPECT_NE(sweep.why.find("nothing"), std::string::npos) << sweep.why;
}

TEST(QuantisationSweep, equal_accuracy_within_a_tenth_of_a_decibel_goes_by_time) {
  const auto sweep = judged({{"fp32", 10, kExact}, {"a", 4, 30.05}, {"b", 5, 30.1}}, {.min_snr_db = 20});
  EXPECT_EQ(dominator(sweep, 2), "a");
}

TEST(QuantisationSweep, recommends_the_fastest_that_meets_the_criterion) {
  const std::vector<Case> cases = {{"fp32", 10, kExact}, {"int8", 4, 15}, {"mixed", 6, 25}, {"half", 8, 60}};
  EXPECT_EQ(*judged(cases, {.min_snr_db = 20}).recommended, 2u);
  EXPECT_EQ(*judged(cases, {.min_snr_db = 10}).recommended, 1u);
  EXPECT_EQ(*judged(cases, {.min_snr_db = 50}).recommended, 3u);
  EXPECT_EQ(*judged(cases, {.min_snr_db = 80}).recommended, 0u);
  EXPECT_FALSE(judged(cases, {.min_snr_db = 20}).candidates[1].meets_criterion);
}

TEST(QuantisationSweep, recommends_the_more_accurate_of_two_that_are_as_fast) {
  const auto sweep =
      judged({{"fp32", 10, kExact}, {"minmax", 3.999, 24}, {"mse", 4, 30}}, {.min_snr_db = 20});
  EXPECT_EQ(*sweep.recommended, 2u) << sweep.why;
  EXPECT_EQ(dominator(sweep, 1), "mse");
}

TEST(QuantisationSweep, a_drop_is_of_right_classes_with_labels_and_of_agreement_without) {
  const std::vector<Case> cases = {{"fp32", 10, kExact, 100, 98}, {"int8", 4, 30, 97, 98}};
  EXPECT_EQ(*judged(cases, {.max_drop = 0.01}, true).recommended, 1u) << "as many are right";
  EXPECT_EQ(*judged(cases, {.max_drop = 0.01}, false).recommended, 0u) << "3 of 100 are other classes";
  EXPECT_EQ(*judged(cases, {.max_drop = 0.03}, false).recommended, 1u) << "just what is allowed";
}

TEST(QuantisationSweep, results_that_are_no_numbers_meet_no_criterion) {
  const auto sweep = judged({{"fp32", 10, kExact}, {"broken", 4, -kExact}, {"silent", 4, std::nullopt}},
                            {.min_snr_db = -1000});
  EXPECT_EQ(*sweep.recommended, 0u);
  EXPECT_FALSE(sweep.candidates[1].meets_criterion);
  EXPECT_FALSE(sweep.candidates[2].meets_criterion);
}

TEST(QuantisationSweep, times_have_intervals_that_hold_the_median) {
  const auto sweep = judged({{"fp32", 10, kExact}, {"int8", 4, 30}}, {});
  for (const SweepCandidate& candidate : sweep.candidates) {
    ASSERT_TRUE(candidate.ms && candidate.ms_interval);
    EXPECT_LE(candidate.ms_interval->low, *candidate.ms * 1.001);
    EXPECT_GE(candidate.ms_interval->high, *candidate.ms * 0.999);
  }
  EXPECT_FALSE(sweep.candidates[0].verdict) << "float is what the others are held against";
  EXPECT_EQ(sweep.candidates[1].verdict->claim, measure::Claim::kFaster);
}

TEST(QuantisationSweep, another_number_of_arms_is_an_error) {
  QuantisationSweep sweep;
  sweep.candidates.resize(3);
  measure::Recording recording;
  recording.arms = {arm("a", 1), arm("b", 2)};
  const auto judgement = measure::judge_recording(recording);
  ASSERT_TRUE(judgement.ok());
  EXPECT_FALSE(judge_sweep(recording, *judgement, sweep).ok());
}

TEST(QuantisationSweep, json_leaves_out_what_is_not_known_and_has_no_infinities) {
  auto sweep = judged({{"fp32", 10, kExact}, {"int8", 4, 30}}, {.min_snr_db = 20});
  sweep.left_out.emplace_back("fp16", "no kernel");
  const auto json = nlohmann::json::parse(sweep_json(sweep));
  EXPECT_EQ(json["schema"], "etalon.quantisation_sweep/1");
  EXPECT_TRUE(json["candidates"][0]["snr_db"].is_null());
  EXPECT_EQ(json["candidates"][0]["exact"], true);
  EXPECT_FALSE(json["candidates"][0].contains("verdict"));
  EXPECT_EQ(json["candidates"][1]["snr_db"], 30);
  EXPECT_FALSE(json["candidates"][1].contains("top1_right")) << "there were no labels";
  EXPECT_EQ(json["left_out"][0]["why"], "no kernel");
  EXPECT_EQ(json["recommended"]["name"], "int8");
}

}  // namespace
}  // namespace etalon::analysis
