// The last doubling of threads still helped, and the machine has more.
#include <fmt/core.h>

#include <algorithm>

#include "analysis/rules/thread_sweep.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinGain = {
    "time saved by the last increase", 0.20, "share",
    "a smaller gain is near the knee, where the next increase saves under a tenth"};
constexpr const Threshold* kThresholds[] = {&kMinGain};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kThreadsTooFew;
const Rule kThreadsTooFew = {
    .doc = {.id = "threads-too-few",
            .detects = "the largest number of threads that was measured still helped, and the machine has "
                       "more processors",
            .why = "processors stand idle while the model waits for one of them",
            .remedy = "run with more threads",
            .confirm = "measure more threads, interleaved with these",
            .wrong_when =
                "the processors are of different kinds or share vector units, or the application needs them",
            .needs = "one experiment at several numbers of threads, and the number of processors"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

// Amdahl's law through the first and the last point: the part of the work that threads do not share.
double serial_part(const SweepPoint& first, const SweepPoint& last) {
  const double more = static_cast<double>(last.threads) / static_cast<double>(first.threads);
  const double part = (last.ms / first.ms - 1 / more) / (1 - 1 / more);
  return std::clamp(part, 0.0, 1.0);
}

void check_sweep(const Report& report, const ThreadSweep& sweep, std::uint32_t cpus, Findings& findings) {
  const SweepPoint& last = sweep.last();
  const SweepPoint& before = sweep.points[sweep.points.size() - 2];
  if (cpus <= last.threads || last.ms > before.ms * (1 - kMinGain.value)) return;
  const SweepPoint& first = sweep.points.front();
  const double serial = serial_part(first, last);
  const double more = static_cast<double>(cpus) / static_cast<double>(first.threads);
  const double predicted = first.ms * (serial + (1 - serial) / more);
  const Profile profile = profile_of_point(report, sweep, last);
  Finding finding = make_finding(kThreadsTooFew, Severity::kAdvice, profile,
                                 fmt::format("{} of {} processors", last.threads, cpus));
  for (const SweepPoint& point : sweep.points) {
    finding.evidence.push_back({run_name(sweep.experiment, point.threads), point.ms, "ms"});
  }
  finding.evidence.push_back({"part that threads do not share", serial, "share"});
  finding.evidence.push_back({"by Amdahl's law with all processors", predicted, "ms"});
  promise(0, last.ms - predicted, profile, finding);
  finding.remedy = {RemedyKind::kThreads, std::to_string(cpus),
                    fmt::format("etalon profile MODEL --threads {},{}", last.threads, cpus)};
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  const std::uint32_t cpus = logical_cpus(report);
  for (const ThreadSweep& sweep : thread_sweeps(report)) {
    if (cpus > 0 && sweep.points.size() > 1) {
      check_sweep(report, sweep, cpus, findings);
    } else {
      findings.need(kThreadsTooFew.doc, profile_of_point(report, sweep, sweep.last()),
                    "the same experiment at several numbers of threads, and the number of processors");
    }
  }
  if (thread_sweeps(report).empty()) {
    for (const Profile& profile : report.profiles) {
      findings.need(kThreadsTooFew.doc, profile, "the same experiment at several numbers of threads");
    }
  }
}

}  // namespace
}  // namespace etalon::analysis
