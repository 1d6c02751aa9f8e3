// Many operators that do so little that calling them is a notable part of their cost.
#include "analysis/rules/tiny_operators.h"

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kTinyNs = {
    "longest operator that counts as tiny", 3000, "ns",
    "twenty times what one dispatch costs in our engine (0.15 us on a MobileNetV2 of 99 calls)"};
constexpr Threshold kFewest = {"tiny operators at least", 16, "count",
                               "fewer cannot be worth a change of the model"};
constexpr Threshold kMinShare = {"share of the run in tiny operators and their dispatch", 0.20, "share",
                                 "fusing them saves about half of it, which must exceed the noise"};
constexpr Threshold kKept = {"part of a tiny operator's time that is left when it is fused", 0.5, "share",
                             "its arithmetic stays, its pass over memory does not"};
constexpr const Threshold* kThresholds[] = {&kTinyNs, &kFewest, &kMinShare, &kKept};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kTinyOperators;
const Rule kTinyOperators = {
    .doc = {.id = "tiny-operators",
            .detects = "many operators do so little that their dispatch is a notable part of the run",
            .why = "each pays for finding its kernel, checking its arguments and a pass over memory, "
                   "whatever its size",
            .remedy = "fuse them: delegate the part they stand in as a whole, replace chains by one operator "
                      "of the library, "
                      "and keep scalar arithmetic out of forward()",
            .confirm = "export with the chain replaced by one operator and compare interleaved",
            .wrong_when = "tracing itself is a large part of the run (see trace-overhead), for it makes "
                          "small operators long",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

double ns_per_call(const OperatorRow& row) { return row.avg_ms * 1e6 / std::max(1.0, row.calls); }

// What dispatch costs the tiny ones: their part of all calls.
double dispatch_ms(const RowGroup& tiny, const Profile& profile) {
  double calls = 0;
  for (const OperatorRow& row : profile.operators) calls += std::max(1.0, row.calls);
  return calls > 0 ? profile.accounting.framework_ms * tiny.count() / calls : 0;
}

}  // namespace

std::optional<TinyOperators> tiny_operators(const Profile& profile) {
  const double end_to_end = profile.accounting.end_to_end_ms;
  TinyOperators out;
  out.rows = select_rows(
      profile, [](const OperatorRow& row) { return !row.delegated && ns_per_call(row) < kTinyNs.value; });
  if (end_to_end <= 0 || out.rows.count() < kFewest.value) return std::nullopt;
  out.dispatch_ms = dispatch_ms(out.rows, profile);
  out.share = (out.rows.ms + out.dispatch_ms) / end_to_end;
  if (out.share < kMinShare.value) return std::nullopt;
  return out;
}

namespace {

void check(const Profile& profile, Findings& findings) {
  if (!has_operators(kTinyOperators, profile, findings)) return;
  const std::optional<TinyOperators> tiny = tiny_operators(profile);
  if (!tiny) return;
  Finding finding =
      make_finding(kTinyOperators, Severity::kAdvice, profile, by_kind(tiny->rows).front().label);
  add_group(tiny->rows, finding);
  finding.evidence.push_back({"time per operator", tiny->rows.ms * 1e6 / tiny->rows.count(), "ns"});
  finding.evidence.push_back({"dispatch per operator", tiny->dispatch_ms * 1e6 / tiny->rows.count(), "ns"});
  finding.evidence.push_back({"share with dispatch", tiny->share, "share"});
  promise(tiny->dispatch_ms / 2, tiny->dispatch_ms + tiny->rows.ms * (1 - kKept.value), profile, finding);
  const bool any_delegated =
      !select_rows(profile, [](const OperatorRow& row) { return row.delegated; }).empty();
  if (!any_delegated)
    finding.remedy = {RemedyKind::kBackend, "xnnpack", "etalon export MODEL --backend xnnpack"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
