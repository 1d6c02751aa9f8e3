// Norms stand between delegates and cut the network into pieces.
#include <set>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run in norms", 0.03, "share",
                                 "less cannot pay for a change of the model or of its engine"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kNormsOutsideDelegate;
const Rule kNormsOutsideDelegate = {
    .doc = {.id = "norms-outside-delegate",
            .detects = "layer, group or batch norms run as operators between calls of the delegate",
            .why = "each one ends a delegate and begins the next, and passes over memory several times while "
                   "the delegate "
                   "waits",
            .remedy = "use a batch norm that folds into the layer before it, or an engine with a fused "
                      "kernel for the norm",
            .confirm =
                "run the same program with the other engine, or the model with other norms, interleaved",
            .wrong_when = "accuracy depends on this norm, and its kernel is as fast as memory allows",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kNormsOutsideDelegate, profile, findings)) return;
  std::set<std::int64_t> delegates;
  for (const OperatorRow& row : profile.operators) {
    if (row.delegated) delegates.insert(row.instruction);
  }
  if (delegates.empty()) return;  // undelegated-operators speaks of the whole program
  const RowGroup norms =
      select_rows(profile, [](const OperatorRow& row) { return !row.delegated && is_norm(kind_of(row)); });
  if (norms.empty() || norms.share < kMinShare.value) return;
  Finding finding = make_finding(kNormsOutsideDelegate, Severity::kAdvice, profile, kind_of(norms.worst()));
  add_group(norms, finding);
  finding.evidence.push_back({"delegate calls", static_cast<double>(delegates.size()), "count"});
  finding.evidence.push_back({"framework", profile.accounting.framework_ms, "ms"});
  promise(0, norms.ms - attainable_ms(norms).value_or(0) + profile.accounting.framework_ms, profile, finding);
  // Without evidence of kernels it was not our engine that ran.
  if (norms.worst().isa.empty()) {
    finding.remedy = {RemedyKind::kEngine, "native", "etalon profile MODEL --engine native"};
  } else {
    finding.remedy = {RemedyKind::kNone, "", "etalon export MODEL --backend xnnpack --explain"};
  }
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
