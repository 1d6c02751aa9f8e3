#include "measure/preflight.h"

#include <dirent.h>
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "platform/affinity.h"
#include "platform/clock.h"

namespace etalon::measure {
namespace {

constexpr double kWarmCelsius = 85;      // phones and laptops begin to throttle between 80 and 95
constexpr double kBusyPressure = 20;     // percent of the time in which somebody waited
constexpr double kFullMemory = 0.10;     // of all memory still available
constexpr double kCoarseClockNs = 1000;  // a run of 0.1 ms is then known to 1 %
constexpr std::size_t kMaxSystemFile = std::size_t{1} << 20;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// System files have no size that mapping could use; the first megabyte of a plain read is all of them.
std::string contents(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return text;
  char buffer[4096];
  for (std::size_t got = 1; got > 0 && text.size() < kMaxSystemFile;) {
    got = std::fread(buffer, 1, sizeof(buffer), file);
    text.append(buffer, got);
  }
  std::fclose(file);
  return std::string(trimmed(text));
}

std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// The number after `key` in a text such as "MemTotal:  16314 kB" or "some avg10=0.25 avg60=...".
std::optional<double> number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return number(text.substr(at + key.size()));
}

std::optional<std::uint64_t> kilobytes_after(std::string_view text, std::string_view key) {
  const auto value = number_after(text, key);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value) * 1024;
}

std::vector<std::string> entries(const std::string& folder, std::string_view prefix) {
  std::vector<std::string> names;
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    if (std::string_view(entry->d_name).substr(0, prefix.size()) == prefix) names.emplace_back(entry->d_name);
  }
  ::closedir(open);
  std::sort(names.begin(), names.end());
  return names;
}

