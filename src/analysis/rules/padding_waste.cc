// Arithmetic on padding that a layout or a kernel's tile asks for.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run spent on padding", 0.05, "share",
                                 "a smaller part cannot pay for a change of the model"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kPaddingWaste;
const Rule kPaddingWaste = {
    .doc = {.id = "padding-waste",
            .detects = "kernels compute on channels or columns that only fill a tile",
            .why = "a vector unit works on whole tiles, so that three channels can cost as much as eight",
            .remedy = "give layers channels that are a multiple of the tile, or merge narrow layers",
            .confirm = "export with rounded channels: the time must stay while the arithmetic grows",
            .wrong_when = "the operator is bound by memory, so that the arithmetic on padding is hidden",
            .needs = "arithmetic with and without padding of each node, from the program file"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

struct Waste {
  double useful = 0;
  double padded = 0;
  double part() const { return padded > 0 ? 1 - useful / padded : 0; }
};

// Nothing where no node of the row tells its padding.
std::optional<Waste> waste_of(const OperatorRow& row, const ModelFacts& facts) {
  std::optional<Waste> waste;
  for (const std::size_t index : row.nodes) {
    if (index >= facts.nodes.size() || !facts.nodes[index].padded_flops) continue;
    if (!waste) waste.emplace();
    waste->useful += facts.nodes[index].flops;
    waste->padded += *facts.nodes[index].padded_flops;
  }
  return waste;
}

void check_profile(const Profile& profile, const ModelFacts& facts, Findings& findings) {
  const RowGroup known =
      select_rows(profile, [&](const OperatorRow& row) { return waste_of(row, facts).has_value(); });
  if (known.empty()) {
    findings.need(kPaddingWaste.doc, profile,
                  "arithmetic with padding of its operators, from the program file");
    return;
  }
  double wasted_ms = 0;
  double worst_ms = 0;
  const OperatorRow* worst = nullptr;
  Waste all;
  for (const OperatorRow* row : known.rows) {
    const Waste waste = *waste_of(*row, facts);
    all.useful += waste.useful;
    all.padded += waste.padded;
    // Time that memory takes is not spent on padding.
    const double ms = row->bound == "memory" ? 0 : row->avg_ms * waste.part();
    wasted_ms += ms;
    if (ms > worst_ms) worst = row, worst_ms = ms;
  }
  if (worst == nullptr || wasted_ms < kMinShare.value * profile.accounting.end_to_end_ms) return;
  Finding finding = make_finding(kPaddingWaste, Severity::kAdvice, profile, worst->name);
  finding.source = worst->source;
  finding.evidence = {{"time on padding", wasted_ms, "ms"},
                      {"share of the run", wasted_ms / profile.accounting.end_to_end_ms, "share"},
                      {"operations", all.useful, "count"},
                      {"with padding", all.padded, "count"},
                      {"of the most expensive one", worst_ms, "ms"}};
  promise(0, wasted_ms, profile, finding);
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const Profile& profile : report.profiles) {
    if (const ModelFacts* facts = facts_of(report, profile))
      check_profile(profile, *facts, findings);
    else
      findings.need(kPaddingWaste.doc, profile,
                    "arithmetic with padding of its operators, from the program file");
  }
}

}  // namespace
}  // namespace etalon::analysis
