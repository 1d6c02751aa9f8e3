// Raw samples: what every run of every arm took, in which block of which launch, and what the sentinel saw. A
// verdict is a function of these and can be recomputed from the file at any time. Plain values,
// thread-compatible.
//
// The file is `*_samples.json`, schema "etalon.samples/1". With one arm and no control it is flat (the arm's
// fields at the top), as a run folder holds one per experiment; otherwise `arms` and `control` are lists of
// such objects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/group_sequential.h"

namespace etalon::measure {

inline constexpr std::string_view kSamplesSchemaName = "etalon.samples/1";

// What one arm did in one block.
struct Block {
  std::uint32_t index = 0;    // in its launch
  std::uint32_t attempt = 0;  // above 0: a repetition of a voided block
  std::uint32_t place = 0;    // in the drawn order of the arms
  std::vector<double> runs_ms;
  std::vector<double> switch_ms;  // the first call after each change of arms: kept, not used
  double sentinel_before_ns = 0;  // 0: not taken
  double sentinel_after_ns = 0;
  bool disturbed = false;  // the sentinel deviated
  bool voided = false;     // ... and the block was repeated; never because of what it measured
};

// Numbers of a process besides its times: "load_ms", "first_ms", "peak_rss_bytes", ...
using Figures = std::map<std::string, double>;

struct LaunchRecord {
  std::uint32_t index = 0;
  std::string started_at;  // ISO 8601, UTC; empty: unknown
  std::vector<double> warmup_ms;
  std::string steadiness;  // steadiness_name(); empty: not looked for
  std::vector<Block> blocks;
  Figures figures;
};

struct ArmSamples {
  std::string name;  // "experiment" in the file
  std::string key;   // of everything that decides what was measured; a file with another key is not resumed
  std::uint32_t threads = 1;
  bool traced = false;
  std::vector<LaunchRecord> launches;

  std::vector<double> runs_ms() const;  // of all blocks that count, in the order of their launches
};

struct Recording {
  std::string session;  // arms of one session were interleaved; empty: unknown
  std::uint64_t seed = 0;
  std::string machine_json;          // machine_state_to_json() before it began; empty: unknown
  std::uint32_t runs_per_block = 0;  // of each arm; 0: not fixed yet
  std::uint32_t blocks_per_launch = 0;
  std::uint32_t control_launches = 0;
  // After how many launches it was or will be looked at, ascending; the last is what was planned. One number:
  // a fixed size. Empty: unknown, taken as the number of launches there are.
  std::vector<std::uint32_t> looks;
  Spending spending = Spending::kObrienFleming;
  std::vector<ArmSamples> arms;
  std::vector<ArmSamples> control;  // arm 0 against itself, or empty
};

// Everything of a session that is not about one arm.
Recording without_arms(const Recording& recording);

std::string recording_to_json(const Recording& recording);

// Any text; errors (kInvalidInput): not JSON, another schema, a wrong type, a time that is not positive and
// finite. Launches without `blocks` (files of other versions, other tools) are one block of all their runs.
Result<Recording> parse_recording(std::string_view json);

// Whole or absent, as write_file().
Status write_recording(const std::string& path, const Recording& recording);
Result<Recording> read_recording(const std::string& path);

}  // namespace etalon::measure
