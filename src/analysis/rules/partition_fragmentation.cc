// The delegate got the network in many small pieces.
#include <set>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kFewest = {"calls of delegates at least", 4, "count",
                               "three pieces are an input, a body and an output, and normal"};
constexpr Threshold kMinShare = {
    "share of the run at the boundaries", 0.05, "share",
    "entering and leaving, and changes of layout between; less cannot be told from noise"};
constexpr const Threshold* kThresholds[] = {&kFewest, &kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kPartitionFragmentation;
const Rule kPartitionFragmentation = {
    .doc = {.id = "partition-fragmentation",
            .detects = "the delegate is called many times for small pieces of the network",
            .why = "every piece is entered and left, often with a change of layout on both sides, and "
                   "nothing is fused across "
                   "its edge",
            .remedy = "replace the operators between the pieces by ones that the delegate takes, or export "
                      "small pieces "
                      "without it",
            .confirm = "export with the operators replaced and compare interleaved",
            .wrong_when = "the operators between the pieces take nearly all of the time",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kPartitionFragmentation, profile, findings)) return;
  std::set<std::int64_t> calls;
  for (const OperatorRow& row : profile.operators) {
    if (row.delegated) calls.insert(row.instruction);
  }
  if (static_cast<double>(calls.size()) < kFewest.value) return;
  const RowGroup inside = select_rows(profile, [](const OperatorRow& row) { return row.delegated; });
  const RowGroup between = select_rows(profile, [](const OperatorRow& row) { return !row.delegated; });
  const RowGroup changes = select_rows(profile, [](const OperatorRow& row) {
    const std::string kind = kind_of(row);
    return is_layout_change(kind) && kind != "copy";
  });
  const double boundary_ms = changes.ms + profile.accounting.framework_ms;
  const double end_to_end = profile.accounting.end_to_end_ms;
  if (boundary_ms < kMinShare.value * end_to_end) return;
  Finding finding =
      make_finding(kPartitionFragmentation, Severity::kAdvice, profile,
                   between.empty() ? std::string("delegate calls") : by_kind(between).front().label);
  const auto pieces = static_cast<double>(calls.size());
  finding.evidence = {{"delegate calls", pieces, "count"},
                      {"work per call", inside.ms / pieces, "ms"},
                      {"operators between", between.count(), "count"},
                      {"changes of layout", changes.ms, "ms"},
                      {"framework", profile.accounting.framework_ms, "ms"},
                      {"share at the boundaries", boundary_ms / end_to_end, "share"}};
  promise(0, boundary_ms, profile, finding);
  finding.remedy = {RemedyKind::kNone, "", "etalon export MODEL --backend xnnpack --explain"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
