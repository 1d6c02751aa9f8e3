#include <gtest/gtest.h>

#include "analysis/finding.h"

namespace etalon::analysis {
extern const Rule kManyActivations;
namespace {

Profile profile_with(double relu_ms) {
  Profile profile;
  profile.name = "test";
  const double total = 10.0 + relu_ms;
  for (const auto& [name, ms] : {std::pair("aten.convolution.default", 10.0), std::pair("aten.relu.default", relu_ms)}) {
    OperatorRow row;
    row.op_type = row.name = name;
    row.avg_ms = ms;
    row.share = ms / total;
    profile.operators.push_back(row);
  }
  return profile;
}

TEST(ManyActivations, fires_with_its_evidence) {
  Findings findings;
  kManyActivations.check(profile_with(2.0), findings);
  ASSERT_EQ(findings.found.size(), 1u);
  EXPECT_DOUBLE_EQ(findings.found[0].evidence[0].value, 2.0);
  EXPECT_DOUBLE_EQ(*findings.found[0].saving_high_ms, 2.0);
}

TEST(ManyActivations, stays_silent_below_its_threshold) {
  Findings findings;
  kManyActivations.check(profile_with(0.1), findings);
  EXPECT_TRUE(findings.found.empty());
}

TEST(ManyActivations, says_what_it_needs) {
  Findings findings;
  kManyActivations.check(Profile{}, findings);
  ASSERT_EQ(findings.not_evaluated.size(), 1u);
}

}  // namespace
}  // namespace etalon::analysis
