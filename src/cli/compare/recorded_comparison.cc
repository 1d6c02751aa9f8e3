#include "cli/compare/recorded_comparison.h"

#include <fmt/core.h>

#include <set>
#include <utility>

#include "analysis/finding.h"
#include "cli/compare/recorded.h"

namespace etalon::cli {
namespace {

using Sides = std::vector<RecordedSide>;

// Runs of equal names are told apart by where they come from.
void name_apart(Sides& sides) {
  std::set<std::string> names;
  bool all_differ = true;
  for (const RecordedSide& side : sides) all_differ = names.insert(side.name).second && all_differ;
  if (all_differ) return;
  for (RecordedSide& side : sides) side.name = fmt::format("{} ({})", side.name, side.from);
}

analysis::Comparison compare(const RecordedSide& baseline, const RecordedSide& candidate, double margin) {
  measure::JudgeOptions judge;
  judge.margin = margin;
  analysis::Comparison comparison = analysis::compare_runs("", baseline.view(), candidate.view(), judge);
  for (const RecordedSide* side : {&baseline, &candidate}) {
    comparison.notes.insert(comparison.notes.end(), side->notes.begin(), side->notes.end());
  }
  return comparison;
}

void compare_with_first(const Sides& sides, double margin, analysis::Report& report) {
  for (std::size_t i = 1; i < sides.size(); ++i)
    report.comparisons.push_back(compare(sides[0], sides[i], margin));
  if (sides.size() < 3) return;
  std::vector<analysis::RecordedRun> runs;
  for (const RecordedSide& side : sides) runs.push_back(side.view());
  measure::JudgeOptions judge;
  judge.margin = margin;
  report.table = analysis::table_of_runs(runs, judge);
}

// Two folders with several runs each: what has one name in both.
Status compare_by_name(const Sides& before, const Sides& after, double margin, analysis::Report& report) {
  for (const RecordedSide& a : before) {
    for (const RecordedSide& b : after) {
      if (a.name != b.name) continue;
      Sides pair = {a, b};
      name_apart(pair);
      report.comparisons.push_back(compare(pair[0], pair[1], margin));
    }
  }
  if (!report.comparisons.empty()) return {};
  return invalid_input(fmt::format("{} and {} have no run of one name; say which, as DIR#NAME",
                                   before.front().from, after.front().from));
}

}  // namespace

Result<analysis::Report> compare_recorded(const RecordedRequest& request) {
  std::vector<Sides> groups;
  for (const std::string& text : request.sides) {
    ETALON_TRY(Sides sides, open_recorded(text, request.threads));
    groups.push_back(std::move(sides));
  }
  analysis::Report report;
  Sides all;
  if (groups.size() == 2 && groups[0].size() > 1 && groups[1].size() > 1) {
    ETALON_CHECKED(compare_by_name(groups[0], groups[1], request.margin, report));
  }
  for (Sides& sides : groups) std::move(sides.begin(), sides.end(), std::back_inserter(all));
  name_apart(all);
  if (all.size() < 2) {
    return invalid_input(
        fmt::format("{} holds one run; a second one is needed to compare it with", request.sides.front()));
  }
  if (report.comparisons.empty()) compare_with_first(all, request.margin, report);
  for (const RecordedSide& side : all) {
    if (side.profile) report.profiles.push_back(*side.profile);
    if (side.result) report.manifest.results.push_back(*side.result);
  }
  for (const analysis::Comparison& row : report.comparisons)
    analysis::check_comparison_rules(row, report.findings);
  return report;
}

}  // namespace etalon::cli