void read_clocks(const std::string& root, MachineState& state) {
  const std::string cpus = root + "/sys/devices/system/cpu";
  for (const std::string& cpu : entries(cpus, "cpu")) {
    const std::string governor = contents(cpus + "/" + cpu + "/cpufreq/scaling_governor");
    if (!governor.empty() && std::count(state.governors.begin(), state.governors.end(), governor) == 0) {
      state.governors.push_back(governor);
    }
  }
  if (const auto off = number(contents(cpus + "/intel_pstate/no_turbo"))) state.turbo = *off == 0;
  if (const auto boost = number(contents(cpus + "/cpufreq/boost"))) state.turbo = *boost != 0;
  if (const auto smt = number(contents(cpus + "/smt/active"))) state.smt = *smt != 0;
  state.clock_source = contents(root + "/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

// "0.52 0.58 0.59 3/180 12135"
void read_load(const std::string& root, MachineState& state) {
  const std::string text = contents(root + "/proc/loadavg");
  state.load_1min = number(text);
  const std::size_t slash = text.find('/');
  const std::size_t blank = slash == std::string::npos ? slash : text.rfind(' ', slash);
  if (blank != std::string::npos) {
    if (const auto running = number(std::string_view(text).substr(blank))) {
      state.runnable = static_cast<std::uint32_t>(std::max(*running - 1, 0.0));
    }
  }
  state.cpu_pressure_percent = number_after(contents(root + "/proc/pressure/cpu"), "some avg10=");
  state.memory_pressure_percent = number_after(contents(root + "/proc/pressure/memory"), "some avg10=");
}

void read_memory(const std::string& root, MachineState& state) {
  const std::string text = contents(root + "/proc/meminfo");
  state.memory_total_bytes = kilobytes_after(text, "MemTotal:");
  state.memory_available_bytes = kilobytes_after(text, "MemAvailable:");
  const auto swap = kilobytes_after(text, "SwapTotal:");
  const auto free = kilobytes_after(text, "SwapFree:");
  if (swap && free && *swap >= *free) state.swap_used_bytes = *swap - *free;
}

// Version 2: "150000 100000" or "max 100000"; version 1 keeps the two in files of their own, -1 for no limit.
void read_quota(const std::string& root, MachineState& state) {
  const std::string both = contents(root + "/sys/fs/cgroup/cpu.max");
  std::optional<double> quota = number(both);
  std::optional<double> period;
  const std::size_t blank = both.find(' ');
  if (blank != std::string::npos) period = number(std::string_view(both).substr(blank));
  if (both.empty()) {
    quota = number(contents(root + "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
    period = number(contents(root + "/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
  }
  if (quota && period && *quota > 0 && *period > 0) state.cpu_quota = *quota / *period;
}

void read_heat_and_power(const std::string& root, MachineState& state) {
  const std::string thermal = root + "/sys/class/thermal";
  for (const std::string& zone : entries(thermal, "thermal_zone")) {
    const auto millidegrees = number(contents(thermal + "/" + zone + "/temp"));
    if (!millidegrees) continue;
    state.hottest_celsius = std::max(state.hottest_celsius.value_or(-273), *millidegrees / 1000);
  }
  const std::string power = root + "/sys/class/power_supply";
  for (const std::string& supply : entries(power, "")) {
    const std::string status = contents(power + "/" + supply + "/status");
    if (status == "Discharging") state.on_battery = true;
    if (!status.empty() && !state.on_battery) state.on_battery = false;
  }
}

void read_processor(const std::string& root, MachineState& state) {
  const std::string text = contents(root + "/proc/cpuinfo");
  if (text.empty()) return;
  const std::size_t flags = text.find("\nflags");
  if (flags != std::string::npos) {
    const std::string_view line =
        std::string_view(text).substr(flags + 1, text.find('\n', flags + 1) - flags - 1);
    state.virtual_machine = (std::string(line) + " ").find(" hypervisor ") != std::string::npos;
  }
  const std::size_t microcode = text.find("\nmicrocode");
  if (microcode == std::string::npos) return;
  const std::size_t colon = text.find(':', microcode);
  if (colon != std::string::npos) {
    state.microcode = trimmed(std::string_view(text).substr(colon + 1, text.find('\n', colon) - colon - 1));
  }
}

void time_the_clock(MachineState& state) {
  constexpr int kReadings = 20'000;
  const std::uint64_t start = platform::now_ns();
  std::uint64_t before = start;
  std::uint64_t step = ~std::uint64_t{0};
  for (int i = 0; i < kReadings; ++i) {
    const std::uint64_t now = platform::now_ns();
    if (now > before) step = std::min(step, now - before);
    before = now;
  }
  state.clock_cost_ns = static_cast<double>(before - start) / kReadings;
  state.clock_step_ns = step == ~std::uint64_t{0} ? 0 : static_cast<double>(step);
}

constexpr bool is_optimised() {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

using Findings = std::vector<PreflightFinding>;

void examine_clock(const MachineState& state, Findings& findings) {
  const bool fixed = std::all_of(state.governors.begin(), state.governors.end(),
                                 [](const std::string& governor) { return governor == "performance"; });
  if (!fixed) {
    findings.push_back({"governor", Concern::kWarning,
                        fmt::format("frequency governor: {}", fmt::join(state.governors, ", ")),
                        "the clock follows the load, so short runs start slow",
                        "cpupower frequency-set -g performance"});
  }
  if (state.turbo.value_or(false)) {
    findings.push_back({"turbo", Concern::kNote, "turbo is on",
                        "the clock depends on heat and on how many cores are busy",
                        "leave it for what users see; turn it off to compare kernels"});
  }
  if (!state.clock_source.empty() && state.clock_source != "tsc" &&
      state.clock_source != "arch_sys_counter") {
    findings.push_back({"clock-source", Concern::kNote, fmt::format("clock source: {}", state.clock_source),
                        "reading the time may cost a system call", "none is needed for runs above 0.1 ms"});
  }
  if (state.clock_step_ns > kCoarseClockNs) {
    findings.push_back({"clock-step", Concern::kWarning,
                        fmt::format("the clock moves in steps of {:.0f} ns", state.clock_step_ns),
                        "short operators cannot be told apart", "measure longer blocks"});
  }
}

void examine_company(const MachineState& state, std::uint32_t threads, Findings& findings) {
  const double free_cpus = static_cast<double>(state.usable_cpus) - static_cast<double>(threads);
  const double company = state.runnable ? static_cast<double>(*state.runnable) : 0;
  const double pressure = state.cpu_pressure_percent.value_or(0);
  if (company > std::max(free_cpus, 0.0) || pressure > kBusyPressure) {
    findings.push_back({"load", Concern::kWarning,
                        fmt::format("{:.0f} other processes want a CPU, {} CPUs, {} threads to measure; "
                                    "somebody waited for a CPU {:.0f} % of the time",
                                    company, state.usable_cpus, threads, pressure),
                        "blocks are voided and intervals widen",
                        "stop what else is running, or measure longer"});
  }
  if (threads > state.usable_cpus) {
    findings.push_back({"threads", Concern::kWarning,
                        fmt::format("{} threads on {} usable CPUs", threads, state.usable_cpus),
                        "threads take turns, and times depend on the scheduler", "measure fewer threads"});
  }
  if (state.cpu_quota && *state.cpu_quota < threads) {
    findings.push_back(
        {"quota", Concern::kWarning,
         fmt::format("the control group grants {:.2g} CPUs for {} threads", *state.cpu_quota, threads),
         "runs are stopped for the rest of each period", "raise the limit, or measure fewer threads"});
  }
  if (state.smt.value_or(false)) {
    findings.push_back({"smt", Concern::kNote, "threads share cores (SMT)",
                        "a neighbour on the same core takes half of it", "pin to one thread of each core"});
  }
  if (state.virtual_machine.value_or(false)) {
    findings.push_back({"virtual-machine", Concern::kNote, "this is a virtual machine",
                        "other guests share the processor unseen", "trust verdicts, not absolute times"});
  }
}

void examine_memory(const MachineState& state, Findings& findings) {
  const bool low = state.memory_total_bytes && state.memory_available_bytes &&
                   static_cast<double>(*state.memory_available_bytes) <
                       kFullMemory * static_cast<double>(*state.memory_total_bytes);
  if (!low && state.memory_pressure_percent.value_or(0) <= kBusyPressure) return;
  findings.push_back(
      {"memory", Concern::kWarning,
       fmt::format("{} MB of memory are left, somebody waited for memory {:.0f} % of the time",
                   state.memory_available_bytes.value_or(0) >> 20, state.memory_pressure_percent.value_or(0)),
       "pages of the model may be read again during a run", "close what holds memory"});
}

void examine_heat_and_power(const MachineState& state, Findings& findings) {
  if (state.hottest_celsius.value_or(0) > kWarmCelsius) {
    findings.push_back({"heat", Concern::kWarning,
                        fmt::format("{:.0f} degrees Celsius", *state.hottest_celsius),
                        "the clock is lowered when it gets hotter", "let it cool down first"});
  }
  if (state.on_battery.value_or(false)) {
    findings.push_back({"battery", Concern::kWarning, "running on battery",
                        "power saving lowers the clock without notice", "connect the charger"});
  }
}

template <class T>
void put(nlohmann::ordered_json& out, const char* name, const std::optional<T>& value) {
  if (value) out[name] = *value;
}

}  // namespace

MachineState read_machine_state(const std::string& root) {
  MachineState state;
  read_clocks(root, state);
  read_load(root, state);
  read_memory(root, state);
  read_quota(root, state);
  read_heat_and_power(root, state);
  read_processor(root, state);
  time_the_clock(state);
  state.usable_cpus = static_cast<std::uint32_t>(std::max(platform::usable_cpu_count(), 1));
  state.optimised_build = is_optimised();
  return state;
}

std::vector<PreflightFinding> examine(const MachineState& state, std::uint32_t threads) {
  Findings findings;
  if (!state.optimised_build) {
    findings.push_back({"debug-build", Concern::kRefuse, "this build is not optimised, or has sanitizers",
                        "its times say nothing about the program users run", "./dev build"});
  }
  examine_company(state, threads, findings);
  examine_clock(state, findings);
  examine_memory(state, findings);
  examine_heat_and_power(state, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const auto& a, const auto& b) { return a.concern > b.concern; });
  return findings;
}

std::string machine_state_to_json(const MachineState& state) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  if (!state.governors.empty()) out["governors"] = state.governors;
  put(out, "turbo", state.turbo);
  put(out, "smt", state.smt);
  put(out, "load_1min", state.load_1min);
  put(out, "runnable", state.runnable);
  put(out, "cpu_pressure_percent", state.cpu_pressure_percent);
  put(out, "memory_pressure_percent", state.memory_pressure_percent);
  put(out, "memory_total_bytes", state.memory_total_bytes);
  put(out, "memory_available_bytes", state.memory_available_bytes);
  put(out, "swap_used_bytes", state.swap_used_bytes);
  put(out, "cpu_quota", state.cpu_quota);
  put(out, "hottest_celsius", state.hottest_celsius);
  put(out, "on_battery", state.on_battery);
  put(out, "virtual_machine", state.virtual_machine);
  if (!state.clock_source.empty()) out["clock_source"] = state.clock_source;
  if (!state.microcode.empty()) out["microcode"] = state.microcode;
  out["usable_cpus"] = state.usable_cpus;
  out["clock_step_ns"] = state.clock_step_ns;
  out["clock_cost_ns"] = state.clock_cost_ns;
  out["optimised_build"] = state.optimised_build;
  return out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace etalon::measure
