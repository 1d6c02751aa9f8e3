// The same value is quantised more than once in the same way.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run in repeated conversions", 0.01, "share",
                                 "below, removing them cannot be told from noise"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kDuplicateQuantiseChains;
const Rule kDuplicateQuantiseChains = {
    .doc = {.id = "duplicate-quantise-chains",
            .detects = "one value is quantised or dequantised several times in the same way",
            .why = "layers that read the same value each bring their own conversion, as the three "
                   "projections of attention do",
            .remedy = "merge equal conversions before export (the pass merge-common-subexpressions does)",
            .confirm = "export with the pass and compare: fewer conversions, equal outputs",
            .wrong_when = "the conversions differ in something that the program does not tell",
            .needs = "the data flow of the program file"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

using Key = std::tuple<std::string, std::vector<std::int64_t>, std::string, std::map<std::string, double>>;

// Nodes that repeat an earlier one.
std::set<std::size_t> repeated_nodes(const ModelFacts& facts) {
  std::set<Key> seen;
  std::set<std::size_t> repeated;
  for (std::size_t i = 0; i < facts.nodes.size(); ++i) {
    const NodeFacts& node = facts.nodes[i];
    if (node.reads.empty() || !is_quantisation(operator_base_name(node.op))) continue;
    if (!seen.insert({node.op, node.reads, node.dtype, node.attributes}).second) repeated.insert(i);
  }
  return repeated;
}

void check_profile(const Profile& profile, const ModelFacts& facts, Findings& findings) {
  const std::set<std::size_t> repeated = repeated_nodes(facts);
  const RowGroup rows = select_rows(profile, [&](const OperatorRow& row) {
    return std::any_of(row.nodes.begin(), row.nodes.end(),
                       [&](std::size_t node) { return repeated.count(node) > 0; });
  });
  if (rows.empty() || rows.share < kMinShare.value) return;
  Finding finding = make_finding(kDuplicateQuantiseChains, Severity::kAdvice, profile, kind_of(rows.worst()));
  add_group(rows, finding);
  promise(rows.ms / 2, rows.ms, profile, finding);
  finding.remedy = {RemedyKind::kPass, "merge-common-subexpressions", "etalon export MODEL"};
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const Profile& profile : report.profiles) {
    if (const ModelFacts* facts = facts_of(report, profile); facts != nullptr && !profile.operators.empty())
      check_profile(profile, *facts, findings);
    else
      findings.need(kDuplicateQuantiseChains.doc, profile, "the data flow of the program file");
  }
}

}  // namespace
}  // namespace etalon::analysis
