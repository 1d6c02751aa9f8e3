// One operator takes a large part of the run.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run", 0.3, "share",
                                 "below, halving the operator gains less than 15 % end to end (Amdahl)"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kDominantOperator;
const Rule kDominantOperator = {
    .doc = {.id = "dominant-operator",
            .detects = "one operator takes a large part of the run",
            .why = "no change elsewhere can gain more than the rest of the run",
            .remedy = "look at its shape, data type and kernel first: a faster kernel, a delegate, or a "
                      "cheaper layer in the "
                      "model",
            .confirm = "replace or shrink this layer, export again and compare the two runs",
            .wrong_when = "the model is so small that one layer is all there is",
            .needs = "two operators at least"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (profile.operators.size() < 2) {
    findings.need(kDominantOperator.doc, profile, "at least two operators in the recording");
    return;
  }
  const OperatorRow& top = profile.operators.front();
  if (top.share < kMinShare.value) return;
  Finding finding = make_finding(kDominantOperator, Severity::kNote, profile, top.name);
  finding.source = top.source;
  finding.evidence = {{"time", top.avg_ms, "ms"},
                      {"share of the run", top.share, "share"},
                      {"next operator's share", profile.operators[1].share, "share"}};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
