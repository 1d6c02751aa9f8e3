#include "analysis/verdict_json.h"
#include "report/json_parts.h"

namespace etalon::report {
namespace {

using analysis::Comparison;

Json kernels_json(const analysis::KernelComparison& kernels) {
  Json out = {{"compared", kernels.compared}, {"changed", kernels.changed}, {"only_in_one", kernels.only_in_one}};
  out["changes"] = Json::array();
  for (const analysis::KernelChange& change : kernels.changes) {
    out["changes"].push_back({{"baseline_kernel", change.baseline_kernel},
                              {"baseline_isa", change.baseline_isa},
                              {"candidate_kernel", change.candidate_kernel},
                              {"candidate_isa", change.candidate_isa},
                              {"baseline_ms", change.baseline_ms},
                              {"candidate_ms", change.candidate_ms},
                              {"operators", change.operators}});
  }
  return out;
}

Json match_json(const analysis::OperatorMatch& match) {
  Json out = {{"label", match.label}, {"category", match.category}, {"matched_by", analysis::match_kind_name(match.kind)}};
  if (!match.baseline.empty()) out["baseline_ms"] = match.baseline_ms;
  if (!match.candidate.empty()) out["candidate_ms"] = match.candidate_ms;
  out["delta_ms"] = match.delta_ms;
  out["baseline_operators"] = match.baseline;
  out["candidate_operators"] = match.candidate;
  if (match.kernel_changed) out["kernel_changed"] = true;
  if (match.verdict) out["verdict"] = analysis::verdict_json(*match.verdict);
  put(out, "snr_db", match.snr_db);
  return out;
}

Json waterfall_json(const Comparison& row) {
  Json out = Json::array();
  for (const analysis::WaterfallStep& step : row.waterfall) {
    Json item = {{"kind", analysis::step_kind_name(step.kind)}, {"name", step.name}, {"delta_ms", step.delta_ms}, {"operators", step.operators}};
    put(item, "category", step.category);
    if (step.interval_ms) item["interval_ms"] = interval_json(*step.interval_ms);
    out.push_back(std::move(item));
  }
  return out;
}

Json outputs_json(const Comparison& row) {
  Json list = Json::array();
  for (const analysis::OutputDifference& out : row.outputs) {
    Json item = {{"output", out.output}, {"values", out.values}, {"max_abs", out.max_abs}, {"relative_to_peak", out.relative_to_peak}, {"cosine", out.cosine}};
    put(item, "snr_db", std::optional(out.snr_db));
    if (out.same_top1) item["same_top1"] = *out.same_top1;
    list.push_back(std::move(item));
  }
  return list;
}

// Not finite is null: equal, or a value that is no number; max_abs tells which.
Json layers_json(const Comparison& row) {
  Json list = Json::array();
  for (const analysis::LayerDifference& layer : row.layers) {
    const analysis::OutputDifference& difference = layer.difference;
    Json item = {{"name", difference.output}, {"baseline_op", layer.baseline_op}, {"candidate_op", layer.candidate_op}, {"cosine", difference.cosine}};
    put(item, "max_abs", std::optional(difference.max_abs));
    put(item, "snr_db", std::optional(difference.snr_db));
    list.push_back(std::move(item));
  }
  return list;
}

Json categories_json(const Comparison& row) {
  Json out = Json::array();
  for (const analysis::CategoryChange& change : row.categories) {
    out.push_back({{"name", change.name},
                   {"baseline_ms", change.baseline_ms},
                   {"candidate_ms", change.candidate_ms},
                   {"baseline_share", change.baseline_share},
                   {"candidate_share", change.candidate_share}});
  }
  return out;
}

Json figures_json(const Comparison& row) {
  Json out = Json::array();
  for (const analysis::FigureChange& figure : row.figures) {
    Json item = {{"name", figure.name}, {"unit", figure.unit}};
    put(item, "baseline", figure.baseline);
    put(item, "candidate", figure.candidate);
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

Json interval_json(const measure::Interval& interval) {
  Json out = Json::object();
  put(out, "low", std::optional(interval.low));
  put(out, "high", std::optional(interval.high));
  return out;
}

Json comparison_json(const Comparison& row) {
  Json out = {{"label", row.label},
              {"baseline", row.baseline},
              {"candidate", row.candidate},
              {"baseline_ms", row.baseline_ms},
              {"candidate_ms", row.candidate_ms},
              {"ratio", row.ratio},
              {"interleaved", row.interleaved}};
  if (row.verdict) out["verdict"] = analysis::verdict_json(*row.verdict);
  if (row.control && row.control->ran) out["control"] = analysis::control_json(*row.control);
  if (!row.categories.empty()) out["categories"] = categories_json(row);
  if (!row.waterfall.empty()) out["waterfall"] = waterfall_json(row);
  if (!row.operators.empty()) {
    out["matched_share"] = row.matched_share;
    out["operators"] = Json::array();
    for (const analysis::OperatorMatch& match : row.operators) out["operators"].push_back(match_json(match));
  }
  if (row.kernels.compared > 0) out["kernels"] = kernels_json(row.kernels);
  if (!row.outputs.empty()) out["outputs"] = outputs_json(row);
  if (!row.layers.empty()) out["layers"] = layers_json(row);
  if (!row.figures.empty()) out["figures"] = figures_json(row);
  if (!row.notes.empty()) out["notes"] = row.notes;
  return out;
}

Json factor_table_json(const analysis::FactorTable& table) {
  Json out = {{"factors", table.factors}, {"cells", Json::array()}};
  for (const analysis::TableCell& cell : table.cells) {
    Json item = {{"levels", cell.levels}, {"median_ms", cell.median_ms}};
    put(item, "p95_ms", cell.p95_ms);
    put(item, "first_ms", cell.first_ms);
    if (cell.verdict) item["verdict"] = analysis::verdict_json(*cell.verdict);
    out["cells"].push_back(std::move(item));
  }
  return out;
}

}  // namespace etalon::report
