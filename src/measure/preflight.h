// The state of the machine before measuring: what can make times wander or lie. It is recorded with the
// samples and warned about; nothing is changed. What cannot be found out is absent, which is no defect.
// Values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etalon::measure {

struct MachineState {
  std::vector<std::string> governors;  // distinct ones: "performance", "schedutil"
  std::optional<bool> turbo;           // the clock may rise above its nominal rate
  std::optional<bool> smt;             // threads share cores
  std::optional<double> load_1min;
  std::optional<std::uint32_t> runnable;          // processes that want a CPU now, without this one
  std::optional<double> cpu_pressure_percent;     // of the last 10 s, in which someone waited for a CPU
  std::optional<double> memory_pressure_percent;  // ... for memory
  std::optional<std::uint64_t> memory_total_bytes;
  std::optional<std::uint64_t> memory_available_bytes;
  std::optional<std::uint64_t> swap_used_bytes;
  std::optional<double> cpu_quota;  // CPUs that the control group grants; absent: no limit
  std::optional<double> hottest_celsius;
  std::optional<bool> on_battery;
  std::optional<bool> virtual_machine;
  std::string clock_source;  // "tsc"
  std::string microcode;
  std::uint32_t usable_cpus = 1;
  double clock_step_ns = 0;  // the smallest difference two readings of our clock show
  double clock_cost_ns = 0;  // of one reading
  bool optimised_build = true;
};

// From /proc and /sys below `root` ("" is this machine; a folder of copies in tests), and two ms of clock
// readings.
MachineState read_machine_state(const std::string& root = "");

enum class Concern : std::uint8_t {
  kNote,     // say it
  kWarning,  // numbers will be wider or shifted
  kRefuse,   // numbers mean nothing
};

struct PreflightFinding {
  std::string_view id;  // "load", "governor": stable, for machines
  Concern concern = Concern::kWarning;
  std::string found;
  std::string_view why;
  std::string_view fix;
};

// `threads` is the most that will be measured at once.
std::vector<PreflightFinding> examine(const MachineState& state, std::uint32_t threads = 1);

// An object with one field for everything that is known, for the file of a session.
std::string machine_state_to_json(const MachineState& state);

}  // namespace etalon::measure
