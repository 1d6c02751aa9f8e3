#include "cli/profile_samples.h"

#include <nlohmann/json.hpp>

#include "analysis/json_reading.h"
#include "analysis/manifest.h"
#include "base/file.h"

namespace etalon::cli {
namespace {

using analysis::count_member;
using analysis::member;
using analysis::number_member;
using analysis::numbers_member;
using analysis::text_member;
using nlohmann::json;
using nlohmann::ordered_json;

ordered_json launch_json(const LaunchSamples& launch) {
  ordered_json out;
  out["round"] = launch.round;
  out["started_at"] = launch.started_at;
  if (!launch.warmup_ms.empty()) out["warmup_ms"] = launch.warmup_ms;
  out["runs_ms"] = launch.runs_ms;
  if (launch.first_ms) out["first_ms"] = *launch.first_ms;
  if (launch.load_ms) out["load_ms"] = *launch.load_ms;
  if (launch.peak_rss_bytes) out["peak_rss_bytes"] = *launch.peak_rss_bytes;
  return out;
}

LaunchSamples read_launch(const json& entry) {
  LaunchSamples launch;
  launch.round = static_cast<std::uint32_t>(count_member(entry, "round").value_or(0));
  launch.started_at = text_member(entry, "started_at");
  launch.warmup_ms = numbers_member(entry, "warmup_ms");
  launch.runs_ms = numbers_member(entry, "runs_ms");
  launch.first_ms = number_member(entry, "first_ms");
  launch.load_ms = number_member(entry, "load_ms");
  launch.peak_rss_bytes = number_member(entry, "peak_rss_bytes");
  return launch;
}

}  // namespace

Status write_samples(const std::string& path, const Samples& samples) {
  ordered_json root;
  root["schema"] = analysis::kSamplesSchema;
  root["key"] = samples.key;
  root["experiment"] = samples.experiment;
  root["threads"] = samples.threads;
  root["traced"] = samples.traced;
  root["launches"] = ordered_json::array();
  for (const LaunchSamples& launch : samples.launches) root["launches"].push_back(launch_json(launch));
  return write_file(path, root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

Samples read_samples(const std::string& path, const std::string& key) {
  Samples samples;
  samples.key = key;
  if (!file_exists(path)) return samples;
  const auto root = analysis::read_json_file(path);
  if (!root.ok() || text_member(*root, "key") != key) return samples;
  samples.traced = analysis::flag_member(*root, "traced");
  const json* launches = member(*root, "launches");
  if (launches == nullptr || !launches->is_array()) return samples;
  for (const json& entry : *launches) {
    LaunchSamples launch = read_launch(entry);
    if (!launch.runs_ms.empty()) samples.launches.push_back(std::move(launch));
  }
  return samples;
}

}  // namespace etalon::cli
