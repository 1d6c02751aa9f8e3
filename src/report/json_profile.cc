#include "report/json_parts.h"

namespace etalon::report {
namespace {

using analysis::OperatorRow;
using analysis::Profile;

Json isas_json(const Profile& profile) {
  Json out = Json::array();
  for (const analysis::IsaRow& row : profile.isas) {
    Json item = {{"isa", row.isa}, {"isa_wanted", row.wanted_isa}, {"operators", row.operators}, {"ms", row.ms}};
    put(item, "reason", row.reason);
    out.push_back(std::move(item));
  }
  return out;
}

Json memory_json(const analysis::MemoryLedger& memory) {
  Json out = Json::object();
  put(out, "weights", memory.weights);
  put(out, "packed_weights", memory.packed_weights);
  put(out, "activations", memory.activations);
  put(out, "workspace", memory.workspace);
  put(out, "peak_rss", memory.peak_rss);
  put(out, "baseline_rss", memory.baseline_rss);
  return out;
}

void put_kernel(const OperatorRow& row, Json& out) {
  put(out, "kernel_hint", row.kernel_hint);
  put(out, "isa", row.isa);
  if (!row.isa.empty() && row.wanted_isa != row.isa) put(out, "isa_wanted", row.wanted_isa);
  put(out, "isa_reason", row.isa_reason);
  put(out, "tile", row.tile);
  if (row.kernel_threads > 0) out["kernel_threads"] = row.kernel_threads;
  put(out, "dtype", row.dtype);
}

void put_work(const OperatorRow& row, Json& out) {
  put(out, "unmapped", row.unmapped);
  put(out, "shape", row.shape);
  put(out, "flops", row.flops);
  put(out, "bytes", row.bytes);
  put(out, "gflops_per_second", row.gflops_per_second);
  put(out, "gbytes_per_second", row.gbytes_per_second);
  put(out, "attainable_ms", row.attainable_ms);
  put(out, "share_of_roof", row.share_of_roof);
  put(out, "bound", row.bound);
  put(out, "roof", row.roof);
}

}  // namespace

Json source_json(const analysis::Source& source) {
  Json out;
  out["file"] = source.file;
  out["line"] = source.line;
  put(out, "function", source.function);
  put(out, "code", source.code);
  put(out, "module", source.module);
  put(out, "module_type", source.module_type);
  return out;
}

Json operator_json(const OperatorRow& row, const Profile& profile) {
  Json out;
  out["name"] = row.name;
  out["op_type"] = row.op_type;
  out["category"] = row.category;
  out["delegated"] = row.delegated;
  out["backend"] = row.backend;
  out["avg_ms"] = row.avg_ms;
  out["median_ms"] = row.median_ms;
  out["traced_avg_ms"] = row.traced_avg_ms;
  out["share"] = row.share;
  out["calls"] = row.calls;
  out["instruction"] = row.instruction;
  if (row.launch_ms.size() > 1) out["launch_ms"] = row.launch_ms;
  if (row.below_resolution) out["below_resolution"] = true;
  put_kernel(row, out);
  put_work(row, out);
  if (row.source) out["source"] = source_json(*row.source);
  out["experiment"] = profile.experiment;
  if (profile.threads > 0) out["threads"] = profile.threads;
  return out;
}

Json accounting_json(const Profile& profile) {
  const analysis::Accounting& account = profile.accounting;
  Json out;
  out["run"] = profile.name;
  out["operators_ms"] = account.operators_ms;
  out["framework_ms"] = account.framework_ms;
  out["residual_ms"] = account.residual_ms;
  out["end_to_end_ms"] = account.end_to_end_ms;
  put(out, "untraced_end_to_end_ms", account.untraced_ms);
  out["traced_end_to_end_ms"] = account.traced_ms;
  out["scale"] = account.scale;
  put(out, "trace_overhead", account.trace_overhead);
  put(out, "cold_ms", profile.cold_ms);
  put(out, "steady_ms", profile.steady_ms);
  put(out, "load_ms", profile.load_ms);
  return out;
}

Json profile_json(const Profile& profile) {
  Json out;
  out["etdump"] = profile.etdump;
  put(out, "experiment", profile.experiment);
  if (profile.threads > 0) out["threads"] = profile.threads;
  put(out, "dtype", profile.dtype);
  Json categories = Json::object();
  for (const analysis::CategoryRow& row : profile.categories) categories[row.name] = row.ms;
  out["categories_ms"] = std::move(categories);
  out["rows"] = profile.event_rows;
  out["steady_runs"] = profile.steady_runs;
  out["cold_runs"] = profile.cold_runs;
  if (profile.unusable_events > 0) out["unusable_events"] = profile.unusable_events;
  if (profile.microsecond_events) out["microsecond_events"] = true;
  if (!profile.isas.empty()) out["isas"] = isas_json(profile);
  if (Json memory = memory_json(profile.memory); !memory.empty()) out["memory_bytes"] = std::move(memory);
  if (profile.trace_cost) out["trace_cost"] = {{"events", profile.trace_cost->events}, {"ns_per_event", profile.trace_cost->ns_per_event}};
  out["accounting"] = accounting_json(profile);
  const analysis::CsvPaths paths = analysis::csv_paths_of(profile.etdump);
  out["csv_timeline"] = paths.run0;
  out["csv_stats"] = paths.stats;
  return out;
}

}  // namespace etalon::report
