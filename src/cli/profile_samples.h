// <model>_<experiment>_t<N>_samples.json: the raw times of every launch, so that a verdict can be recomputed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace etalon::cli {

struct LaunchSamples {
  std::uint32_t round = 0;
  std::string started_at;  // ISO 8601, UTC
  std::vector<double> warmup_ms;
  std::vector<double> runs_ms;
  std::optional<double> first_ms;
  std::optional<double> load_ms;
  std::optional<double> peak_rss_bytes;
};

struct Samples {
  std::string key;
  std::string experiment;
  std::uint32_t threads = 1;
  bool traced = false;  // the runner recorded events during these runs
  std::vector<LaunchSamples> launches;
};

Status write_samples(const std::string& path, const Samples& samples);
// Empty when there is no such file or it belongs to another key.
Samples read_samples(const std::string& path, const std::string& key);

}  // namespace etalon::cli
