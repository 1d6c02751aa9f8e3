// The model in half precision is slower than the model in single precision.
#include "analysis/rules/narrow_dtype.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinSlower = {"slower by, where there is no verdict", measure::kSessionMargin, "share",
                                  "what two sessions may differ by without any cause"};
constexpr const Threshold* kThresholds[] = {&kMinSlower};

void check_pair(const Comparison& comparison, Findings& findings);
void check_report(const Report& report, Findings& findings);

}  // namespace

extern const Rule kFp16Slower;
const Rule kFp16Slower = {
    .doc = {.id = "fp16-slower",
            .detects = "the model in fp16 is slower than the same model in fp32",
            .why = "this machine or this engine has no fast kernels for half floats, so that values are "
                   "converted back and "
                   "forth or computed one by one",
            .remedy =
                "export in fp32 for this machine, or in bfloat16 or int8 where it has instructions for them",
            .confirm = "compare the two programs interleaved",
            .wrong_when = "memory or the size of the file was the reason for fp16",
            .needs = "a comparison with the same model in fp32, and the dtype of both"},
    .check_comparison = check_pair,
    .check_report = check_report,
    .thresholds = kThresholds};

namespace {

void check_pair(const Comparison& comparison, Findings& findings) {
  check_narrow_dtype(kFp16Slower, kMinSlower, "float16", {"float32"}, comparison, findings);
}

void check_report(const Report& report, Findings& findings) {
  need_comparison(kFp16Slower, "float16", report, findings);
}

}  // namespace
}  // namespace etalon::analysis
