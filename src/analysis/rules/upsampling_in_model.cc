// The model enlarges its own input before it works on it.
#include <algorithm>
#include <map>

#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run in upsampling", 0.05, "share",
                                 "a smaller part cannot pay for a change of the model"};
constexpr Threshold kMinGrowth = {"bytes out over bytes in, near the input", 2, "ratio",
                                  "then half of the values that follow were made up"};
constexpr std::size_t kNearInput = 3;  // operators before it that may prepare the image: cast, scale, permute
constexpr const Threshold* kThresholds[] = {&kMinShare, &kMinGrowth};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kUpsamplingInModel;
const Rule kUpsamplingInModel = {
    .doc = {.id = "upsampling-in-model",
            .detects = "the model enlarges an image inside, near its input or at a notable cost",
            .why = "every later layer works on values that interpolation made up: 64 to 224 pixels is twelve "
                   "times the work",
            .remedy = "train or fine-tune for the size of the real input, or enlarge the image where it is "
                      "decoded; in a decoder, "
                      "upsample after the convolutions that reduce channels",
            .confirm = "export with the small input and no upsampling, and compare time and accuracy",
            .wrong_when = "the task needs the resolution, as the output of a segmentation does",
            .needs = "operator events; near the input also the bytes of its nodes, from the program file"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

// Written over read, and how many nodes come before.
struct Growth {
  double ratio = 0;
  std::size_t before = 0;
};

std::optional<Growth> growth_of(const OperatorRow& row, const ModelFacts* facts) {
  if (facts == nullptr) return std::nullopt;
  for (const std::size_t index : row.nodes) {
    if (index >= facts->nodes.size() || !is_upsampling(operator_base_name(facts->nodes[index].op))) continue;
    const NodeFacts& node = facts->nodes[index];
    if (node.read_bytes > 0) return Growth{node.written_bytes / node.read_bytes, index};
  }
  return std::nullopt;
}

void check_profile(const Profile& profile, const ModelFacts* facts, Findings& findings) {
  if (!has_operators(kUpsamplingInModel, profile, findings)) return;
  const RowGroup rows =
      select_rows(profile, [](const OperatorRow& row) { return is_upsampling(kind_of(row)); });
  if (rows.empty()) return;
  const OperatorRow* early = nullptr;
  Growth growth;
  bool any_known = false;
  for (const OperatorRow* row : rows.rows) {
    const std::optional<Growth> known = growth_of(*row, facts);
    any_known = any_known || known.has_value();
    if (known && known->before <= kNearInput && known->ratio >= kMinGrowth.value)
      early = row, growth = *known;
  }
  if (early == nullptr && rows.share < kMinShare.value) {
    if (!any_known)
      findings.need(kUpsamplingInModel.doc, profile,
                    "the bytes that it reads and writes, from the program file");
    return;
  }
  const OperatorRow& subject = early != nullptr ? *early : rows.worst();
  Finding finding = make_finding(
      kUpsamplingInModel, early != nullptr ? Severity::kWarning : Severity::kAdvice, profile, subject.name);
  finding.source = subject.source;
  add_group(rows, finding);
  double saving = rows.ms;
  if (early != nullptr) {
    finding.evidence.push_back({"bytes out over bytes in", growth.ratio, "ratio"});
    // Layers that work on every pixel take that much less on the small image.
    saving += (profile.accounting.operators_ms - rows.ms) * (1 - 1 / growth.ratio);
  }
  promise(0, saving, profile, finding);
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const Profile& profile : report.profiles) check_profile(profile, facts_of(report, profile), findings);
}

}  // namespace
}  // namespace etalon::analysis
