// Operators that the delegate left to the runtime, by what they cost.
#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run outside the delegate", 0.05, "share",
                                 "a smaller part cannot pay for a change of the model or of its export"};
// Four floats are the narrowest vector in use (SSE, NEON); half of that gain is left to memory.
constexpr Threshold kScalarGain = {
    "part of a scalar kernel's time that a vector kernel saves at least", 0.5, "share",
    "four lanes of 32 bits are the narrowest vectors there are; memory takes half of it"};
constexpr const Threshold* kThresholds[] = {&kMinShare, &kScalarGain};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kUndelegatedOperators;
const Rule kUndelegatedOperators = {
    .doc = {.id = "undelegated-operators",
            .detects = "operators run one by one outside the delegate",
            .why = "each is dispatched by itself, reads and writes memory that a fused kernel would not "
                   "touch, and may "
                   "run a plain kernel without vectors",
            .remedy = "export for a delegate; where it was, read with --explain why these were left out, and "
                      "change the "
                      "operator, its dtype or its shape in the model",
            .confirm = "export both ways and compare the two programs interleaved",
            .wrong_when = "the delegate has no faster kernel for them, as for gathers and look-ups",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

double certain_saving_ms(const RowGroup& group) {
  double ms = 0;
  for (const OperatorRow* row : group.rows) {
    if (is_scalar(*row)) ms += row->avg_ms * kScalarGain.value;
  }
  return ms;
}

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kUndelegatedOperators, profile, findings)) return;
  const RowGroup inside = select_rows(profile, [](const OperatorRow& row) { return row.delegated; });
  // Beside a delegate, norms have a rule of their own.
  const RowGroup outside = select_rows(profile, [&](const OperatorRow& row) {
    return !row.delegated && (inside.empty() || !is_norm(kind_of(row)));
  });
  if (outside.share < kMinShare.value) return;
  const bool nothing_delegated = inside.empty();
  Finding finding =
      make_finding(kUndelegatedOperators, nothing_delegated ? Severity::kWarning : Severity::kAdvice, profile,
                   nothing_delegated ? "nothing is delegated" : by_kind(outside).front().label);
  finding.evidence.push_back({"delegated", inside.share, "share"});
  add_group(outside, finding);
  promise(certain_saving_ms(outside), outside.ms - attainable_ms(outside).value_or(0), profile, finding);
  if (nothing_delegated) {
    finding.remedy = {RemedyKind::kBackend, "xnnpack", "etalon export MODEL --backend xnnpack"};
  } else {
    finding.remedy = {RemedyKind::kNone, "", "etalon export MODEL --backend xnnpack --explain"};
  }
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
