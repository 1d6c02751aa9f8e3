// Joins, slices, look-ups and padding take a notable part of the run.
#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {
    "share of the run", 0.15, "share",
    "networks that join their branches spend several percent on it, and mean it"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kDataMovementShare;
const Rule kDataMovementShare = {
    .doc = {.id = "data-movement-share",
            .detects = "joining, slicing, gathering and padding take a notable part of the run",
            .why = "they move bytes and compute nothing, and grow in share as everything else gets faster",
            .remedy = "let layers write where their reader wants the values, pad inside the convolution, and "
                      "slice once instead "
                      "of many times",
            .confirm = "remove the most expensive one from the model, export again and compare",
            .wrong_when = "moving is the model's purpose, as in the look-up of an embedding",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kDataMovementShare, profile, findings)) return;
  // Layouts and conversions have rules of their own.
  const RowGroup moves = select_rows(profile, [](const OperatorRow& row) {
    const std::string kind = kind_of(row);
    const bool other_rule =
        is_quantisation(kind) || (is_layout_change(kind) && !(row.delegated && kind == "copy"));
    return row.category == kDataMovement && !other_rule;
  });
  if (moves.empty() || moves.share < kMinShare.value) return;
  Finding finding = make_finding(kDataMovementShare, Severity::kAdvice, profile, moves.worst().name);
  add_group(moves, finding);
  promise(0, moves.ms, profile, finding);
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
