// Batch norm runs as an operator of its own.
#include <string_view>

#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kNotableShare = 0.01;  // below, removing it cannot be told from noise

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kUnfusedBatchNorm;
const Rule kUnfusedBatchNorm = {
    {"unfused-batch-norm", "batch norm runs as an operator of its own",
     "in inference it is a multiply and an add per channel that fold into the convolution or linear layer "
     "before it, "
     "so each one is a pass over memory for nothing",
     "put the model in eval mode before export and export with folding (the default of 'etalon export'); "
     "where an "
     "activation stands between the layers, swap them in the model",
     "export again with folding and compare; the rows are gone and the outputs agree to rounding",
     "the layer before it feeds other consumers as well, so that it cannot be folded"},
    check};

namespace {

bool is_batch_norm(std::string_view name) {
  const std::string base = operator_base_name(name);
  return base.find("batch_norm") != std::string::npos;
}

void check(const Profile& profile, Findings& findings) {
  Finding finding;
  double ms = 0;
  double rows = 0;
  double share = 0;
  const OperatorRow* worst = nullptr;
  for (const OperatorRow& row : profile.operators) {
    if (!is_batch_norm(row.name) && !is_batch_norm(row.op_type)) continue;
    if (worst == nullptr) worst = &row;
    ms += row.avg_ms;
    share += row.share;
    rows += 1;
  }
  if (profile.operators.empty()) {
    findings.need(kUnfusedBatchNorm.doc, profile, "operator events; the recording has none");
    return;
  }
  if (worst == nullptr) return;
  finding.rule = &kUnfusedBatchNorm.doc;
  finding.severity = share >= kNotableShare ? Severity::kWarning : Severity::kNote;
  finding.profile = profile.name;
  finding.subject = worst->name;
  finding.source = worst->source;
  finding.evidence = {
      {"batch norm operators", rows, "count"}, {"time", ms, "ms"}, {"share of the run", share, "share"}};
  finding.saving_low_ms = 0;
  finding.saving_high_ms = ms;
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
