// More threads that gain nothing, or cost time.
#include <fmt/core.h>

#include "analysis/rules/thread_sweep.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinGain = {"time saved by more threads", 0.10, "share",
                                "less does not pay for the cores, which other work could use"};
constexpr Threshold kClearlySlower = {"slower with more threads", measure::kSessionMargin, "share",
                                      "what two sessions may differ by without any cause"};
constexpr const Threshold* kThresholds[] = {&kMinGain, &kClearlySlower};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kThreadsPastKnee;
const Rule kThreadsPastKnee = {
    .doc = {.id = "threads-past-knee",
            .detects = "more threads were measured than help: they gain little, or make the model slower",
            .why = "threads wait for each other at the end of every operator, share caches, memory and "
                   "vector units, and take "
                   "cores from the rest of the application",
            .remedy = "run with the smallest number of threads that is within a tenth of the fastest",
            .confirm = "measure the two numbers of threads interleaved",
            .wrong_when = "other processes used the cores while the larger number was measured",
            .needs = "one experiment at several numbers of threads"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

// The smallest number of threads within a tenth of the fastest.
const SweepPoint& knee_of(const ThreadSweep& sweep) {
  double best = sweep.points.front().ms;
  for (const SweepPoint& point : sweep.points) best = std::min(best, point.ms);
  for (const SweepPoint& point : sweep.points) {
    if (point.ms * (1 - kMinGain.value) <= best) return point;
  }
  return sweep.points.front();
}

void check_sweep(const Report& report, const ThreadSweep& sweep, Findings& findings) {
  const SweepPoint& knee = knee_of(sweep);
  const SweepPoint& most = sweep.last();
  if (most.threads == knee.threads) return;
  const bool slower = most.ms > knee.ms * (1 + kClearlySlower.value);
  const Profile profile = profile_of_point(report, sweep, most);
  Finding finding = make_finding(kThreadsPastKnee, slower ? Severity::kWarning : Severity::kNote, profile,
                                 fmt::format("{} threads, the knee is at {}", most.threads, knee.threads));
  for (const SweepPoint& point : sweep.points) {
    finding.evidence.push_back({run_name(sweep.experiment, point.threads), point.ms, "ms"});
  }
  finding.evidence.push_back({"gain over the knee", 1 - most.ms / knee.ms, "share"});
  if (const std::uint32_t cpus = logical_cpus(report); cpus > 0) {
    finding.evidence.push_back({"logical processors", static_cast<double>(cpus), "count"});
  }
  if (slower) promise((most.ms - knee.ms) / 2, most.ms - knee.ms, profile, finding);
  finding.remedy = {RemedyKind::kThreads, std::to_string(knee.threads),
                    fmt::format("etalon profile MODEL --threads {},{}", knee.threads, most.threads)};
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  for (const ThreadSweep& sweep : thread_sweeps(report)) {
    if (sweep.points.size() > 1) {
      check_sweep(report, sweep, findings);
    } else {
      findings.need(kThreadsPastKnee.doc, profile_of_point(report, sweep, sweep.last()),
                    "the same experiment at several numbers of threads");
    }
  }
  if (thread_sweeps(report).empty()) {
    for (const Profile& profile : report.profiles) {
      findings.need(kThreadsPastKnee.doc, profile, "the same experiment at several numbers of threads");
    }
  }
}

}  // namespace
}  // namespace etalon::analysis
