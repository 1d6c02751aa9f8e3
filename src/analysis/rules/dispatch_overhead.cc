// The runtime around the kernels takes a notable part of the run.
#include "analysis/rules/row_groups.h"
#include "analysis/rules/tiny_operators.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run around kernels", 0.10, "share",
                                 "in a model of a few milliseconds it is below 1 %"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kDispatchOverhead;
const Rule kDispatchOverhead = {
    .doc =
        {.id = "dispatch-overhead",
         .detects = "the runtime around the kernels takes a notable part of the run",
         .why = "every operator pays for its dispatch and every delegate call for entering and leaving it, "
                "however small the "
                "work",
         .remedy = "have fewer and larger operators: delegate connected parts as a whole, fuse activations, "
                   "avoid scalar "
                   "arithmetic in forward()",
         .confirm = "export with a delegate or with fusion and compare the framework row",
         .wrong_when =
             "tracing itself is a large part of the run (see trace-overhead), for it adds to this row first",
         .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kDispatchOverhead, profile, findings)) return;
  const Accounting& account = profile.accounting;
  const double share = account.framework_ms / account.end_to_end_ms;
  // tiny-operators tells the same with its cause.
  if (share < kMinShare.value || tiny_operators(profile)) return;
  Finding finding = make_finding(kDispatchOverhead, Severity::kAdvice, profile, "framework");
  const auto operators = static_cast<double>(profile.operators.size());
  finding.evidence = {{"time", account.framework_ms, "ms"},
                      {"share of the run", share, "share"},
                      {"operators", operators, "count"},
                      {"framework per operator", account.framework_ms * 1e6 / operators, "ns"}};
  if (profile.trace_cost)
    finding.evidence.push_back({"cost of one recorded event", profile.trace_cost->ns_per_event, "ns"});
  promise(0, account.framework_ms, profile, finding);
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
