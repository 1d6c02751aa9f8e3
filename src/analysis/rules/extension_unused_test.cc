#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kExtensionUnused() {
  RuleCases cases;
  cases.fires = healthy_report();
  cases.fires.manifest.results[0].isa_wanted = "avx512vnni";  // and float kernels of avx512 ran
  cases.subject = "avx512vnni";
  cases.silent = healthy_report();
  cases.silent.manifest.results[0].isa_wanted = "avx512";
  cases.missing = healthy_report();
  cases.missing.manifest.device.erase("cpu_features");
  cases.needs = "features";
  return cases;
}

namespace {

Report limited_to(const std::string& isa) {
  Report report = healthy_report();
  for (Profile& profile : report.profiles) {
    for (OperatorRow& row : profile.operators) row.isa = row.wanted_isa = isa;
  }
  return report;
}

TEST(ExtensionUnused, a_machine_with_wider_vectors_is_told_once_per_run) {
  const Report report = limited_to("avx2");
  const auto found = found_by("extension-unused", report);
  ASSERT_EQ(found.size(), report.profiles.size());
  EXPECT_EQ(found[0].remedy.kind, RemedyKind::kIsa);
  EXPECT_EQ(found[0].remedy.value, "avx512");
  EXPECT_NEAR(*found[0].saving_high_ms, report.profiles[0].accounting.operators_ms / 2, 1e-9);
}

TEST(ExtensionUnused, the_off_side_of_a_pair_is_off_on_purpose) {
  Report report = limited_to("avx2");
  report.profiles[1].operators[0].isa = report.profiles[1].operators[0].wanted_isa = "avx512";
  EXPECT_TRUE(found_by("extension-unused", report).empty());
}

TEST(ExtensionUnused, a_dtype_without_kernels_is_not_a_forgotten_flag) {
  Report report = limited_to("scalar");
  for (Profile& profile : report.profiles) {
    for (OperatorRow& row : profile.operators) row.wanted_isa = "avx512";
  }
  EXPECT_TRUE(found_by("extension-unused", report).empty());
}

}  // namespace
}  // namespace etalon::analysis
