#include "analysis/advice_file.h"

#include <gtest/gtest.h>

#include <cmath>

namespace etalon::analysis {
namespace {

VerifiedAdvice kept() {
  VerifiedAdvice advice;
  advice.rule = "undelegated-operators";
  advice.subject = "aten::convolution.out";
  advice.remedy = {RemedyKind::kBackend, "xnnpack", "etalon export MODEL --backend xnnpack"};
  advice.predicted_low_ms = 1.5;
  advice.predicted_high_ms = 3;
  advice.baseline_ms = 10;
  advice.candidate_ms = 7.5;
  measure::Verdict verdict;
  verdict.claim = measure::Claim::kFaster;
  verdict.ratio = 0.75;
  verdict.interval = {0.74, 0.76};
  verdict.p_value = 0.001;
  verdict.launches = 12;
  verdict.voided = 1;
  advice.verdict = verdict;
  advice.snr_db = 120;
  advice.accuracy_before = 0.97;
  advice.outcome = AdviceOutcome::kKept;
  return advice;
}

TEST(AdviceFile, reads_back_what_was_written) {
  const auto read = parse_advice(advice_json({kept()}));
  ASSERT_TRUE(read.ok()) << read.error().message();
  ASSERT_EQ(read->size(), 1U);
  const VerifiedAdvice& advice = read->front();
  EXPECT_EQ(advice.rule, "undelegated-operators");
  EXPECT_EQ(advice.remedy.kind, RemedyKind::kBackend);
  EXPECT_EQ(advice.remedy.value, "xnnpack");
  EXPECT_EQ(advice.outcome, AdviceOutcome::kKept);
  EXPECT_EQ(advice.predicted_low_ms, 1.5);
  EXPECT_EQ(advice.candidate_ms, 7.5);
  ASSERT_TRUE(advice.verdict.has_value());
  EXPECT_EQ(advice.verdict->claim, measure::Claim::kFaster);
  EXPECT_EQ(advice.verdict->interval.low, 0.74);
  EXPECT_EQ(advice.verdict->launches, 12U);
  EXPECT_EQ(advice.verdict->voided, 1U);
  EXPECT_EQ(advice.accuracy_before, 0.97);
  EXPECT_FALSE(advice.accuracy_after.has_value());
}

TEST(AdviceFile, an_interval_without_end_stays_unknown) {
  VerifiedAdvice advice = kept();
  advice.verdict->interval = {0, HUGE_VAL};
  const std::string text = advice_json({advice});
  EXPECT_EQ(text.find("\"interval\""), std::string::npos);
  const auto read = parse_advice(text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->front().verdict->interval.low, 0);
  EXPECT_TRUE(std::isinf(read->front().verdict->interval.high));
}

TEST(AdviceFile, refuses_what_is_no_advice) {
  for (const char* text : {"", "[]", "{}", R"({"schema":"etalon.advice/2","advice":[]})", R"({"schema":"etalon.advice/1"})"}) {
    EXPECT_FALSE(parse_advice(text).ok()) << text;
  }
}

TEST(AdviceFile, damaged_items_read_as_not_applied) {
  const auto read = parse_advice(R"({"schema":"etalon.advice/1","advice":[3,{"outcome":7,"verdict":"no","remedy":[]}]})");
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->back().outcome, AdviceOutcome::kNotApplied);
  EXPECT_EQ(read->back().remedy.kind, RemedyKind::kNone);
}

}  // namespace
}  // namespace etalon::analysis
