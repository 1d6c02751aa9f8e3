#include "measure/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"

namespace etalon::measure {
namespace {

using ::testing::ElementsAre;

class Preflight : public ::testing::Test {
 protected:
  Preflight()
      : root_(::testing::TempDir() + "etalon_preflight_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(root_);
  }

  ~Preflight() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, const std::string& text) {
    const std::string file = root_ + path;
    ASSERT_TRUE(make_directories(file.substr(0, file.rfind('/'))).ok());
    ASSERT_TRUE(write_file(file, text + "\n").ok());
  }

  std::string root_;
};

std::vector<std::string> ids(const std::vector<PreflightFinding>& findings) {
  std::vector<std::string> out;
  for (const PreflightFinding& finding : findings) {
    out.emplace_back(finding.id);
    EXPECT_FALSE(finding.found.empty() || finding.why.empty() || finding.fix.empty()) << finding.id;
  }
  return out;
}

TEST_F(Preflight, reads_what_linux_says) {
  put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil");
  put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "schedutil");
  put("/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance");
  put("/sys/devices/system/cpu/cpufreq/boost", "1");
  put("/sys/devices/system/cpu/smt/active", "0");
  put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
  put("/proc/loadavg", "3.50 1.25 0.75 5/180 12135");
  put("/proc/pressure/cpu", "some avg10=31.50 avg60=2.00 avg300=1.00 total=1\nfull avg10=0.00");
  put("/proc/meminfo",
      "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   50 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB");
  put("/sys/fs/cgroup/cpu.max", "150000 100000");
  put("/sys/class/thermal/thermal_zone0/temp", "41000");
  put("/sys/class/thermal/thermal_zone1/temp", "91500");
  put("/sys/class/power_supply/BAT0/status", "Discharging");
  put("/proc/cpuinfo", "processor : 0\nmicrocode\t: 0xa1\nflags\t\t: fpu hypervisor avx2\n");
  const MachineState state = read_machine_state(root_);
  EXPECT_THAT(state.governors, ElementsAre("schedutil", "performance"));
  EXPECT_EQ(state.turbo, true);
  EXPECT_EQ(state.smt, false);
  EXPECT_EQ(state.load_1min, 3.5);
  EXPECT_EQ(state.runnable, 4U);
  EXPECT_EQ(state.cpu_pressure_percent, 31.5);
  EXPECT_FALSE(state.memory_pressure_percent.has_value());
  EXPECT_EQ(state.memory_total_bytes, 1000U * 1024);
  EXPECT_EQ(state.memory_available_bytes, 50U * 1024);
  EXPECT_EQ(state.swap_used_bytes, 60U * 1024);
  EXPECT_EQ(state.cpu_quota, 1.5);
  EXPECT_EQ(state.hottest_celsius, 91.5);
  EXPECT_EQ(state.on_battery, true);
  EXPECT_EQ(state.virtual_machine, true);
  EXPECT_EQ(state.clock_source, "hpet");
  EXPECT_EQ(state.microcode, "0xa1");
  const auto json = nlohmann::json::parse(machine_state_to_json(state));
  EXPECT_EQ(json["hottest_celsius"], 91.5);
  EXPECT_FALSE(json.contains("memory_pressure_percent"));
}

TEST_F(Preflight, old_control_groups_and_no_limit) {
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
  put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_FALSE(read_machine_state(root_).cpu_quota.has_value());
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000");
  EXPECT_EQ(read_machine_state(root_).cpu_quota, 0.5);
  put("/sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_FALSE(read_machine_state(root_).cpu_quota.has_value());
}

TEST_F(Preflight, a_machine_that_tells_nothing_is_no_error) {
  const MachineState state = read_machine_state(root_ + "/nowhere");
  EXPECT_TRUE(state.governors.empty());
  EXPECT_FALSE(state.load_1min.has_value());
  EXPECT_GT(state.clock_cost_ns, 0);
  EXPECT_GE(state.usable_cpus, 1U);
}

TEST_F(Preflight, damaged_files_are_as_good_as_none) {
  put("/proc/loadavg", "garbage/");
  put("/proc/meminfo", "MemTotal: many kB");
  put("/sys/class/thermal/thermal_zone0/temp", "");
  put("/proc/cpuinfo", "flags\nmicrocode");
  const MachineState state = read_machine_state(root_);
  EXPECT_FALSE(state.load_1min.has_value());
  EXPECT_FALSE(state.runnable.has_value());
  EXPECT_FALSE(state.memory_total_bytes.has_value());
  EXPECT_FALSE(state.hottest_celsius.has_value());
}

MachineState calm() {
  MachineState state;
  state.governors = {"performance"};
  state.usable_cpus = 4;
  state.clock_source = "tsc";
  state.runnable = 0;
  return state;
}

TEST(PreflightFindings, a_calm_machine_has_none) { EXPECT_TRUE(examine(calm(), 4).empty()); }

TEST(PreflightFindings, each_trouble_is_named) {
  MachineState state = calm();
  state.runnable = 3;
  EXPECT_TRUE(examine(state, 1).empty());  // three other CPUs for three others
  EXPECT_THAT(ids(examine(state, 2)), ElementsAre("load"));
  state = calm();
  state.cpu_pressure_percent = 60;
  EXPECT_THAT(ids(examine(state)), ElementsAre("load"));
  state = calm();
  state.governors = {"powersave"};
  EXPECT_THAT(ids(examine(state)), ElementsAre("governor"));
  state = calm();
  state.cpu_quota = 1.5;
  EXPECT_THAT(ids(examine(state, 2)), ElementsAre("quota"));
  EXPECT_THAT(ids(examine(calm(), 8)), ElementsAre("threads"));
  state = calm();
  state.memory_total_bytes = 1000;
  state.memory_available_bytes = 50;
  EXPECT_THAT(ids(examine(state)), ElementsAre("memory"));
  state = calm();
  state.hottest_celsius = 90;
  state.on_battery = true;
  EXPECT_THAT(ids(examine(state)), ElementsAre("heat", "battery"));
}

TEST(PreflightFindings, the_worst_comes_first) {
  MachineState state = calm();
  state.turbo = true;
  state.smt = true;
  state.virtual_machine = true;
  state.clock_source = "hpet";
  state.clock_step_ns = 4000;
  state.optimised_build = false;
  EXPECT_THAT(ids(examine(state)),
              ElementsAre("debug-build", "clock-step", "smt", "virtual-machine", "turbo", "clock-source"));
  EXPECT_EQ(examine(state).front().concern, Concern::kRefuse);
}

}  // namespace
}  // namespace etalon::measure
