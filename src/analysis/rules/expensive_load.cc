// Loading the program takes much longer than running it.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinLoadMs = {
    "time to load", 100, "ms",
    "a tenth of a second is what a person feels as immediate (Miller 1968, Nielsen 1993)"};
constexpr Threshold kMinRatio = {"time to load over a steady run", 5, "ratio",
                                 "below, five inferences hide it"};
constexpr const Threshold* kThresholds[] = {&kMinLoadMs, &kMinRatio};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kExpensiveLoad;
const Rule kExpensiveLoad = {
    .doc = {.id = "expensive-load",
            .detects = "loading the program takes much longer than running it",
            .why = "weights are read and copied into the order that kernels want, each time a process starts",
            .remedy = "keep the packed weights beside the program with `etalon prepack`, or load once and "
                      "keep the process",
            .confirm = "run `etalon prepack MODEL` and measure the time to load again",
            .wrong_when = "the file was not in the page cache, so that the disk was measured",
            .needs = "the time to load, and steady runs"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  const double steady = profile.accounting.end_to_end_ms;
  if (!profile.load_ms || steady <= 0) {
    findings.need(kExpensiveLoad.doc, profile, "the time to load, and steady runs");
    return;
  }
  const double ratio = *profile.load_ms / steady;
  if (*profile.load_ms < kMinLoadMs.value || ratio < kMinRatio.value) return;
  Finding finding = make_finding(kExpensiveLoad, Severity::kAdvice, profile, "load");
  finding.evidence = {{"load", *profile.load_ms, "ms"}, {"steady", steady, "ms"}, {"ratio", ratio, "ratio"}};
  if (profile.memory.packed_weights) {
    finding.evidence.push_back({"packed weights", *profile.memory.packed_weights, "bytes"});
  }
  // No saving per run: it is paid once per process.
  finding.remedy = {RemedyKind::kPrepack, "", "etalon prepack MODEL"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
