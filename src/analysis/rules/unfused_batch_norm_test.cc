#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kUnfusedBatchNorm() {
  RuleCases cases;
  cases.fires = healthy_report_with({op("native_call__native_batch_norm_legit_no_training.out", "Other", 1)});
  cases.subject = "batch_norm";
  cases.silent = healthy_report_with({op("native_call_native_layer_norm.out", "Other", 1)});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}

namespace {

TEST(UnfusedBatchNorm, is_found_under_each_of_its_names_with_the_pass_that_folds_it) {
  for (const char* name :
       {"native_call__native_batch_norm_legit_no_training.out", "aten::native_batch_norm.out"}) {
    const auto found = found_by("unfused-batch-norm",
                                report_of({op(name, "Other", 1), op("native_call_mm.out", "GEMM", 9)}));
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_EQ(found[0].severity, Severity::kWarning);
    EXPECT_EQ(found[0].remedy.value, "fold-batch-norm");
    EXPECT_DOUBLE_EQ(*found[0].saving_high_ms, 1);
  }
}

}  // namespace
}  // namespace etalon::analysis
