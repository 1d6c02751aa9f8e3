#include "analysis/rules/row_groups.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace etalon::analysis {
namespace {

// As many as fit into a line or two of a report.
constexpr std::size_t kMostKinds = 5;

void add_row(const OperatorRow& row, RowGroup& group) {
  group.rows.push_back(&row);
  group.ms += row.avg_ms;
  group.share += row.share;
  group.calls += row.calls;
}

}  // namespace

RowGroup select_rows(const Profile& profile, const std::function<bool(const OperatorRow&)>& belongs) {
  RowGroup group;
  for (const OperatorRow& row : profile.operators) {
    if (belongs(row)) add_row(row, group);
  }
  std::stable_sort(group.rows.begin(), group.rows.end(),
                   [](const OperatorRow* a, const OperatorRow* b) { return a->avg_ms > b->avg_ms; });
  return group;
}

std::string kind_of(const OperatorRow& row) {
  std::string kind = operator_base_name(row.name);
  // A runner that records no event inside the call leaves the record's name only.
  if (kind == "operator_call" || kind.starts_with("delegate_event")) return operator_base_name(row.op_type);
  return kind;
}

bool is_one_of(std::string_view kind, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::vector<RowGroup> by_kind(const RowGroup& group) {
  std::vector<RowGroup> kinds;
  for (const OperatorRow* row : group.rows) {
    const std::string kind = kind_of(*row);
    auto place =
        std::find_if(kinds.begin(), kinds.end(), [&](const RowGroup& known) { return known.label == kind; });
    if (place == kinds.end()) {
      place = kinds.emplace(kinds.end());
      place->label = kind;
    }
    add_row(*row, *place);
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const RowGroup& a, const RowGroup& b) { return a.ms > b.ms; });
  return kinds;
}

std::optional<double> attainable_ms(const RowGroup& group) {
  double ms = 0;
  for (const OperatorRow* row : group.rows) {
    if (!row->attainable_ms) return std::nullopt;
    ms += *row->attainable_ms;
  }
  return ms;
}

std::optional<double> known_bytes(const RowGroup& group) {
  std::optional<double> bytes;
  for (const OperatorRow* row : group.rows) {
    if (row->bytes) bytes = bytes.value_or(0) + *row->bytes;
  }
  return bytes;
}

bool is_scalar(const OperatorRow& row) { return row.isa == "scalar" || row.isa == "portable"; }

double typical_ms(const OperatorRow& row) {
  return row.median_ms > 0 ? std::min(row.median_ms, row.avg_ms) : row.avg_ms;
}

double quantile_of(std::vector<double> values, double at) {
  std::sort(values.begin(), values.end());
  const double place = at * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double weight = place - std::floor(place);
  return values[below] * (1 - weight) + values[above] * weight;
}

Finding make_finding(const Rule& rule, Severity severity, const Profile& profile, std::string subject) {
  Finding finding;
  finding.rule = &rule.doc;
  finding.severity = severity;
  finding.profile = profile.name;
  finding.subject = std::move(subject);
  return finding;
}

void add_kinds(const RowGroup& group, Finding& finding) {
  const std::vector<RowGroup> kinds = by_kind(group);
  if (kinds.size() < 2) return;
  for (std::size_t i = 0; i < std::min(kinds.size(), kMostKinds); ++i) {
    finding.evidence.push_back(
        {fmt::format("{} x{}", kinds[i].label, kinds[i].rows.size()), kinds[i].ms, "ms"});
  }
}

void add_group(const RowGroup& group, Finding& finding) {
  finding.evidence.push_back({"time", group.ms, "ms"});
  finding.evidence.push_back({"share of the run", group.share, "share"});
  finding.evidence.push_back({"operators", group.count(), "count"});
  add_kinds(group, finding);
  if (!group.empty() && !finding.source) finding.source = group.worst().source;
}

void promise(double low_ms, double high_ms, const Profile& profile, Finding& finding) {
  const double most = std::max(0.0, profile.accounting.end_to_end_ms);
  finding.saving_high_ms = std::clamp(high_ms, 0.0, most);
  finding.saving_low_ms = std::clamp(low_ms, 0.0, *finding.saving_high_ms);
}

bool has_operators(const Rule& rule, const Profile& profile, Findings& findings) {
  if (!profile.operators.empty() && profile.accounting.end_to_end_ms > 0) return true;
  findings.need(rule.doc, profile, "operator events; the recording has none");
  return false;
}

const RunResult* find_result(const Report& report, const Profile& profile) {
  for (const RunResult& result : report.manifest.results) {
    if (result.experiment == profile.experiment && result.threads == profile.threads) return &result;
  }
  return nullptr;
}

const ModelFacts* facts_of(const Report& report, const Profile& profile) {
  if (!profile.has_facts) return nullptr;
  const auto other = report.other_facts.find(profile.name);
  if (other != report.other_facts.end()) return &other->second;
  return report.facts ? &*report.facts : nullptr;
}

}  // namespace etalon::analysis
