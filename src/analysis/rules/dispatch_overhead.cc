// The runtime around the kernels takes a notable part of the run.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kMinShare = 0.10;

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kDispatchOverhead;
const Rule kDispatchOverhead = {
    {"dispatch-overhead", "the runtime around the kernels takes a notable part of the run",
     "every operator pays for its dispatch and every delegate call for entering and leaving it, however "
     "small the work",
     "have fewer and larger operators: delegate connected parts as a whole, fuse activations, avoid scalar "
     "arithmetic "
     "in forward()",
     "export with a delegate or with fusion and compare the framework row",
     "tracing itself is a large part of the run (see trace-overhead), for it adds to this row first"},
    check};

namespace {

void check(const Profile& profile, Findings& findings) {
  const Accounting& account = profile.accounting;
  if (profile.operators.empty() || account.end_to_end_ms <= 0) {
    findings.need(kDispatchOverhead.doc, profile, "operator events; the recording has none");
    return;
  }
  const double share = account.framework_ms / account.end_to_end_ms;
  if (share < kMinShare) return;
  Finding finding;
  finding.rule = &kDispatchOverhead.doc;
  finding.severity = Severity::kAdvice;
  finding.profile = profile.name;
  finding.subject = "framework";
  finding.evidence = {{"time", account.framework_ms, "ms"},
                      {"share of the run", share, "share"},
                      {"operators", static_cast<double>(profile.operators.size()), "count"}};
  finding.saving_low_ms = 0;
  finding.saving_high_ms = account.framework_ms;
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
