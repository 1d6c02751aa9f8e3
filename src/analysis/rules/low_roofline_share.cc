// Operators far from what the machine can do, by the time that could be won back.
#include <algorithm>
#include <vector>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMaxShareOfRoof = {"share of the roofline that is reached", 0.5, "share",
                                       "below, more time is lost than is needed"};
constexpr Threshold kMinRecoverable = {"recoverable share of the run in one operator", 0.10, "share",
                                       "less than this is not worth another kernel"};
constexpr Threshold kReachable = {"share of the roofline that a good kernel reaches", 0.85, "share",
                                  "loading and storing tiles keep a tuned GEMM from the rest"};
constexpr std::size_t kMostFindings = 3;
constexpr const Threshold* kThresholds[] = {&kMaxShareOfRoof, &kMinRecoverable, &kReachable};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kLowRooflineShare;
const Rule kLowRooflineShare = {
    .doc = {.id = "low-roofline-share",
            .detects = "an operator takes much longer than its arithmetic and its bytes need on this machine",
            .why = "the time above the roofline is overhead of the kernel: empty lanes, packing, cache "
                   "misses, or one thread "
                   "where there could be several",
            .remedy = "look at its kernel, shape and threads: another instruction set, channels that fill "
                      "the tile, a layout "
                      "without strides",
            .confirm =
                "run this operator's shape with another kernel or with padded channels, and compare the two",
            .wrong_when = "the operator is short, so that starting it takes most of its time",
            .needs = "the program file and the ceilings that `etalon peak` measures"},
    .check = check,
    .thresholds = kThresholds};

namespace {

double recoverable_ms(const OperatorRow& row) { return std::max(0.0, typical_ms(row) - *row.attainable_ms); }

void add_finding(const OperatorRow& row, const Profile& profile, Findings& findings) {
  Finding finding = make_finding(kLowRooflineShare, Severity::kAdvice, profile, row.name);
  finding.source = row.source;
  finding.evidence = {
      {"time", typical_ms(row), "ms"},
      {"least time by the roofline", *row.attainable_ms, "ms"},
      {"share of the roofline", *row.attainable_ms / typical_ms(row), "share"},
      {"recoverable share of the run", recoverable_ms(row) / profile.accounting.end_to_end_ms, "share"}};
  if (row.gflops_per_second)
    finding.evidence.push_back({"1e9 operations per second", *row.gflops_per_second, "count"});
  promise(0, typical_ms(row) - *row.attainable_ms / kReachable.value, profile, finding);
  findings.found.push_back(std::move(finding));
}

void check(const Profile& profile, Findings& findings) {
  const RowGroup known =
      select_rows(profile, [](const OperatorRow& row) { return row.attainable_ms && row.avg_ms > 0; });
  if (known.empty()) {
    findings.need(kLowRooflineShare.doc, profile,
                  "the least time of each operator: the program file and `etalon peak`");
    return;
  }
  std::vector<const OperatorRow*> rows = known.rows;
  std::stable_sort(rows.begin(), rows.end(), [](const OperatorRow* a, const OperatorRow* b) {
    return recoverable_ms(*a) > recoverable_ms(*b);
  });
  std::size_t found = 0;
  for (const OperatorRow* row : rows) {
    const bool much = recoverable_ms(*row) >= kMinRecoverable.value * profile.accounting.end_to_end_ms;
    if (!much || *row->attainable_ms > kMaxShareOfRoof.value * typical_ms(*row)) continue;
    add_finding(*row, profile, findings);
    if (++found == kMostFindings) return;
  }
}

}  // namespace
}  // namespace etalon::analysis
