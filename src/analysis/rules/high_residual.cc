// A notable part of the run lies in no recorded instruction.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMaxShare = {"share of the run", 0.05, "share",
                                 "a profile that explains 95 % can be acted on"};
constexpr const Threshold* kThresholds[] = {&kMaxShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kHighResidual;
const Rule kHighResidual = {
    .doc = {.id = "high-residual",
            .detects = "a notable part of the run lies in no recorded instruction",
            .why = "time that no row explains cannot be acted on, and may hide the real cost",
            .remedy = "record again on a quiet machine with more runs; if it stays, look outside the model: "
                      "input preparation, "
                      "thread start-up, page faults",
            .confirm = "repeat the traced run and see whether the residual stays",
            .wrong_when = "the run takes a few microseconds, so that recording is most of it",
            .needs = "an end-to-end time"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  const Accounting& account = profile.accounting;
  if (account.end_to_end_ms <= 0) {
    findings.need(kHighResidual.doc, profile, "an end-to-end time above zero");
    return;
  }
  const double share = account.residual_ms / account.end_to_end_ms;
  if (share < kMaxShare.value) return;
  Finding finding = make_finding(kHighResidual, Severity::kWarning, profile, "residual");
  finding.evidence = {{"time", account.residual_ms, "ms"}, {"share of the run", share, "share"}};
  finding.remedy = {RemedyKind::kNone, "", "etalon profile MODEL --fresh"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
