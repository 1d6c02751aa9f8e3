// Each rule on a profile that fires it, one that must not, and one without what it needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

OperatorRow op(const std::string& name, const std::string& category, double ms) {
  OperatorRow row;
  row.name = name;
  row.op_type = name;
  row.category = category;
  row.avg_ms = ms;
  return row;
}

// Shares follow from the times; the rest of `end_to_end_ms` is split into framework and residual.
Profile profile_of(std::vector<OperatorRow> operators, double framework_ms, double residual_ms) {
  Profile profile;
  profile.name = "test";
  Accounting& account = profile.accounting;
  for (const OperatorRow& row : operators) account.operators_ms += row.avg_ms;
  account.framework_ms = framework_ms;
  account.residual_ms = residual_ms;
  account.end_to_end_ms = account.operators_ms + framework_ms + residual_ms;
  account.traced_ms = account.end_to_end_ms;
  std::map<std::string, CategoryRow> categories;
  for (OperatorRow& row : operators) {
    row.share = row.avg_ms / account.end_to_end_ms;
    CategoryRow& category = categories[row.category];
    category.name = row.category;
    category.ms += row.avg_ms;
    category.share += row.share;
    ++category.operators;
  }
  for (const auto& [name, row] : categories) profile.categories.push_back(row);
  std::sort(profile.categories.begin(), profile.categories.end(),
            [](const CategoryRow& a, const CategoryRow& b) { return a.ms > b.ms; });
  profile.operators = std::move(operators);
  return profile;
}

// Nothing stands out in it.
Profile balanced() {
  return profile_of(
      {op("native_call_convolution.out", "Convolution", 2.5), op("native_call_addmm.out", "GEMM", 2.4),
       op("native_call_add.out", "Elementwise", 2.4), op("native_call_mean.out", "Other", 2.0)},
      0.1, 0.1);
}

std::set<std::string> fired(const Profile& profile) {
  Findings findings;
  check_rules(profile, findings);
  std::set<std::string> ids;
  for (const Finding& finding : findings.found) ids.insert(std::string(finding.rule->id));
  return ids;
}

std::set<std::string> not_evaluated(const Profile& profile) {
  Findings findings;
  check_rules(profile, findings);
  std::set<std::string> ids;
  for (const NotEvaluated& skipped : findings.not_evaluated) ids.insert(std::string(skipped.rule));
  return ids;
}

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Rules, a_balanced_profile_is_silent) { EXPECT_THAT(fired(balanced()), IsEmpty()); }

TEST(Rules, an_empty_profile_says_what_each_rule_needs) {
  Profile nothing;
  EXPECT_THAT(fired(nothing), IsEmpty());
  const auto of_profiles = std::count_if(all_rules().begin(), all_rules().end(),
                                         [](const Rule* rule) { return rule->check != nullptr; });
  EXPECT_EQ(not_evaluated(nothing).size(), static_cast<std::size_t>(of_profiles));
}

TEST(Rules, a_dominant_operator_is_found) {
  const Profile profile =
      profile_of({op("a", "Other", 4), op("b", "GEMM", 3), op("c", "Elementwise", 3)}, 0, 0);
  EXPECT_THAT(fired(profile), Contains("dominant-operator"));
}

TEST(Rules, one_category_with_more_than_half_is_found) {
  std::vector<OperatorRow> rows(6, op("native_call_convolution.out", "Convolution", 1));
  rows.push_back(op("native_call_add.out", "Elementwise", 2));
  rows.push_back(op("native_call_mean.out", "Other", 2));
  EXPECT_THAT(fired(profile_of(rows, 0, 0)), Contains("category-share"));
}

TEST(Rules, unfused_batch_norm_is_found_under_each_of_its_names) {
  for (const char* name :
       {"native_call__native_batch_norm_legit_no_training.out", "aten::native_batch_norm.out"}) {
    Profile profile = balanced();
    profile.operators.push_back(op(name, "Other", 1));
    profile.operators.back().share = 0.1;
    Findings findings;
    check_rules(profile, findings);
    ASSERT_EQ(findings.found.size(), 1U) << name;
    const Finding& finding = findings.found[0];
    EXPECT_EQ(finding.rule->id, "unfused-batch-norm");
    EXPECT_EQ(finding.severity, Severity::kWarning);
    EXPECT_EQ(finding.evidence[0].value, 1);
    EXPECT_DOUBLE_EQ(*finding.saving_high_ms, 1);
  }
}

TEST(Rules, data_movement_is_found_from_15_percent_on) {
  std::vector<OperatorRow> rows = {op("a", "GEMM", 2.4), op("b", "Elementwise", 2.4),
                                   op("c", "Convolution", 2.4),
                                   op("native_call_permute_copy.out", "Data Movement", 1.0)};
  EXPECT_THAT(fired(profile_of(rows, 0, 0)), Not(Contains("data-movement-share")));
  rows.back().avg_ms = 2.0;
  EXPECT_THAT(fired(profile_of(rows, 0, 0)), Contains("data-movement-share"));
}

TEST(Rules, framework_and_residual_are_told_apart) {
  const auto rows = balanced().operators;
  EXPECT_THAT(fired(profile_of(rows, 2, 0)), ::testing::ElementsAre("dispatch-overhead"));
  EXPECT_THAT(fired(profile_of(rows, 0, 2)), ::testing::ElementsAre("high-residual"));
}

TEST(Rules, trace_overhead_needs_an_untraced_run) {
  Profile profile = balanced();
  EXPECT_THAT(not_evaluated(profile), Contains("trace-overhead"));
  profile.accounting.untraced_ms = profile.accounting.end_to_end_ms;
  profile.accounting.trace_overhead = 0.02;
  EXPECT_THAT(fired(profile), IsEmpty());
  EXPECT_THAT(not_evaluated(profile), Not(Contains("trace-overhead")));
  profile.accounting.trace_overhead = 0.5;
  EXPECT_THAT(fired(profile), Contains("trace-overhead"));
}

TEST(Rules, a_cold_start_is_found) {
  Profile profile = balanced();
  profile.cold_ms = 11;
  profile.steady_ms = 10;
  EXPECT_THAT(fired(profile), IsEmpty());
  profile.cold_ms = 40;
  EXPECT_THAT(fired(profile), Contains("cold-start"));
}

TEST(Rules, documents_are_complete_and_ids_unique) {
  std::set<std::string_view> ids;
  for (const Rule* rule : all_rules()) {
    EXPECT_TRUE(ids.insert(rule->doc.id).second) << rule->doc.id;
    for (const std::string_view text :
         {rule->doc.detects, rule->doc.why, rule->doc.remedy, rule->doc.confirm, rule->doc.wrong_when}) {
      EXPECT_FALSE(text.empty()) << rule->doc.id;
      EXPECT_FALSE(text.ends_with('.')) << text;
    }
  }
}

}  // namespace
}  // namespace etalon::analysis
