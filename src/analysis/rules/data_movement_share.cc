// Copies, transposes and conversions take a notable part of the run.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kMinShare = 0.15;

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kDataMovementShare;
const Rule kDataMovementShare = {
    {"data-movement-share", "copies, transposes, padding and conversions take a notable part of the run",
     "they move bytes and compute nothing, and grow in share as everything else gets faster",
     "keep one memory layout from input to output, drop permutes that cancel each other, and keep operators "
     "that force "
     "a copy out of the hot path",
     "remove the most expensive one from the model, export again and compare",
     "the copies are the model's purpose, as in a cache update or a gather"},
    check};

namespace {

const OperatorRow* most_expensive_move(const Profile& profile) {
  for (const OperatorRow& row : profile.operators) {
    if (row.category == kDataMovement) return &row;
  }
  return nullptr;
}

void check(const Profile& profile, Findings& findings) {
  if (profile.operators.empty()) {
    findings.need(kDataMovementShare.doc, profile, "operator events; the recording has none");
    return;
  }
  const OperatorRow* top = most_expensive_move(profile);
  if (top == nullptr) return;
  for (const CategoryRow& row : profile.categories) {
    if (row.name != kDataMovement || row.share < kMinShare) continue;
    Finding finding;
    finding.rule = &kDataMovementShare.doc;
    finding.severity = Severity::kAdvice;
    finding.profile = profile.name;
    finding.subject = top->name;
    finding.source = top->source;
    finding.evidence = {{"time", row.ms, "ms"},
                        {"share of the run", row.share, "share"},
                        {"operators", static_cast<double>(row.operators), "count"},
                        {"most expensive one", top->avg_ms, "ms"}};
    finding.saving_low_ms = 0;
    finding.saving_high_ms = row.ms;
    findings.found.push_back(std::move(finding));
  }
}

}  // namespace
}  // namespace etalon::analysis
