// Batch norm runs as an operator of its own.
#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kNotableShare = {
    "share of the run that makes it a warning", 0.01, "share",
    "below, removing it cannot be told from noise, but it is a mistake of the export still"};
constexpr const Threshold* kThresholds[] = {&kNotableShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kUnfusedBatchNorm;
const Rule kUnfusedBatchNorm = {
    .doc = {.id = "unfused-batch-norm",
            .detects = "batch norm runs as an operator of its own",
            .why = "in inference it is a multiply and an add per channel that fold into the convolution or "
                   "linear layer before "
                   "it, so each one is a pass over memory for nothing",
            .remedy = "put the model in eval mode before export and export with folding (the default of "
                      "'etalon export'); where "
                      "an activation stands between the layers, swap them in the model",
            .confirm =
                "export again with folding and compare; the rows are gone and the outputs agree to rounding",
            .wrong_when = "the layer before it feeds other consumers as well, so that it cannot be folded",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kUnfusedBatchNorm, profile, findings)) return;
  const RowGroup norms = select_rows(profile, [](const OperatorRow& row) {
    return is_batch_norm(kind_of(row)) || is_batch_norm(operator_base_name(row.op_type));
  });
  if (norms.empty()) return;
  const Severity severity = norms.share >= kNotableShare.value ? Severity::kWarning : Severity::kNote;
  Finding finding = make_finding(kUnfusedBatchNorm, severity, profile, norms.worst().name);
  add_group(norms, finding);
  promise(norms.ms / 2, norms.ms, profile, finding);
  finding.remedy = {RemedyKind::kPass, "fold-batch-norm", "etalon export MODEL"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
