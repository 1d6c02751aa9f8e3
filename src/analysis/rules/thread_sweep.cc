#include "analysis/rules/thread_sweep.h"

#include <algorithm>
#include <charconv>

namespace etalon::analysis {
namespace {

void add_point(const std::string& experiment, SweepPoint point, std::vector<ThreadSweep>& sweeps) {
  if (point.threads == 0 || !(point.ms > 0)) return;
  auto sweep = std::find_if(sweeps.begin(), sweeps.end(),
                            [&](const ThreadSweep& known) { return known.experiment == experiment; });
  if (sweep == sweeps.end()) sweep = sweeps.insert(sweeps.end(), {experiment, {}});
  const bool known = std::any_of(sweep->points.begin(), sweep->points.end(),
                                 [&](const SweepPoint& other) { return other.threads == point.threads; });
  if (!known) sweep->points.push_back(point);
}

}  // namespace

std::vector<ThreadSweep> thread_sweeps(const Report& report) {
  std::vector<ThreadSweep> sweeps;
  for (const RunResult& result : report.manifest.results) {
    if (result.status == "ok" && result.median_ms) {
      add_point(result.experiment, {result.threads, *result.median_ms}, sweeps);
    }
  }
  for (const Profile& profile : report.profiles) {
    add_point(profile.experiment, {profile.threads, profile.accounting.end_to_end_ms}, sweeps);
  }
  for (ThreadSweep& sweep : sweeps) {
    std::sort(sweep.points.begin(), sweep.points.end(),
              [](const SweepPoint& a, const SweepPoint& b) { return a.threads < b.threads; });
  }
  return sweeps;
}

std::uint32_t logical_cpus(const Report& report) {
  const auto found = report.manifest.device.find("logical_cpus");
  if (found == report.manifest.device.end()) return 0;
  std::uint32_t count = 0;
  const std::string& text = found->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  return parsed.ec == std::errc() ? count : 0;
}

Profile profile_of_point(const Report& report, const ThreadSweep& sweep, const SweepPoint& point) {
  for (const Profile& profile : report.profiles) {
    if (profile.experiment == sweep.experiment && profile.threads == point.threads) return profile;
  }
  Profile named;
  named.name = run_name(sweep.experiment, point.threads);
  named.accounting.end_to_end_ms = point.ms;
  return named;
}

}  // namespace etalon::analysis
