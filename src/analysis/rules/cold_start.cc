// The first inference takes much longer than later ones.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinRatio = {
    "first over steady", 2, "ratio",
    "the memory of activations is touched for the first time in every first run"};
constexpr Threshold kMinExtraMs = {"first above steady", 5, "ms",
                                   "a third of a frame at 60 per second, and above what a busy machine adds"};
constexpr const Threshold* kThresholds[] = {&kMinRatio, &kMinExtraMs};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kColdStart;
const Rule kColdStart = {
    .doc = {.id = "cold-start",
            .detects = "the first inference takes much longer than later ones",
            .why = "memory is touched for the first time, weights are packed and caches are empty; a user "
                   "who runs the model "
                   "once sees only this",
            .remedy = "run the model once at start-up, or keep the process alive between inferences",
            .confirm = "compare the first iteration of several fresh processes",
            .wrong_when = "the model is only ever run in a warm process",
            .needs = "the first run of a fresh process, and steady runs after it"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!profile.cold_ms || !profile.steady_ms || *profile.steady_ms <= 0) {
    findings.need(kColdStart.doc, profile, "the first run of a fresh process and steady runs after it");
    return;
  }
  const double ratio = *profile.cold_ms / *profile.steady_ms;
  if (ratio < kMinRatio.value || *profile.cold_ms - *profile.steady_ms < kMinExtraMs.value) return;
  Finding finding = make_finding(kColdStart, Severity::kNote, profile, "first inference");
  finding.evidence = {
      {"first", *profile.cold_ms, "ms"}, {"steady", *profile.steady_ms, "ms"}, {"ratio", ratio, "ratio"}};
  // No saving per run: it is paid once per process.
  finding.remedy = {RemedyKind::kNone, "", "etalon run MODEL"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
