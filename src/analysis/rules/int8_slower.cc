// The quantised model is slower than the model in floats.
#include "analysis/rules/narrow_dtype.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinSlower = {"slower by, where there is no verdict", measure::kSessionMargin, "share",
                                  "what two sessions may differ by without any cause"};
constexpr const Threshold* kThresholds[] = {&kMinSlower};

void check_pair(const Comparison& comparison, Findings& findings);
void check_report(const Report& report, Findings& findings);

}  // namespace

extern const Rule kInt8Slower;
const Rule kInt8Slower = {
    .doc = {.id = "int8-slower",
            .detects = "the model in int8 is slower than the same model in floats",
            .why = "integers pay only where kernels multiply them directly: conversions, operators left in "
                   "float between "
                   "quantised ones, and kernels without dot products eat the gain",
            .remedy = "look at the operators that became slower: quantise islands of floats too or leave "
                      "them out with their "
                      "conversions, use per-channel weights, or keep the wider dtype",
            .confirm =
                "compare the two programs interleaved, and again after the named operators were changed",
            .wrong_when = "memory or the size of the file was the reason to quantise",
            .needs = "a comparison with the same model in fp32 or fp16, and the dtype of both"},
    .check_comparison = check_pair,
    .check_report = check_report,
    .thresholds = kThresholds};

namespace {

void check_pair(const Comparison& comparison, Findings& findings) {
  check_narrow_dtype(kInt8Slower, kMinSlower, "int8", {"float32", "float16"}, comparison, findings);
}

void check_report(const Report& report, Findings& findings) {
  need_comparison(kInt8Slower, "int8", report, findings);
}

}  // namespace
}  // namespace etalon::analysis
