// The first thing a reader sees: the verdict, the latencies, what was found.
#include <fmt/core.h>

#include <algorithm>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Comparison;
using analysis::Report;

void write_card(Page& page, std::string_view kind, const std::string& name, const std::string& value,
                const std::string& more) {
  page.line("<div class=\"card {}\"><div class=k>{}</div><div class=v>{}</div><div class=s>{}</div></div>", kind, name,
            value, more);
}

void write_comparison_card(const Comparison& row, Page& page) {
  const std::string name = row.label.empty() ? escaped(row.candidate + " against " + row.baseline, 90) : escaped(row.label, 90);
  if (!row.verdict) {
    write_card(page, "", name, fmt::format("{} <small>ratio of medians</small>", ratio_text(row.ratio)),
               fmt::format("{} to {}, no interval", milliseconds(row.baseline_ms), milliseconds(row.candidate_ms)));
    return;
  }
  const measure::Verdict& verdict = *row.verdict;
  const std::string_view claim = measure::claim_name(verdict.claim);
  write_card(page, claim, name, fmt::format("{} <small>ratio {}</small>", claim, ratio_text(verdict.ratio)),
             fmt::format("{:.0f} % interval {} to {}", 100 * verdict.confidence, ratio_text(verdict.interval.low),
                         ratio_text(verdict.interval.high)));
}

void write_finding_card(const Report& report, Page& page) {
  const auto& found = report.findings.found;
  const auto count = [&](analysis::Severity severity) {
    return std::count_if(found.begin(), found.end(), [&](const analysis::Finding& f) { return f.severity == severity; });
  };
  write_card(page, "", "Findings", fmt::format("{}", found.size()),
             fmt::format("{} warnings, {} pieces of advice, {} notes", count(analysis::Severity::kWarning),
                         count(analysis::Severity::kAdvice), count(analysis::Severity::kNote)));
}

}  // namespace

void write_cards(const Report& report, Page& page) {
  constexpr std::size_t kComparisons = 2;
  constexpr std::size_t kResults = 3;
  page.line("<div class=cards>");
  for (std::size_t i = 0; i < std::min(report.comparisons.size(), kComparisons); ++i) {
    write_comparison_card(report.comparisons[i], page);
  }
  std::size_t shown_results = 0;
  for (const analysis::RunResult& result : report.manifest.results) {
    if (!result.median_ms || shown_results++ >= kResults) continue;
    write_card(page, "", escaped(analysis::run_name(result.experiment, result.threads), 60), milliseconds(*result.median_ms),
               fmt::format("median; p95 {}, first {}", optional_ms(result.p95_ms), optional_ms(result.first_ms)));
  }
  if (report.manifest.results.empty()) {
    for (std::size_t i = 0; i < std::min(report.profiles.size(), kResults); ++i) {
      const analysis::Profile& profile = report.profiles[i];
      write_card(page, "", escaped(profile.name, 60), milliseconds(profile.accounting.end_to_end_ms),
                 fmt::format("end to end, {} recorded runs", profile.steady_runs));
    }
  }
  write_finding_card(report, page);
  page.line("</div>");
}

}  // namespace etalon::report
