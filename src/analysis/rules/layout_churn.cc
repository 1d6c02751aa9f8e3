// Transposes, reshapes and copies that only carry values from one place to another.
#include <algorithm>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run in changes of layout", 0.05, "share",
                                 "a network that keeps one layout changes it at inputs and outputs only: "
                                 "below 1 % in a delegated MobileNetV2"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kLayoutChurn;
const Rule kLayoutChurn = {
    .doc = {.id = "layout-churn",
            .detects = "transposes, reshapes, copies and casts take a notable part of the run",
            .why = "they move bytes and compute nothing, and grow in share as everything else gets faster",
            .remedy = "keep one layout from input to output: drop permutes that cancel each other, give "
                      "inputs in the layout "
                      "that the kernels want, and keep operators that force a copy out of the hot path",
            .confirm = "remove the most expensive one from the model, export again and compare",
            .wrong_when = "the copies are the model's purpose, as in the update of a cache",
            .needs = "operator events; with the program file also the bytes moved"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

// XNNPACK's "Copy" is a concatenation as well, which only the program file can tell.
bool is_plain_copy(const OperatorRow& row, const ModelFacts* facts) {
  if (facts == nullptr || row.nodes.empty()) return false;
  return std::any_of(row.nodes.begin(), row.nodes.end(), [&](std::size_t node) {
    return node < facts->nodes.size() && !facts->nodes[node].op.starts_with("Concatenate");
  });
}

bool is_churn(const OperatorRow& row, const ModelFacts* facts) {
  const std::string kind = kind_of(row);
  if (!is_layout_change(kind)) return false;
  return !row.delegated || kind != "copy" || is_plain_copy(row, facts);
}

void check_profile(const Profile& profile, const ModelFacts* facts, Findings& findings) {
  if (!has_operators(kLayoutChurn, profile, findings)) return;
  const RowGroup churn = select_rows(profile, [&](const OperatorRow& row) { return is_churn(row, facts); });
  if (churn.empty() || churn.share < kMinShare.value) return;
  Finding finding = make_finding(kLayoutChurn, Severity::kAdvice, profile, churn.worst().name);
  add_group(churn, finding);
  const RowGroup work = select_rows(profile, [&](const OperatorRow& row) { return !is_churn(row, facts); });
  const std::optional<double> moved = known_bytes(churn);
  const std::optional<double> useful = known_bytes(work);
  if (moved) finding.evidence.push_back({"moved", *moved, "bytes"});
  if (moved && useful && *useful > 0) {
    finding.evidence.push_back(
        {"moved per byte that computation reads or writes", *moved / *useful, "ratio"});
  }
  promise(0, churn.ms, profile, finding);
  finding.remedy = {RemedyKind::kNone, "", "etalon export MODEL --print-graph"};
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const Profile& profile : report.profiles) check_profile(profile, facts_of(report, profile), findings);
}

}  // namespace
}  // namespace etalon::analysis
