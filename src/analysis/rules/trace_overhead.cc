// Recording changed what it measured.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kMaxOverhead = 0.10;

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kTraceOverhead;
const Rule kTraceOverhead = {
    {"trace-overhead", "recording slowed the run down, so that operator times are estimates",
     "operator times are scaled to the untraced run, which assumes that recording costs every operator in "
     "proportion",
     "trust the end-to-end time as it is and shares of operators above a few percent",
     "compare the shares with those of a run that records fewer events",
     "the machine was busy during the traced run, so that the difference is noise"},
    check};

namespace {

void check(const Profile& profile, Findings& findings) {
  const Accounting& account = profile.accounting;
  if (!account.trace_overhead) {
    findings.need(kTraceOverhead.doc, profile, "an untraced timing run beside the recording");
    return;
  }
  if (*account.trace_overhead < kMaxOverhead) return;
  Finding finding;
  finding.rule = &kTraceOverhead.doc;
  finding.profile = profile.name;
  finding.subject = "recording";
  finding.evidence = {{"overhead", *account.trace_overhead, "share"},
                      {"traced", account.traced_ms, "ms"},
                      {"untraced", *account.untraced_ms, "ms"}};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
