// Activations that run as operators of their own instead of inside the operator before them.
#include "analysis/finding.h"

namespace etalon::analysis {

extern const Rule kManyActivations;

namespace {

// Below a twentieth of the run, fusing every one of them would not be noticed end to end.
constexpr double kMinShare = 0.05;

bool is_activation(const OperatorRow& row) {
  return row.op_type.find("relu") != std::string::npos || row.op_type.find("clamp") != std::string::npos;
}

void check(const Profile& profile, Findings& findings) {
  if (profile.operators.empty()) {
    findings.need(kManyActivations.doc, profile, "operators in the recording");
    return;
  }
  double ms = 0;
  double share = 0;
  std::size_t count = 0;
  for (const OperatorRow& row : profile.operators) {
    if (!is_activation(row) || row.delegated) continue;
    ms += row.avg_ms;
    share += row.share;
    ++count;
  }
  if (share < kMinShare) return;
  Finding finding;
  finding.rule = &kManyActivations.doc;
  finding.severity = Severity::kAdvice;
  finding.profile = profile.name;
  finding.subject = "activations";
  finding.evidence = {{"time", ms, "ms"}, {"share of the run", share, "share"}, {"operators", static_cast<double>(count), "count"}};
  finding.saving_low_ms = 0;
  finding.saving_high_ms = ms;
  findings.found.push_back(std::move(finding));
}

}  // namespace

extern const Rule kManyActivations = {
    {"many-activations", "activations run as operators of their own", "each reads and writes a whole tensor again",
     "delegate: backends fuse an activation into the convolution or addition before it",
     "export delegated and compare the two runs", "the tensors fit into the first-level cache"},
    check};

}  // namespace etalon::analysis
