// One operator is much slower than its like, measured by its arithmetic and its bytes.
#include <algorithm>
#include <map>
#include <vector>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinRatio = {"time over what its like would take", 3, "ratio",
                                 "shapes alone make a kernel up to twice as slow: tiles that are not full"};
constexpr Threshold kMinExcess = {"share of the run above that", 0.05, "share",
                                  "a smaller part cannot be told from noise on a busy machine"};
constexpr Threshold kFewestPeers = {"operators of its kind besides it", 4, "count",
                                    "quartiles of fewer say nothing"};
constexpr std::size_t kMostFindings = 3;
constexpr const Threshold* kThresholds[] = {&kMinRatio, &kMinExcess, &kFewestPeers};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kSlowOutlier;
const Rule kSlowOutlier = {
    .doc =
        {.id = "slow-outlier",
         .detects = "one operator takes several times what operators of its kind would take for its work",
         .why = "something about it leaves the fast path: a shape, a stride, a group count or a dtype "
                "without a kernel",
         .remedy = "compare its shape and kernel with those of its like, and change what only it has",
         .confirm =
             "change its shape to that of its like (channels, strides, groups), export again and compare",
         .wrong_when = "it is the first of its kind and pays for memory that later ones find in the cache",
         .needs =
             "arithmetic and bytes of each operator, from the program file, and five operators of one kind"},
    .check = check,
    .thresholds = kThresholds};

namespace {

bool has_work(const OperatorRow& row) {
  return row.avg_ms > 0 && ((row.flops && *row.flops > 0) || (row.bytes && *row.bytes > 0));
}

double ratio_of(const std::optional<double>& mine, const std::optional<double>& other) {
  return mine && other && *other > 0 ? *mine / *other : 0;
}

// What `row` would take at the speed of `peer`, whichever of arithmetic and memory is the limit.
double at_speed_of(const OperatorRow& peer, const OperatorRow& row) {
  const double scale = std::max(ratio_of(row.flops, peer.flops), ratio_of(row.bytes, peer.bytes));
  // Starting a kernel does not get shorter with its work.
  return typical_ms(peer) * std::max(scale, 0.01);
}

void judge(const OperatorRow& row, const RowGroup& like, const Profile& profile,
           std::vector<Finding>& found) {
  std::vector<double> expected;
  for (const OperatorRow* peer : like.rows) {
    if (peer != &row) expected.push_back(at_speed_of(*peer, row));
  }
  if (static_cast<double>(expected.size()) < kFewestPeers.value) return;
  const double middle = quantile_of(expected, 0.5);
  const double mine = typical_ms(row);
  if (mine < kMinRatio.value * middle) return;
  if (mine - middle < kMinExcess.value * profile.accounting.end_to_end_ms) return;
  Finding finding = make_finding(kSlowOutlier, Severity::kWarning, profile, row.name);
  finding.source = row.source;
  finding.evidence = {{"time", mine, "ms"},
                      {"at the speed of its like", middle, "ms"},
                      {"ratio", mine / middle, "ratio"},
                      {"operators of its kind", like.count(), "count"}};
  if (row.flops) finding.evidence.push_back({"operations", *row.flops, "count"});
  if (row.bytes) finding.evidence.push_back({"read and written", *row.bytes, "bytes"});
  promise(mine - quantile_of(expected, 0.75), mine - quantile_of(expected, 0.25), profile, finding);
  if (!row.isa.empty()) finding.remedy = {RemedyKind::kNone, "", "etalon inspect MODEL --isa " + row.isa};
  found.push_back(std::move(finding));
}

void check(const Profile& profile, Findings& findings) {
  const RowGroup rows = select_rows(profile, has_work);
  const std::vector<RowGroup> kinds = by_kind(rows);
  const bool enough = std::any_of(kinds.begin(), kinds.end(),
                                  [](const RowGroup& kind) { return kind.count() > kFewestPeers.value; });
  if (!enough) {
    findings.need(kSlowOutlier.doc, profile,
                  "arithmetic and bytes of five operators of one kind, from the program file");
    return;
  }
  std::vector<Finding> found;
  for (const RowGroup& kind : kinds) {
    for (const OperatorRow* row : kind.rows) judge(*row, kind, profile, found);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Finding& a, const Finding& b) { return *a.saving_high_ms > *b.saving_high_ms; });
  found.resize(std::min(found.size(), kMostFindings));
  std::move(found.begin(), found.end(), std::back_inserter(findings.found));
}

}  // namespace
}  // namespace etalon::analysis
