// Questions that several rules ask of a profile: which operators are of a kind, what do they take together,
// and how much of that may a finding promise. Rows are borrowed from the profile. Pure functions,
// thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/finding.h"
#include "analysis/run_report.h"

namespace etalon::analysis {

// Operators that belong together, most expensive first.
struct RowGroup {
  std::string label;
  std::vector<const OperatorRow*> rows;
  double ms = 0;
  double share = 0;  // of the end to end, 0..1
  double calls = 0;  // per run

  bool empty() const { return rows.empty(); }
  const OperatorRow& worst() const { return *rows.front(); }  // not of an empty group
  double count() const { return static_cast<double>(rows.size()); }
};

RowGroup select_rows(const Profile& profile, const std::function<bool(const OperatorRow&)>& belongs);

// "convolution" for any spelling of it, by the name of the event, else by the operator of the record.
std::string kind_of(const OperatorRow& row);
bool is_one_of(std::string_view kind, std::initializer_list<std::string_view> kinds);

// Several operators of one kind: what they take together, most expensive first.
std::vector<RowGroup> by_kind(const RowGroup& group);

// The least time for the rows by the roofline; nothing where it is known for fewer than all of them.
std::optional<double> attainable_ms(const RowGroup& group);
// Read and written; nothing where it is known for none of them.
std::optional<double> known_bytes(const RowGroup& group);

// Plain code without vectors, as kernel evidence names it; false where there is no evidence.
bool is_scalar(const OperatorRow& row);

// A disturbed run makes the mean of a short operator long; its median is not moved.
double typical_ms(const OperatorRow& row);

// The quantile `at` (0..1) of values that are not sorted, by linear interpolation; values must not be empty.
double quantile_of(std::vector<double> values, double at);

// ---- making findings ----

Finding make_finding(const Rule& rule, Severity severity, const Profile& profile, std::string subject);

// Time, share and number of operators, with the kinds that take most ("convolution x52") when there are
// several.
void add_group(const RowGroup& group, Finding& finding);
void add_kinds(const RowGroup& group, Finding& finding);

// A saving of a part of the run, never more than the run (Amdahl 1967) and never less than nothing.
void promise(double low_ms, double high_ms, const Profile& profile, Finding& finding);

// False, with a "not evaluated", where the recording holds no operator.
bool has_operators(const Rule& rule, const Profile& profile, Findings& findings);

// ---- finding things in a report ----

const RunResult* find_result(const Report& report, const Profile& profile);
// What the rows of a profile point into; null where its program is not known.
const ModelFacts* facts_of(const Report& report, const Profile& profile);

}  // namespace etalon::analysis
