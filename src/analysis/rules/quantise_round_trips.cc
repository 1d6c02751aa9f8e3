// Values that leave integers only to come back.
#include <algorithm>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {
    "share of the run in conversions", 0.05, "share",
    "a quantised network converts at its inputs and outputs, for less than this"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kQuantiseRoundTrips;
const Rule kQuantiseRoundTrips = {
    .doc = {.id = "quantise-round-trips",
            .detects =
                "conversions between integers and floats inside the network take a notable part of the run",
            .why = "an operator without an integer kernel, or one left out of quantisation, makes its "
                   "neighbours convert to "
                   "float and back, which costs passes over memory and what int8 had won",
            .remedy = "quantise the operator in between, or leave its neighbours in float too; a dequantise "
                      "that only a quantise "
                      "of the same scale reads can go",
            .confirm = "export with the island quantised, and compare time and accuracy",
            .wrong_when = "quantisation is dynamic, where each layer quantises its own input",
            .needs = "operator events; with the program file also the pairs"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

bool reads_any(const NodeFacts& node, const std::vector<std::int64_t>& values) {
  return std::any_of(node.reads.begin(), node.reads.end(), [&](std::int64_t value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  });
}

// Dequantise nodes whose value goes straight into a quantise node.
std::size_t direct_pairs(const ModelFacts& facts) {
  std::size_t pairs = 0;
  for (const NodeFacts& node : facts.nodes) {
    if (!is_dequantise(operator_base_name(node.op))) continue;
    pairs += static_cast<std::size_t>(
        std::count_if(facts.nodes.begin(), facts.nodes.end(), [&](const NodeFacts& reader) {
          return is_quantise(operator_base_name(reader.op)) && reads_any(reader, node.writes);
        }));
  }
  return pairs;
}

void check_profile(const Profile& profile, const ModelFacts* facts, Findings& findings) {
  if (!has_operators(kQuantiseRoundTrips, profile, findings)) return;
  const RowGroup rows =
      select_rows(profile, [](const OperatorRow& row) { return is_quantisation(kind_of(row)); });
  // One into integers and one out of them are what any quantised network has.
  if (rows.count() <= 2 || rows.share < kMinShare.value) return;
  Finding finding = make_finding(kQuantiseRoundTrips, Severity::kAdvice, profile, kind_of(rows.worst()));
  add_group(rows, finding);
  if (facts != nullptr)
    finding.evidence.push_back(
        {"dequantise read by quantise", static_cast<double>(direct_pairs(*facts)), "count"});
  promise(0, rows.ms, profile, finding);
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const Profile& profile : report.profiles) check_profile(profile, facts_of(report, profile), findings);
}

}  // namespace
}  // namespace etalon::analysis
