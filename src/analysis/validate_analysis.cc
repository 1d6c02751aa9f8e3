// analysis_summary.json and the report: they must be what an analysis of this folder gives today.
#include <algorithm>
#include <cmath>

#include "analysis/json_reading.h"
#include "analysis/run_report.h"
#include "analysis/validate_check.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;

constexpr const char* kSummary = "analysis_summary.json";
constexpr const char* kAgain = "run 'etalon analyze' again";

void check_sum(const json& account, Check& check) {
  const double parts = number_member(account, "operators_ms").value_or(0) + number_member(account, "framework_ms").value_or(0) +
                       number_member(account, "residual_ms").value_or(0);
  const auto whole = number_member(account, "end_to_end_ms");
  if (!whole || !nearly_equal(parts, *whole)) {
    check.defect(kSummary, "{}: operators, framework and residual do not add up to the end to end", text_member(account, "run"));
  }
}

void check_categories(const json& profile, const json& account, Check& check) {
  const json* categories = member(profile, "categories_ms");
  if (categories == nullptr || !categories->is_object()) return;
  double sum = 0;
  for (const auto& [name, ms] : categories->items()) sum += ms.is_number() ? ms.get<double>() : NAN;
  const auto operators = number_member(account, "operators_ms");
  if (operators && !nearly_equal(sum, *operators)) {
    check.defect(kSummary, "{}: the categories add up to {}, the operators to {}", text_member(account, "run"), sum, *operators);
  }
}

// A number of the file against the one of a new analysis.
void compare(const std::string& what, const json& object, const char* name, double computed, Check& check) {
  const auto said = number_member(object, name);
  if (said && nearly_equal(*said, computed)) return;
  check.defect(kSummary, "{}: {} is {}, computed again it is {}; {}", what, name, said ? fmt::format("{}", *said) : "absent", computed, kAgain);
}

// `same_names`: the export record is the one of then, so that operators have the names and categories of then.
void compare_profile(const json& said, const Profile& profile, bool same_names, Check& check) {
  const json* account = member(said, "accounting");
  if (account == nullptr) return;
  compare(profile.name, *account, "end_to_end_ms", profile.accounting.end_to_end_ms, check);
  compare(profile.name, *account, "operators_ms", profile.accounting.operators_ms, check);
  compare(profile.name, *account, "framework_ms", profile.accounting.framework_ms, check);
  const json* categories = member(said, "categories_ms");
  if (categories == nullptr || !same_names) return;
  for (const CategoryRow& row : profile.categories) {
    const auto ms = number_member(*categories, row.name.c_str());
    if (!ms || !nearly_equal(*ms, row.ms)) compare(profile.name + ", " + row.name, *categories, row.name.c_str(), row.ms, check);
  }
}

void compare_comparison(const json& said, const Comparison& row, Check& check) {
  compare(row.label, said, "baseline_ms", row.baseline_ms, check);
  compare(row.label, said, "candidate_ms", row.candidate_ms, check);
  compare(row.label, said, "ratio", row.ratio, check);
  const json* verdict = member(said, "verdict");
  if ((verdict != nullptr) != row.verdict.has_value()) {
    check.defect(kSummary, "{}: {}; {}", row.label, verdict != nullptr ? "has a verdict that the samples do not give" : "lacks the verdict that the samples give", kAgain);
    return;
  }
  if (verdict == nullptr) return;
  const std::string claim(measure::claim_name(row.verdict->claim));
  if (text_member(*verdict, "claim") != claim) {
    check.defect(kSummary, "{}: the verdict is \"{}\", the samples give \"{}\"; {}", row.label, text_member(*verdict, "claim"), claim, kAgain);
  }
}

// The folder analysed again, from its recordings and samples.
void recompute(const json& root, Check& check) {
  const auto report = report_on_folder(check.run_dir(), {});
  if (!report.ok()) {
    check.defect(kSummary, "cannot be computed again: {}", report.error().message());
    return;
  }
  const bool same_names = text_member(root, "etrecord") == report->etrecord;
  const json* profiles = member(root, "per_etdump");
  for (std::size_t i = 0; i < report->profiles.size() && profiles != nullptr && i < profiles->size(); ++i) {
    compare_profile((*profiles)[i], report->profiles[i], same_names, check);
  }
  const json* comparisons = member(root, "comparisons");
  if (comparisons == nullptr || comparisons->size() != report->comparisons.size()) {
    check.defect(kSummary, "holds {} comparisons, computed again there are {}; {}", comparisons == nullptr ? 0 : comparisons->size(),
                 report->comparisons.size(), kAgain);
    return;
  }
  for (std::size_t i = 0; i < comparisons->size(); ++i) compare_comparison((*comparisons)[i], report->comparisons[i], check);
}

std::optional<json> check_summary(const Manifest& manifest, Check& check) {
  const auto root = check.object(kSummary, kSummarySchema);
  if (!root) return std::nullopt;
  const auto recordings = static_cast<std::uint64_t>(std::count_if(manifest.results.begin(), manifest.results.end(),
                                                                   [](const RunResult& r) { return !r.etdump.empty(); }));
  const auto found = count_member(*root, "etdump_count");
  const json* profiles = member(*root, "per_etdump");
  if (found != recordings) {
    check.defect(kSummary, "etdump_count is {}, manifest.json names {} recordings; {}", found ? std::to_string(*found) : "absent", recordings, kAgain);
  } else if (profiles == nullptr || !profiles->is_array() || profiles->size() != recordings) {
    check.defect(kSummary, "has no list per_etdump with {} entries", recordings);
  }
  if (profiles == nullptr || !profiles->is_array()) return std::nullopt;
  for (const json& profile : *profiles) {
    const json* account = member(profile, "accounting");
    if (account == nullptr) continue;
    check_sum(*account, check);
    check_categories(profile, *account, check);
  }
  if (check.foreign() || found != recordings) return std::nullopt;
  recompute(*root, check);
  return root;
}

// The page holds the data that it shows.
void check_page(const std::optional<json>& summary, Check& check) {
  constexpr const char* kPage = "report.html";
  constexpr std::string_view kOpen = "<script type=\"application/json\" id=etalon-bundle>";
  if (!check.expected(kPage)) return;
  const auto text = check.text(kPage);
  if (!text) return;
  const std::size_t from = text->find(kOpen);
  const std::size_t to = from == std::string::npos ? from : text->find("</script>", from);
  if (to == std::string::npos) {
    check.defect(kPage, "holds no data; it was cut, or is of another tool");
    return;
  }
  const json bundle = json::parse(text->substr(from + kOpen.size(), to - from - kOpen.size()), nullptr, false);
  const json* shown = bundle.is_discarded() ? nullptr : member(bundle, "report");
  if (shown == nullptr) check.defect(kPage, "its data are damaged");
  else if (summary && *shown != *summary) check.defect(kPage, "shows another analysis than analysis_summary.json; {}", kAgain);
}

}  // namespace

void check_analysis(const Manifest& manifest, Check& check) {
  const std::optional<json> summary = check_summary(manifest, check);
  check.expected("report.md");
  check_page(summary, check);
}

}  // namespace etalon::analysis
