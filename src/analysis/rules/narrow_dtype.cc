#include "analysis/rules/narrow_dtype.h"

#include <algorithm>
#include <map>
#include <vector>

#include "analysis/rules/operator_kinds.h"

namespace etalon::analysis {
namespace {

constexpr std::size_t kMostOperators = 5;

// "F16" for "F16", "QDU8" for "QDU8, F32, QC8W": the type of the activations comes first.
std::string dtype_of_label(std::string_view label) {
  const std::string_view first = label.substr(0, label.find(','));
  if (first.starts_with('Q')) return "int8";
  if (first == "F16") return "float16";
  if (first == "F32") return "float32";
  return "";
}

// One comparison, seen from the narrow side.
struct Pair {
  const Comparison* comparison = nullptr;
  const Profile* narrow = nullptr;
  const Profile* wide = nullptr;
  bool narrow_is_candidate = true;

  double narrow_ms() const {
    return narrow_is_candidate ? comparison->candidate_ms : comparison->baseline_ms;
  }
  double wide_ms() const { return narrow_is_candidate ? comparison->baseline_ms : comparison->candidate_ms; }
  double slower_by(const OperatorMatch& match) const {
    return narrow_is_candidate ? match.delta_ms : -match.delta_ms;
  }
  // Narrow over wide; the end at which the difference is smaller, and the other.
  double ratio() const { return narrow_is_candidate ? comparison->ratio : 1 / comparison->ratio; }
};

bool is_slower(const Pair& pair, const Threshold& min_slower) {
  if (pair.comparison->ratio <= 0) return false;
  if (!pair.comparison->verdict) return pair.ratio() > 1 + min_slower.value;
  const measure::Claim slower = pair.narrow_is_candidate ? measure::Claim::kSlower : measure::Claim::kFaster;
  return pair.comparison->verdict->claim == slower;
}

void add_operators(const Pair& pair, Finding& finding) {
  std::vector<const OperatorMatch*> matches;
  for (const OperatorMatch& match : pair.comparison->operators) {
    if (pair.slower_by(match) > 0) matches.push_back(&match);
  }
  std::stable_sort(matches.begin(), matches.end(), [&](const OperatorMatch* a, const OperatorMatch* b) {
    return pair.slower_by(*a) > pair.slower_by(*b);
  });
  matches.resize(std::min(matches.size(), kMostOperators));
  if (!matches.empty()) finding.subject = matches.front()->label;
  for (const OperatorMatch* match : matches) {
    finding.evidence.push_back({match->label + " slower by", pair.slower_by(*match), "ms"});
  }
}

// The interval of the saving from that of the ratio, where a verdict gives one.
void promise_difference(const Pair& pair, Finding& finding) {
  const double difference = pair.narrow_ms() - pair.wide_ms();
  double low = 0;
  double high = difference;
  if (pair.comparison->verdict) {
    const measure::Interval ratio = pair.comparison->verdict->interval;
    if (ratio.low > 0 && ratio.high < 1e6) {
      const double first = pair.narrow_is_candidate ? 1 - 1 / ratio.low : 1 - ratio.low;
      const double second = pair.narrow_is_candidate ? 1 - 1 / ratio.high : 1 - ratio.high;
      low = pair.narrow_ms() * std::min(first, second);
      high = pair.narrow_ms() * std::max(first, second);
    }
  }
  promise(low, high, *pair.narrow, finding);
}

Finding finding_for(const Rule& rule, const Pair& pair, const std::string& wide_dtype) {
  Finding finding = make_finding(rule, Severity::kWarning, *pair.narrow, pair.comparison->label);
  finding.evidence = {{pair.narrow->name, pair.narrow_ms(), "ms"},
                      {pair.wide->name, pair.wide_ms(), "ms"},
                      {"ratio", pair.ratio(), "ratio"}};
  const RowGroup conversions =
      select_rows(*pair.narrow, [](const OperatorRow& row) { return is_quantisation(kind_of(row)); });
  if (!conversions.empty()) finding.evidence.push_back({"conversions", conversions.ms, "ms"});
  add_operators(pair, finding);
  promise_difference(pair, finding);
  const std::string option = wide_dtype == "float16" ? "fp16" : "fp32";
  finding.remedy = {RemedyKind::kDtype, option, "etalon export MODEL --dtype " + option};
  return finding;
}

// The run that `name` means; the last of equal names when it is the candidate's of a run against itself.
const Profile* side(const Report& report, const std::string& name, bool last) {
  const Profile* found = nullptr;
  for (const Profile& profile : report.profiles) {
    if (profile.name == name && (found == nullptr || last)) found = &profile;
  }
  return found;
}

}  // namespace

std::string dtype_of(const Profile& profile) {
  if (!profile.dtype.empty()) return profile.dtype;
  std::map<std::string, double> times;
  for (const OperatorRow& row : profile.operators) {
    const std::string dtype = dtype_of_label(row.dtype);
    if (!dtype.empty()) times[dtype] += row.avg_ms;
  }
  const auto most = std::max_element(times.begin(), times.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == times.end() ? std::string() : most->first;
}

void check_narrow_dtype(const Rule& rule, const Threshold& min_slower, std::string_view narrow,
                        std::initializer_list<std::string_view> wider, const Report& report,
                        Findings& findings) {
  std::vector<const Profile*> compared;
  for (const Comparison& comparison : report.comparisons) {
    const Profile* baseline = side(report, comparison.baseline, false);
    const Profile* candidate = side(report, comparison.candidate, true);
    if (baseline == nullptr || candidate == nullptr) continue;
    Pair pair{&comparison, candidate, baseline, true};
    if (dtype_of(*candidate) != narrow) pair = {&comparison, baseline, candidate, false};
    const std::string wide_dtype = dtype_of(*pair.wide);
    if (dtype_of(*pair.narrow) != narrow || std::find(wider.begin(), wider.end(), wide_dtype) == wider.end())
      continue;
    compared.push_back(pair.narrow);
    if (is_slower(pair, min_slower)) findings.found.push_back(finding_for(rule, pair, wide_dtype));
  }
  for (const Profile& profile : report.profiles) {
    const std::string dtype = dtype_of(profile);
    const bool was_compared = std::find(compared.begin(), compared.end(), &profile) != compared.end();
    if (dtype.empty())
      findings.need(rule.doc, profile,
                    "the dtype of its operators: the program file, or a delegate's labels");
    else if (dtype == narrow && !was_compared)
      findings.need(rule.doc, profile, "a run of the same model in a wider dtype");
  }
}

}  // namespace etalon::analysis
