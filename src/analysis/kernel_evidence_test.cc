#include "analysis/kernel_evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/run_report.h"

namespace etalon::analysis {
namespace {

using ::testing::ElementsAre;

constexpr const char* kCsv =
    "model_id,kernel_name,category,count,isa,instruction,operation,isa_wanted,reason,tile,threads,shape\r\n"
    "m,f32_gemm_7x32__avx512f,gemm,1,avx512,3,Fully Connected (NC) GEMM #1,avx512,,7x32,2,1x8 -> 1x4\n"
    "m,f32_vadd__avx2,vadd,1,avx2,3,\"Add (ND), \"\"x\"\" #1\",avx512,\"no kernel, here\",,1,\n"
    "m,aten::mul.out,mul,1,portable,5,aten::mul.out,avx512,operators outside are plain,,1,\n"
    "m,xnn_f32_vclamp__sse2,vclamp,4,,,,,,,,\n";

OperatorRow row(std::int64_t instruction, const std::string& name, bool delegated, double ms = 1) {
  OperatorRow out;
  out.instruction = instruction;
  out.name = name;
  out.delegated = delegated;
  out.avg_ms = ms;
  return out;
}

Profile profile_with(const std::string& kernel, const std::string& isa, double ms = 1) {
  Profile profile;
  profile.operators = {row(3, "Fully Connected (NC) GEMM #1", true, ms), row(3, "Add (ND) #1", true, 1)};
  attach_kernels({{3, "Fully Connected (NC) GEMM #1", kernel, isa, isa, "", "7x32", "", 1},
                  {3, "Add (ND) #1", "f32_vadd__avx2", "avx2", isa, "", "", "", 1}},
                 profile);
  return profile;
}

TEST(KernelEvidence, rows_of_operators_are_read_and_counts_from_logs_left_out) {
  const auto kernels = read_kernels_csv(kCsv);
  ASSERT_EQ(kernels.size(), 3u);
  EXPECT_EQ(kernels[0].kernel, "f32_gemm_7x32__avx512f");
  EXPECT_EQ(kernels[0].tile, "7x32");
  EXPECT_EQ(kernels[0].threads, 2u);
  EXPECT_EQ(kernels[0].shape, "1x8 -> 1x4");
  EXPECT_EQ(kernels[1].operation, "Add (ND), \"x\" #1");
  EXPECT_EQ(kernels[1].reason, "no kernel, here");
}

TEST(KernelEvidence, metadata_of_events_is_read_and_that_of_others_left_alone) {
  KernelUse use;
  EXPECT_TRUE(read_kernel_metadata(
      R"({"kernel":"f32_gemm__avx2","isa":"avx2","isa_wanted":"avx512","reason":"K is 3","tile":"4x16","threads":2})", use));
  EXPECT_EQ(use.kernel, "f32_gemm__avx2");
  EXPECT_EQ(use.reason, "K is 3");
  EXPECT_EQ(use.threads, 2u);
  for (const char* other : {"", "{\"kernel\"", "{\"kernel\":1", "some backend's own bytes", "[1]"}) {
    KernelUse untouched;
    EXPECT_FALSE(read_kernel_metadata(other, untouched)) << other;
  }
}

TEST(KernelEvidence, files_that_are_no_tables_give_nothing) {
  EXPECT_TRUE(read_kernels_csv("").empty());
  EXPECT_TRUE(read_kernels_csv("\"\n\n,,,,\"\"\"").empty());
  EXPECT_TRUE(read_kernels_csv("model_id,kernel_name\nm,k\n").empty());
}

TEST(KernelEvidence, operator_calls_are_known_by_instruction_and_parts_of_delegates_by_name) {
  Profile profile;
  profile.operators = {row(5, "native_call_mul.out", false), row(3, "Fully Connected (NC) GEMM #1", true),
                       row(3, "Fully Connected (NC) GEMM #2", true)};
  attach_kernels(read_kernels_csv(kCsv), profile);
  EXPECT_EQ(profile.operators[0].isa, "portable");
  EXPECT_EQ(profile.operators[0].isa_reason, "operators outside are plain");
  EXPECT_EQ(profile.operators[1].kernel_hint, "f32_gemm_7x32__avx512f");
  EXPECT_EQ(profile.operators[2].isa, "");
}

TEST(KernelEvidence, changed_kernels_are_named_with_their_times) {
  const auto changed = compare_kernels(profile_with("f32_gemm_4x16__avx2", "avx2", 4), profile_with("f32_gemm_7x32__avx512f", "avx512", 2));
  EXPECT_EQ(changed.compared, 2u);
  EXPECT_EQ(changed.changed, 1u);
  ASSERT_EQ(changed.changes.size(), 1u);
  EXPECT_EQ(changed.changes[0].baseline_kernel, "f32_gemm_4x16__avx2");
  EXPECT_EQ(changed.changes[0].candidate_isa, "avx512");
  EXPECT_THAT(changed.changes[0].operators, ElementsAre("Fully Connected (NC) GEMM #1"));
  EXPECT_EQ(changed.changes[0].baseline_ms, 4);
  EXPECT_EQ(changed.changes[0].candidate_ms, 2);
}

Comparison comparison(const Profile& a, const Profile& b, bool differs) {
  Comparison out;
  out.label = "on against off";
  out.baseline = "off";
  out.candidate = "on";
  out.ratio = 0.9;
  out.kernels = compare_kernels(a, b);
  out.differs_in_kernels = differs;
  return out;
}

TEST(UnchangedKernels, fires_when_an_on_off_pair_ran_the_same_code) {
  Findings findings;
  check_comparison_rules(comparison(profile_with("k__avx2", "avx2"), profile_with("k__avx2", "avx2"), true), findings);
  ASSERT_EQ(findings.found.size(), 1u);
  EXPECT_EQ(findings.found[0].rule->id, "unchanged-kernels");
  EXPECT_EQ(findings.found[0].evidence[0].value, 2);
}

TEST(UnchangedKernels, is_silent_when_a_kernel_changed_or_the_pair_is_about_something_else) {
  Findings findings;
  const Profile avx2 = profile_with("k__avx2", "avx2");
  check_comparison_rules(comparison(avx2, profile_with("k__avx512f", "avx512"), true), findings);
  check_comparison_rules(comparison(avx2, avx2, false), findings);
  EXPECT_TRUE(findings.found.empty());
}

TEST(UnchangedKernels, says_what_it_needs_when_a_run_has_no_evidence) {
  Findings findings;
  check_comparison_rules(comparison(Profile(), profile_with("k__avx2", "avx2"), true), findings);
  // One side has operators that the other lacks, and none in both.
  EXPECT_TRUE(findings.found.empty());
  const auto told = std::count_if(findings.not_evaluated.begin(), findings.not_evaluated.end(),
                                  [](const NotEvaluated& item) { return item.rule == "unchanged-kernels"; });
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace etalon::analysis
