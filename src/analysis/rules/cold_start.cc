// The first inference takes much longer than later ones.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kMinRatio = 1.5;

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kColdStart;
const Rule kColdStart = {{"cold-start", "the first inference takes much longer than later ones",
                          "memory is touched for the first time, weights are packed and caches are empty; a "
                          "user who runs the model once "
                          "sees only this",
                          "run the model once at start-up, or keep the process alive between inferences",
                          "compare the first iteration of several fresh processes",
                          "the model is only ever run in a warm process"},
                         check};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!profile.cold_ms || !profile.steady_ms || *profile.steady_ms <= 0) {
    findings.need(kColdStart.doc, profile, "the first run of a fresh process and steady runs after it");
    return;
  }
  const double ratio = *profile.cold_ms / *profile.steady_ms;
  if (ratio < kMinRatio) return;
  Finding finding;
  finding.rule = &kColdStart.doc;
  finding.profile = profile.name;
  finding.subject = "first inference";
  finding.evidence = {
      {"first", *profile.cold_ms, "ms"}, {"steady", *profile.steady_ms, "ms"}, {"ratio", ratio, "ratio"}};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
