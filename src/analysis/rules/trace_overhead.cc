// Recording changed what it measured.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMaxOverhead = {"traced over untraced, less one", 0.10, "share",
                                    "above, shares of small operators are off by more than they differ"};
constexpr const Threshold* kThresholds[] = {&kMaxOverhead};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kTraceOverhead;
const Rule kTraceOverhead = {
    .doc = {.id = "trace-overhead",
            .detects = "recording slowed the run down, so that operator times are estimates",
            .why = "operator times are scaled to the untraced run, which assumes that recording costs every "
                   "operator in "
                   "proportion",
            .remedy = "trust the end-to-end time as it is and shares of operators above a few percent",
            .confirm = "compare the shares with those of a run that records fewer events",
            .wrong_when = "the machine was busy during the traced run, so that the difference is noise",
            .needs = "an untraced timing run beside the recording"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  const Accounting& account = profile.accounting;
  if (!account.trace_overhead || !account.untraced_ms) {
    findings.need(kTraceOverhead.doc, profile, "an untraced timing run beside the recording");
    return;
  }
  if (*account.trace_overhead < kMaxOverhead.value) return;
  Finding finding = make_finding(kTraceOverhead, Severity::kNote, profile, "recording");
  finding.evidence = {{"overhead", *account.trace_overhead, "share"},
                      {"traced", account.traced_ms, "ms"},
                      {"untraced", *account.untraced_ms, "ms"}};
  if (profile.trace_cost)
    finding.evidence.push_back({"cost of one recorded event", profile.trace_cost->ns_per_event, "ns"});
  finding.remedy = {RemedyKind::kNone, "", "etalon profile MODEL --fresh"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
