// A notable part of the run lies in no recorded instruction.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kMaxShare = 0.05;  // a profile that explains 95 % can be acted on

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kHighResidual;
const Rule kHighResidual = {{"high-residual", "a notable part of the run lies in no recorded instruction",
                             "time that no row explains cannot be acted on, and may hide the real cost",
                             "record again on a quiet machine with more runs; if it stays, look outside the "
                             "model: input preparation, thread "
                             "start-up, page faults",
                             "repeat the traced run and see whether the residual stays",
                             "the run takes a few microseconds, so that recording is most of it"},
                            check};

namespace {

void check(const Profile& profile, Findings& findings) {
  const Accounting& account = profile.accounting;
  if (account.end_to_end_ms <= 0) {
    findings.need(kHighResidual.doc, profile, "an end-to-end time above zero");
    return;
  }
  const double share = account.residual_ms / account.end_to_end_ms;
  if (share < kMaxShare) return;
  Finding finding;
  finding.rule = &kHighResidual.doc;
  finding.severity = Severity::kWarning;
  finding.profile = profile.name;
  finding.subject = "residual";
  finding.evidence = {{"time", account.residual_ms, "ms"}, {"share of the run", share, "share"}};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
