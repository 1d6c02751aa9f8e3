// One operator takes a large part of the run.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

// Below this, halving the operator gains less than 15 % end to end (Amdahl).
constexpr double kMinShare = 0.3;

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kDominantOperator;
const Rule kDominantOperator = {{"dominant-operator", "one operator takes a large part of the run",
                                 "no change elsewhere can gain more than the rest of the run",
                                 "look at its shape, data type and kernel first: a faster kernel, a "
                                 "delegate, or a cheaper layer in the model",
                                 "replace or shrink this layer, export again and compare the two runs",
                                 "the model is so small that one layer is all there is"},
                                check};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (profile.operators.size() < 2) {
    findings.need(kDominantOperator.doc, profile, "at least two operators in the recording");
    return;
  }
  const OperatorRow& top = profile.operators.front();
  if (top.share < kMinShare) return;
  Finding finding;
  finding.rule = &kDominantOperator.doc;
  finding.severity = Severity::kAdvice;
  finding.profile = profile.name;
  finding.subject = top.name;
  finding.source = top.source;
  finding.evidence = {{"time", top.avg_ms, "ms"},
                      {"share of the run", top.share, "share"},
                      {"next operator's share", profile.operators[1].share, "share"}};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
