#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

struct Step {
  const char* name;
  double ms;
};

Profile in_order(const std::vector<Step>& steps) {
  std::vector<OperatorRow> rows;
  for (const Step& step : steps) {
    rows.push_back(op(step.name, "Other", step.ms));
    rows.back().order = rows.size() - 1;
  }
  return profile_of(std::move(rows));
}

}  // namespace

RuleCases cases_of_kUnfusedActivation() {
  RuleCases cases;
  cases.fires = report_of(in_order({{"native_call_convolution.out", 5}, {"native_call_relu.out", 1}}));
  cases.subject = "relu";
  // It follows a pooling, which has nothing to fuse it into.
  cases.silent = report_of(in_order({{"native_call_max_pool2d.out", 5}, {"native_call_relu.out", 1}}));
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}

namespace {

TEST(UnfusedActivation, a_value_with_another_reader_cannot_be_fused) {
  Report report = report_of(in_order(
      {{"native_call_convolution.out", 5}, {"native_call_relu.out", 1}, {"native_call_add.out", 1}}));
  report.profiles[0].has_facts = true;
  ModelFacts& facts = report.facts.emplace();
  facts.nodes.resize(3);
  facts.nodes[0].writes = {1};
  facts.nodes[1].reads = {1};
  facts.nodes[1].writes = {2};
  for (OperatorRow& row : report.profiles[0].operators) row.nodes = {row.order};
  EXPECT_EQ(found_by("unfused-activation", report).size(), 1U);
  facts.nodes[2].reads = {1, 2};
  EXPECT_TRUE(found_by("unfused-activation", report).empty());
}

TEST(UnfusedActivation, curves_are_not_what_a_kernel_applies_while_storing) {
  EXPECT_TRUE(found_by("unfused-activation",
                       report_of(in_order({{"native_call_addmm.out", 5}, {"native_call_gelu.out", 1}})))
                  .empty());
}

}  // namespace
}  // namespace etalon::analysis
