#include "analysis/reference_comparison.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace etalon::analysis {
namespace {

using nlohmann::ordered_json;

// Work whose arithmetic is this little says nothing about rates: copies, reshapes.
constexpr double kLeastGflop = 1e-6;

// The operators of one category, or of all when it is empty.
WorkRate rate_of(const Profile& profile, const std::string& category) {
  WorkRate rate;
  double gflop = 0;
  double known_ms = 0;
  for (const OperatorRow& row : profile.operators) {
    if (!category.empty() && row.category != category) continue;
    rate.ms += row.avg_ms;
    ++rate.operators;
    if (!row.flops) continue;
    gflop += *row.flops / 1e9;
    known_ms += row.avg_ms;
  }
  if (category.empty()) rate.ms = profile.accounting.end_to_end_ms;
  if (profile.accounting.end_to_end_ms > 0) rate.share = rate.ms / profile.accounting.end_to_end_ms;
  if (gflop < kLeastGflop || known_ms <= 0) return rate;
  const double ms = category.empty() ? rate.ms : known_ms;
  rate.gflop = gflop;
  rate.gflops_per_second = gflop / (ms / 1e3);
  rate.ms_per_gflop = ms / gflop;
  return rate;
}

bool has_category(const Profile& profile, const std::string& name) {
  return std::any_of(profile.categories.begin(), profile.categories.end(),
                     [&](const CategoryRow& row) { return row.name == name; });
}

ordered_json rate_json(const WorkRate& rate) {
  ordered_json out = {{"ms", rate.ms}, {"share", rate.share}, {"operators", rate.operators}};
  if (rate.gflop) out["gflop"] = *rate.gflop;
  if (rate.gflops_per_second) out["gflops_per_second"] = *rate.gflops_per_second;
  if (rate.ms_per_gflop) out["ms_per_gflop"] = *rate.ms_per_gflop;
  return out;
}

}  // namespace

ReferenceComparison compare_with_reference(const Profile& model, const Profile& reference) {
  ReferenceComparison out;
  out.model = model.name;
  out.reference = reference.name;
  out.model_total = rate_of(model, "");
  out.reference_total = rate_of(reference, "");
  for (const CategoryRow& category : model.categories) {
    ReferenceRow row;
    row.category = category.name;
    row.model = rate_of(model, category.name);
    if (has_category(reference, category.name)) row.reference = rate_of(reference, category.name);
    if (row.reference && row.model->gflop && row.reference->ms_per_gflop) {
      row.ms_at_reference_rate = *row.model->gflop * *row.reference->ms_per_gflop;
    }
    out.rows.push_back(std::move(row));
  }
  for (const CategoryRow& category : reference.categories) {
    if (has_category(model, category.name)) continue;
    ReferenceRow row;
    row.category = category.name;
    row.reference = rate_of(reference, category.name);
    out.rows.push_back(std::move(row));
  }
  return out;
}

std::string reference_json(const ReferenceComparison& comparison) {
  ordered_json root = {{"schema", "etalon.reference/1"},
                       {"model", comparison.model},
                       {"reference", comparison.reference},
                       {"model_total", rate_json(comparison.model_total)},
                       {"reference_total", rate_json(comparison.reference_total)}};
  ordered_json rows = ordered_json::array();
  for (const ReferenceRow& row : comparison.rows) {
    ordered_json one = {{"category", row.category}};
    if (row.model) one["model"] = rate_json(*row.model);
    if (row.reference) one["reference"] = rate_json(*row.reference);
    if (row.ms_at_reference_rate) one["ms_at_reference_rate"] = *row.ms_at_reference_rate;
    rows.push_back(std::move(one));
  }
  root["categories"] = std::move(rows);
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::analysis
