#include "analysis/manifest.h"

#include <fmt/core.h>

#include "analysis/json_reading.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Paths and messages come from outside and may hold any bytes; JSON text must not.
std::string dumped(const ordered_json& value) {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void put(ordered_json& object, const char* name, const std::optional<double>& value) {
  if (value) object[name] = *value;
}

void put(ordered_json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

// One file, by its full path and, so that the folder may move, relative to the folder.
void put_path(ordered_json& object, const char* name, const std::string& run_dir,
              const std::string& relative) {
  if (relative.empty()) return;
  object[name] = run_dir + "/" + relative;
  object[std::string(name) + "_rel"] = relative;
}

ordered_json metrics_of(const RunResult& result, const std::string& run_dir) {
  ordered_json metrics;
  metrics["runs"] = result.runs;
  metrics["warmup"] = result.warmup;
  metrics["threads"] = result.threads;
  if (!result.latency_ms.empty()) metrics["latency_ms"] = result.latency_ms;
  put(metrics, "median_ms", result.median_ms);
  put(metrics, "mean_ms", result.mean_ms);
  put(metrics, "min_ms", result.min_ms);
  put(metrics, "max_ms", result.max_ms);
  put(metrics, "p95_ms", result.p95_ms);
  put(metrics, "stdev_ms", result.stdev_ms);
  put(metrics, "cv_percent", result.cv_percent);
  put(metrics, "first_ms", result.first_ms);
  put(metrics, "load_ms", result.load_ms);
  put(metrics, "cold_ms", result.cold_ms);
  put(metrics, "peak_rss_bytes", result.peak_rss_bytes);
  put(metrics, "baseline_rss_bytes", result.baseline_rss_bytes);
  put(metrics, "packed_weights_bytes", result.packed_weights_bytes);
  put(metrics, "planned_bytes", result.planned_bytes);
  put(metrics, "workspace_bytes", result.workspace_bytes);
  if (result.timing_was_traced) metrics["timing_was_traced"] = true;
  put(metrics, "traced_ms", result.traced_ms);
  put(metrics, "traced_median_ms", result.traced_median_ms);
  if (result.traced_warmup) metrics["traced_warmup"] = *result.traced_warmup;
  if (!result.traced_launch_runs.empty()) metrics["traced_launch_runs"] = result.traced_launch_runs;
  put(metrics, "session", result.session);
  put(metrics, "model", result.model);
  put(metrics, "model_hash", result.model_hash);
  put_path(metrics, "etdump", run_dir, result.etdump);
  put_path(metrics, "log", run_dir, result.log);
  put_path(metrics, "kernels", run_dir, result.kernels);
  put_path(metrics, "samples", run_dir, result.samples);
  put_path(metrics, "control", run_dir, result.control);
  return metrics;
}

ordered_json results_of(const Manifest& manifest, const std::string& run_dir) {
  ordered_json list = ordered_json::array();
  for (const RunResult& result : manifest.results) {
    ordered_json entry;
    entry["experiment"] = result.experiment;
    entry["mode"] = result.mode;
    entry["status"] = result.status;
    put(entry, "error", result.error);
    put(entry, "runner", result.runner);
    put(entry, "engine", result.engine);
    put(entry, "isa", result.isa);
    put(entry, "isa_wanted", result.isa_wanted);
    put(entry, "key", result.key);
    entry["metrics"] = metrics_of(result, run_dir);
    list.push_back(std::move(entry));
  }
  return list;
}

ordered_json identity_json(const FileIdentity& file) {
  ordered_json out;
  out["path"] = file.path;
  put(out, "hash", file.hash);
  if (file.size_bytes) out["size"] = *file.size_bytes;
  return out;
}

FileIdentity read_identity(const json& root, const char* name) {
  FileIdentity file;
  file.path = text_member(root, name);
  const json* object = member(root, name);
  if (object == nullptr || !object->is_object()) return file;
  file.path = text_member(*object, "path");
  file.hash = text_member(*object, "hash");
  file.size_bytes = count_member(*object, "size");
  return file;
}

std::string relative_path(const json& metrics, const char* name, const char* relative_name) {
  const std::string relative = text_member(metrics, relative_name);
  return relative.empty() ? text_member(metrics, name) : relative;
}

std::uint32_t small_count(const json& object, const char* name, std::uint32_t fallback) {
  const auto value = count_member(object, name);
  return value && *value <= 0xFFFFFFFFU ? static_cast<std::uint32_t>(*value) : fallback;
}

std::vector<std::uint64_t> counts_member(const json& object, const char* name) {
  std::vector<std::uint64_t> counts;
  const json* list = member(object, name);
  if (list == nullptr || !list->is_array()) return counts;
  for (const json& item : *list) {
    if (item.is_number_unsigned()) counts.push_back(item.get<std::uint64_t>());
  }
  return counts;
}

RunResult read_result(const json& entry) {
  RunResult result;
  result.experiment = text_member(entry, "experiment");
  if (const std::string mode = text_member(entry, "mode"); !mode.empty()) result.mode = mode;
  if (const std::string status = text_member(entry, "status"); !status.empty()) result.status = status;
  result.error = text_member(entry, "error");
  result.runner = text_member(entry, "runner");
  result.engine = text_member(entry, "engine");
  result.isa = text_member(entry, "isa");
  result.isa_wanted = text_member(entry, "isa_wanted");
  result.key = text_member(entry, "key");
  const json* metrics = member(entry, "metrics");
  if (metrics == nullptr) return result;
  result.runs = small_count(*metrics, "runs", 0);
  result.warmup = small_count(*metrics, "warmup", 0);
  result.threads = small_count(*metrics, "threads", 1);
  result.latency_ms = numbers_member(*metrics, "latency_ms");
  result.median_ms = number_member(*metrics, "median_ms");
  result.mean_ms = number_member(*metrics, "mean_ms");
  result.min_ms = number_member(*metrics, "min_ms");
  result.max_ms = number_member(*metrics, "max_ms");
  result.p95_ms = number_member(*metrics, "p95_ms");
  result.stdev_ms = number_member(*metrics, "stdev_ms");
  result.cv_percent = number_member(*metrics, "cv_percent");
  result.first_ms = number_member(*metrics, "first_ms");
  result.load_ms = number_member(*metrics, "load_ms");
  result.cold_ms = number_member(*metrics, "cold_ms");
  result.peak_rss_bytes = number_member(*metrics, "peak_rss_bytes");
  result.baseline_rss_bytes = number_member(*metrics, "baseline_rss_bytes");
  result.packed_weights_bytes = number_member(*metrics, "packed_weights_bytes");
  result.planned_bytes = number_member(*metrics, "planned_bytes");
  result.workspace_bytes = number_member(*metrics, "workspace_bytes");
  result.timing_was_traced = flag_member(*metrics, "timing_was_traced");
  result.traced_ms = number_member(*metrics, "traced_ms");
  result.traced_median_ms = number_member(*metrics, "traced_median_ms");
  result.traced_warmup = count_member(*metrics, "traced_warmup");
  result.traced_launch_runs = counts_member(*metrics, "traced_launch_runs");
  result.session = text_member(*metrics, "session");
  result.model = text_member(*metrics, "model");
  result.model_hash = text_member(*metrics, "model_hash");
  result.etdump = relative_path(*metrics, "etdump", "etdump_rel");
  result.log = relative_path(*metrics, "log", "log_rel");
  result.kernels = relative_path(*metrics, "kernels", "kernels_rel");
  result.samples = relative_path(*metrics, "samples", "samples_rel");
  result.control = relative_path(*metrics, "control", "control_rel");
  return result;
}

void read_analysis(const json& root, Manifest& manifest) {
  const json* analysis = member(root, "analysis");
  if (analysis == nullptr) return;
  if (const json* categories = member(*analysis, "categories");
      categories != nullptr && categories->is_object()) {
    for (const auto& [name, operators] : categories->items()) {
      for (const json& op : operators) {
        if (op.is_string()) manifest.categories[name].push_back(op.get<std::string>());
      }
    }
  }
  const json* pairs = member(*analysis, "compare_pairs");
  if (pairs == nullptr || !pairs->is_array()) return;
  for (const json& pair : *pairs) {
    const json* baseline = member(pair, "baseline");
    const json* candidate = member(pair, "candidate");
    if (baseline == nullptr || candidate == nullptr) continue;
    manifest.compare_pairs.push_back({text_member(pair, "label"), text_member(*baseline, "experiment"),
                                      small_count(*baseline, "threads", 1),
                                      text_member(*candidate, "experiment"),
                                      small_count(*candidate, "threads", 1)});
  }
}

ordered_json concerns_json(const std::vector<MachineConcern>& concerns) {
  ordered_json list = ordered_json::array();
  for (const MachineConcern& concern : concerns) {
    list.push_back({{"id", concern.id},
                    {"concern", concern.concern},
                    {"found", concern.found},
                    {"why", concern.why},
                    {"fix", concern.fix}});
  }
  return list;
}

void read_machine(const json& root, Manifest& manifest) {
  if (const json* machine = member(root, "machine"); machine != nullptr && machine->is_object()) {
    manifest.machine_json = machine->dump(-1, ' ', false, json::error_handler_t::replace);
  }
  if (const json* concerns = member(root, "preflight"); concerns != nullptr && concerns->is_array()) {
    for (const json& entry : *concerns) {
      manifest.concerns.push_back({text_member(entry, "id"), text_member(entry, "concern"),
                                   text_member(entry, "found"), text_member(entry, "why"),
                                   text_member(entry, "fix")});
    }
  }
  const json* notes = member(root, "notes");
  if (notes == nullptr || !notes->is_array()) return;
  for (const json& note : *notes) {
    if (note.is_string()) manifest.notes.push_back(note.get<std::string>());
  }
}

ordered_json executorch_json(const ExecutorchUse& use) {
  ordered_json out = {{"present", use.present}};
  put(out, "version", use.version);
  put(out, "sha", use.sha);
  if (!use.sha.empty()) out["dirty"] = false;  // of a released package
  return out;
}

ordered_json analysis_json(const Manifest& manifest) {
  ordered_json pairs = ordered_json::array();
  for (const PlannedComparison& pair : manifest.compare_pairs) {
    pairs.push_back(
        {{"label", pair.label},
         {"baseline", {{"experiment", pair.baseline_experiment}, {"threads", pair.baseline_threads}}},
         {"candidate", {{"experiment", pair.candidate_experiment}, {"threads", pair.candidate_threads}}}});
  }
  ordered_json out;
  out["compare_pairs"] = std::move(pairs);
  out["categories"] = manifest.categories;
  return out;
}

}  // namespace

std::string manifest_json(const Manifest& manifest, const std::string& run_dir) {
  ordered_json root;
  root["schema"] = kManifestSchema;
  root["generated_at"] = manifest.generated_at;
  root["status"] = manifest.status;
  root["tool"] = manifest.tool;
  if (!manifest.config.path.empty()) root["config"] = identity_json(manifest.config);
  root["model"] = identity_json(manifest.model);
  root["executorch"] = executorch_json(manifest.executorch);
  root["platform"] = manifest.platform;
  root["device"] = manifest.device;
  const ordered_json machine = ordered_json::parse(manifest.machine_json, nullptr, false);
  if (machine.is_object()) root["machine"] = machine;
  if (!manifest.concerns.empty()) root["preflight"] = concerns_json(manifest.concerns);
  if (!manifest.notes.empty()) root["notes"] = manifest.notes;
  root["design"] = manifest.design;
  root["seed"] = manifest.seed;
  root["analysis"] = analysis_json(manifest);
  root["results"] = results_of(manifest, run_dir);
  return dumped(root);
}

std::string metrics_json(const Manifest& manifest, const std::string& run_dir) {
  ordered_json root;
  root["schema"] = kMetricsSchema;
  root["results"] = results_of(manifest, run_dir);
  return dumped(root);
}

Result<Manifest> read_manifest(const std::string& run_dir) {
  const std::string path = run_dir + "/manifest.json";
  ETALON_TRY(const json root, read_json_file(path));
  const json* results = member(root, "results");
  if (results == nullptr || !results->is_array()) {
    return invalid_input(path + ": has no list named results; it is not a run's manifest");
  }
  Manifest manifest;
  manifest.generated_at = text_member(root, "generated_at");
  manifest.status = text_member(root, "status");
  manifest.tool = text_member(root, "tool");
  manifest.config = read_identity(root, "config");
  manifest.model = read_identity(root, "model");
  if (const json* executorch = member(root, "executorch"); executorch != nullptr) {
    manifest.executorch = {flag_member(*executorch, "present"), text_member(*executorch, "version"),
                           text_member(*executorch, "sha")};
  }
  manifest.platform = text_member(root, "platform");
  manifest.design = text_member(root, "design");
  manifest.seed = count_member(root, "seed").value_or(0);
  if (const json* device = member(root, "device"); device != nullptr && device->is_object()) {
    for (const auto& [name, value] : device->items()) {
      if (value.is_string()) manifest.device[name] = value.get<std::string>();
    }
  }
  read_machine(root, manifest);
  read_analysis(root, manifest);
  for (const json& entry : *results) manifest.results.push_back(read_result(entry));
  return manifest;
}

std::string artifact_stem(const std::string& model, const std::string& experiment, std::uint32_t threads) {
  return fmt::format("{}/{}_{}_t{}", experiment, model, experiment, threads);
}

}  // namespace etalon::analysis
