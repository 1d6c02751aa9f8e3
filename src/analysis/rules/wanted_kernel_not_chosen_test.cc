#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

OperatorRow refused(const std::string& reason, const std::string& isa, double ms) {
  OperatorRow row = op("native_call_convolution.out", "Convolution", ms);
  row.isa = isa;
  row.wanted_isa = "avx512";
  row.isa_reason = reason;
  return row;
}

}  // namespace

RuleCases cases_of_kWantedKernelNotChosen() {
  RuleCases cases;
  cases.fires = report_of({refused("no kernel for this node and its data types yet", "scalar", 3),
                           op("native_call_add.out", "Elementwise", 1)});
  cases.subject = "scalar instead of avx512: no kernel for this node";
  // The kernel was allowed, and another one judged faster.
  cases.silent =
      report_of({refused("avx512: gemm_8x32 takes this shape but is slower by estimate", "avx2", 3)});
  cases.missing = report_of({op("native_call_convolution.out", "Convolution", 3)});
  cases.needs = "kernel of each operator";
  return cases;
}

namespace {

TEST(WantedKernelNotChosen, the_remedy_follows_from_the_reason) {
  const auto remedy_of = [](const std::string& reason, const std::string& dtype) {
    Profile profile = profile_of({refused(reason, "scalar", 3)});
    profile.dtype = dtype;
    const auto found = found_by("wanted-kernel-not-chosen", report_of(profile));
    return found.empty() ? Remedy() : found[0].remedy;
  };
  EXPECT_EQ(remedy_of("no kernel for this node and its data types yet", "float16").kind, RemedyKind::kDtype);
  EXPECT_EQ(remedy_of("no kernel for this node and its data types yet", "float16").value, "fp32");
  EXPECT_EQ(remedy_of("no kernel for this node and its data types yet", "float32").kind, RemedyKind::kNone);
  EXPECT_EQ(remedy_of("amx: wants --math fast", "float32").kind, RemedyKind::kMath);
}

TEST(WantedKernelNotChosen, reasons_are_told_apart) {
  const auto found = found_by("wanted-kernel-not-chosen",
                              report_of({refused("one", "scalar", 3), refused("two", "avx2", 2)}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].severity, Severity::kWarning);
  EXPECT_DOUBLE_EQ(*found[0].saving_low_ms, 1.5);
  EXPECT_EQ(found_by("wanted-kernel-not-chosen", report_of({refused("one", "portable", 3)}))[0].severity,
            Severity::kWarning);
  EXPECT_EQ(found[1].severity, Severity::kAdvice);
  EXPECT_DOUBLE_EQ(*found[1].saving_low_ms, 0);
}

}  // namespace
}  // namespace etalon::analysis
