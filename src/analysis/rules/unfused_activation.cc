// A clamp runs as an operator of its own after a layer that could have applied it.
#include <algorithm>
#include <map>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run in such activations", 0.02, "share",
                                 "below, removing them cannot be told from noise"};
constexpr Threshold kSurely = {"part of their time that fusing saves at least", 0.5, "share",
                               "the pass over memory goes, two instructions per vector stay"};
constexpr const Threshold* kThresholds[] = {&kMinShare, &kSurely};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kUnfusedActivation;
const Rule kUnfusedActivation = {
    .doc =
        {.id = "unfused-activation",
         .detects = "ReLU, ReLU6 or clamp runs alone after a convolution, linear layer or sum",
         .why =
             "kernels limit values for nothing while they store them; alone it is one more pass over memory",
         .remedy =
             "export for a delegate that fuses, and let nothing but the activation read the layer's output",
         .confirm = "export with fusion and compare: the rows are gone and outputs are equal",
         .wrong_when = "the layer's output has another reader, so that it is needed without the activation",
         .needs = "operator events"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

bool may_clamp(std::string_view kind) {
  return is_product(kind) || kind == "add" || kind == "sub" || kind == "add2";
}

// The operator that ran just before; with the program at hand it must also be the one that made the value.
using ByOrder = std::map<std::size_t, const OperatorRow*>;

bool reads_only(const OperatorRow& row, const OperatorRow& before, const ModelFacts& facts) {
  for (const std::size_t index : row.nodes) {
    for (const std::size_t made : before.nodes) {
      if (index >= facts.nodes.size() || made >= facts.nodes.size()) continue;
      for (const std::int64_t value : facts.nodes[made].writes) {
        const auto reads = [value](const NodeFacts& node) {
          return std::find(node.reads.begin(), node.reads.end(), value) != node.reads.end();
        };
        if (reads(facts.nodes[index]))
          return std::count_if(facts.nodes.begin(), facts.nodes.end(), reads) == 1;
      }
    }
  }
  return false;
}

bool is_unfused(const OperatorRow& row, const ByOrder& order, const ModelFacts* facts) {
  if (!is_clamp(kind_of(row)) || row.order == 0) return false;
  const auto before = order.find(row.order - 1);
  if (before == order.end() || before->second->delegated != row.delegated) return false;
  if (!may_clamp(kind_of(*before->second))) return false;
  if (facts == nullptr || row.nodes.empty() || before->second->nodes.empty()) return true;
  return reads_only(row, *before->second, *facts);
}

void check_profile(const Profile& profile, const ModelFacts* facts, Findings& findings) {
  if (!has_operators(kUnfusedActivation, profile, findings)) return;
  ByOrder order;
  for (const OperatorRow& row : profile.operators) order[row.order] = &row;
  const RowGroup group =
      select_rows(profile, [&](const OperatorRow& row) { return is_unfused(row, order, facts); });
  if (group.empty() || group.share < kMinShare.value) return;
  Finding finding = make_finding(kUnfusedActivation, Severity::kAdvice, profile, kind_of(group.worst()));
  add_group(group, finding);
  promise(group.ms * kSurely.value, group.ms, profile, finding);
  if (!group.worst().delegated) {
    finding.remedy = {RemedyKind::kBackend, "xnnpack", "etalon export MODEL --backend xnnpack"};
  }
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const Profile& profile : report.profiles) check_profile(profile, facts_of(report, profile), findings);
}

}  // namespace
}  // namespace etalon::analysis
