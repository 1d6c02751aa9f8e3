// Operators whose kernel is not of the instruction set that was allowed, by the reason for it.
#include <algorithm>
#include <set>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run with another kernel for one reason", 0.05, "share",
                                 "a smaller part cannot pay for a change of dtype or shape"};
constexpr Threshold kScalarGain = {
    "part of a scalar kernel's time that a vector kernel saves at least", 0.5, "share",
    "four lanes of 32 bits are the narrowest vectors there are; memory takes half of it"};
constexpr const Threshold* kThresholds[] = {&kMinShare, &kScalarGain};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kWantedKernelNotChosen;
const Rule kWantedKernelNotChosen = {
    .doc = {.id = "wanted-kernel-not-chosen",
            .detects = "operators ran kernels below the instruction set that was allowed",
            .why = "narrower vectors, or none, do a fraction of the work per cycle",
            .remedy = "act on the reason: another dtype, channels that are a multiple of the tile, or a math "
                      "mode that allows "
                      "the kernel",
            .confirm = "change what the reason names, and compare the two programs or modes interleaved",
            .wrong_when = "the operators are bound by memory, which a wider kernel does not make faster",
            .needs = "evidence of kernels"},
    .check = check,
    .thresholds = kThresholds};

namespace {

// A kernel that was allowed and judged slower was not missed.
bool is_missed(const OperatorRow& row) {
  return !row.isa.empty() && !row.wanted_isa.empty() && row.isa != row.wanted_isa &&
         !row.isa_reason.ends_with("is slower by estimate");
}

Remedy remedy_for(const OperatorRow& row, const Profile& profile) {
  if (row.isa_reason.find("--math fast") != std::string::npos) {
    return {RemedyKind::kMath, "fast", "etalon run MODEL --math fast"};
  }
  const bool about_dtype = row.isa_reason.find("data type") != std::string::npos;
  const bool is_half = profile.dtype == "float16" || row.dtype.starts_with("F16");
  if (about_dtype && is_half) return {RemedyKind::kDtype, "fp32", "etalon export MODEL --dtype fp32"};
  return {RemedyKind::kNone, "", "etalon inspect MODEL --isa " + row.wanted_isa};
}

void check(const Profile& profile, Findings& findings) {
  std::set<std::string> reasons;
  bool has_evidence = false;
  for (const OperatorRow& row : profile.operators) {
    has_evidence = has_evidence || !row.isa.empty();
    if (is_missed(row)) reasons.insert(row.isa_reason);
  }
  if (!has_evidence) {
    findings.need(kWantedKernelNotChosen.doc, profile,
                  "the kernel of each operator, as our own runner tells it");
    return;
  }
  for (const std::string& reason : reasons) {
    const RowGroup group = select_rows(
        profile, [&](const OperatorRow& row) { return is_missed(row) && row.isa_reason == reason; });
    if (group.share < kMinShare.value) continue;
    const OperatorRow& worst = group.worst();
    const bool scalar = is_scalar(worst);
    Finding finding = make_finding(
        kWantedKernelNotChosen, scalar ? Severity::kWarning : Severity::kAdvice, profile,
        worst.isa + " instead of " + worst.wanted_isa + (reason.empty() ? std::string() : ": " + reason));
    add_group(group, finding);
    promise(scalar ? group.ms * kScalarGain.value : 0, group.ms - attainable_ms(group).value_or(0), profile,
            finding);
    finding.remedy = remedy_for(worst, profile);
    findings.found.push_back(std::move(finding));
  }
}

}  // namespace
}  // namespace etalon::analysis
