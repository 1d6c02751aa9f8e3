#include "cli/ceilings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "cli/ceilings_levels.h"
#include "cli/ceilings_team.h"
#include "cli/peak_table.h"
#include "platform/cpu_info.h"

namespace etalon::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;

platform::CpuInfo cpu_with(int cpus, std::uint64_t l1, std::uint64_t l2, std::uint32_t l2_shared, std::uint64_t l3,
                           std::uint32_t l3_shared) {
  platform::CpuInfo cpu;
  cpu.logical_cpus = cpus;
  if (l1 > 0) cpu.caches.push_back({1, "data", l1, 64, 1});
  cpu.caches.push_back({1, "instruction", 32 * kKiB, 64, 1});
  if (l2 > 0) cpu.caches.push_back({2, "unified", l2, 64, l2_shared});
  if (l3 > 0) cpu.caches.push_back({3, "unified", l3, 64, l3_shared});
  return cpu;
}

TEST(MemoryLevels, are_streamed_well_inside_of_each_cache_and_far_beyond_the_last) {
  const auto levels = memory_levels(cpu_with(8, 48 * kKiB, kMiB, 1, 32 * kMiB, 8), 1, 16 * kGiB);
  ASSERT_EQ(levels.size(), 4u);
  EXPECT_EQ(levels[0].name, "L1");
  EXPECT_EQ(levels[0].bytes_per_thread, 24 * kKiB);
  EXPECT_EQ(levels[0].capacity_bytes, 48 * kKiB);
  EXPECT_EQ(levels[1].bytes_per_thread, 512 * kKiB);
  EXPECT_GT(levels[2].bytes_per_thread, 4 * kMiB);
  EXPECT_LT(levels[2].bytes_per_thread, 16 * kMiB);
  EXPECT_EQ(levels[3].name, "memory");
  EXPECT_EQ(levels[3].bytes_per_thread, 128 * kMiB);
  EXPECT_EQ(levels[3].capacity_bytes, 0u);
}

TEST(MemoryLevels, private_caches_add_up_and_shared_ones_are_divided) {
  const auto levels = memory_levels(cpu_with(8, 32 * kKiB, 512 * kKiB, 2, 16 * kMiB, 8), 8, 16 * kGiB);
  ASSERT_EQ(levels.size(), 4u);
  EXPECT_EQ(levels[0].capacity_bytes, 8 * 32 * kKiB);
  EXPECT_EQ(levels[1].capacity_bytes, 4 * 512 * kKiB) << "two CPUs share one";
  EXPECT_EQ(levels[1].bytes_per_thread, 128 * kKiB);
  EXPECT_EQ(levels[2].capacity_bytes, 16 * kMiB);
  EXPECT_LE(levels[2].bytes_per_thread, kMiB) << "half of an eighth";
  EXPECT_EQ(levels[3].bytes_per_thread, 16 * kMiB);
}

TEST(MemoryLevels, a_huge_last_level_is_not_believed) {
  const auto levels = memory_levels(cpu_with(2, 48 * kKiB, 2 * kMiB, 1, 480 * kMiB, 2), 1, 23 * kGiB);
  ASSERT_EQ(levels.size(), 4u);
  EXPECT_LE(levels[2].bytes_per_thread, 16 * kMiB);
  EXPECT_EQ(levels[3].bytes_per_thread, 512 * kMiB);
}

TEST(MemoryLevels, what_the_system_does_not_tell_is_left_out) {
  const auto levels = memory_levels(cpu_with(4, 0, 0, 0, 0, 0), 2, 0);
  ASSERT_EQ(levels.size(), 1u);
  EXPECT_EQ(levels[0].name, "memory");
  const auto small = memory_levels(cpu_with(4, 32 * kKiB, 0, 0, 0, 0), 1, 64 * kMiB);
  EXPECT_EQ(small.back().bytes_per_thread, 8 * kMiB) << "an eighth of a small machine";
}

TEST(ThreadTeam, all_threads_do_every_round_once) {
  ThreadTeam team(3);
  std::vector<int> rounds(3, 0);
  for (int i = 0; i < 200; ++i) {
    const TeamTime time = team.run([&](std::uint32_t thread) { ++rounds[thread]; });
    EXPECT_GE(time.seconds, 0);
  }
  EXPECT_THAT(rounds, ::testing::Each(200));
}

TEST(ThreadTeam, a_thread_that_sleeps_makes_a_round_unclean) {
  ThreadTeam team(1);
  const TeamTime time = team.run([](std::uint32_t) { std::this_thread::sleep_for(std::chrono::milliseconds(3)); });
  EXPECT_FALSE(time.is_clean);
  EXPECT_GE(time.seconds, 3e-3);
}

class Ceilings : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "ceilings_test";
    std::filesystem::remove_all(folder_);
    ::setenv("ETALON_CACHE_DIR", folder_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("ETALON_CACHE_DIR");
    std::filesystem::remove_all(folder_);
  }
  std::string folder_;
};

TEST_F(Ceilings, are_measured_for_everything_the_machine_has) {
  CeilingsOptions options;
  options.seconds = 0.1;
  std::size_t steps = 0, last = 0, all = 1;
  options.progress = [&](std::string_view, std::size_t done, std::size_t total) {
    ++steps;
    last = done;
    all = total;
  };
  const auto measured = measure_ceilings(options);
  ASSERT_TRUE(measured.ok()) << measured.error().message();
  EXPECT_EQ(last, all) << "progress ends";
  EXPECT_EQ(steps, all + 1);
  std::set<std::string> isas;
  for (const auto& ceiling : measured->compute) {
    EXPECT_GT(ceiling.gflops, 0.1) << ceiling.isa << " " << ceiling.dtype;
    EXPECT_LT(ceiling.gflops, 1e5) << ceiling.isa << " " << ceiling.dtype;
    EXPECT_THAT(measured->isas, Contains(ceiling.isa));
    isas.insert(ceiling.isa);
  }
  // On a machine so busy that nothing could be measured, the notes say so.
  const bool is_busy = std::any_of(measured->notes.begin(), measured->notes.end(), [](const std::string& note) {
    return note.find("other work") != std::string::npos;
  });
  if (is_busy) GTEST_SKIP() << "the machine is too busy";
  EXPECT_EQ(isas.size(), measured->isas.size());
  ASSERT_FALSE(measured->bandwidth.empty());
  for (const auto& level : measured->bandwidth) {
    EXPECT_GT(level.read_gbps, 0.05) << level.level;
    EXPECT_GT(level.copy_gbps, 0.05) << level.level;
  }
  EXPECT_EQ(measured->bandwidth.back().level, "memory");
  // Ten times faster or more where both are known; three leaves room for other work on the machine.
  if (measured->bandwidth.front().level == "L1") {
    EXPECT_GT(measured->bandwidth.front().read_gbps, 3 * measured->bandwidth.back().read_gbps);
  }
}

TEST_F(Ceilings, wider_registers_do_more_by_their_width) {
  CeilingsOptions options;
  options.seconds = 0.2;
  const auto measured = measure_ceilings(options);
  ASSERT_TRUE(measured.ok());
  double scalar = 0, best = 0;
  for (const auto& ceiling : measured->compute) {
    if (ceiling.dtype != "float32") continue;
    if (ceiling.isa == "scalar") scalar = ceiling.gflops;
    best = std::max(best, ceiling.gflops);
  }
  if (measured->isas.size() > 1) EXPECT_GT(best, 1.2 * scalar);
}

TEST_F(Ceilings, refuse_senseless_numbers_of_threads) {
  CeilingsOptions options;
  options.threads = {0};
  EXPECT_EQ(measure_ceilings(options).error().code(), ErrorCode::kInvalidInput);
  options.threads = {};
  EXPECT_EQ(measure_ceilings(options).error().code(), ErrorCode::kInvalidInput);
}

analysis::Ceilings some() {
  analysis::Ceilings ceilings;
  ceilings.cpu = platform::read_cpu_info().model;
  ceilings.measured_at = "2026-01-02T03:04:05Z";
  ceilings.isas = {"scalar", "avx2"};
  ceilings.compute = {{"avx2", "float32", "fma", 1, 128.25}, {"avx2", "float32", "fma", 2, 256}, {"avx2", "int8", "vnni", 1, 512}};
  ceilings.bandwidth = {{"L1", 1, 24 * 1024, 48 * 1024, 500, 490}};
  ceilings.notes = {"amx int8 was not measured: no tiles"};
  return ceilings;
}

TEST_F(Ceilings, are_kept_for_this_cpu_only) {
  EXPECT_FALSE(stored_ceilings().has_value());
  analysis::Ceilings ceilings = some();
  ASSERT_TRUE(store_ceilings(ceilings).ok());
  ASSERT_TRUE(stored_ceilings().has_value());
  EXPECT_EQ(stored_ceilings()->compute[0].gflops, 128.25);
  ceilings.cpu = "another CPU";
  ASSERT_TRUE(store_ceilings(ceilings).ok());
  EXPECT_FALSE(stored_ceilings().has_value());
  ASSERT_TRUE(write_file(folder_ + "/peak.json", std::string_view("{\"schema\": 7")).ok());
  EXPECT_FALSE(stored_ceilings().has_value()) << "damaged";
}

TEST_F(Ceilings, table_has_a_row_for_each_method_and_a_column_for_each_number_of_threads) {
  const std::string table = peak_table(some(), Console());
  EXPECT_THAT(table, HasSubstr("1 thread"));
  EXPECT_THAT(table, HasSubstr("2 threads"));
  EXPECT_THAT(table, HasSubstr("128.2"));
  EXPECT_THAT(table, HasSubstr("256.0  GFLOP/s"));
  EXPECT_THAT(table, HasSubstr("512.0             -  GOP/s")) << "what was not measured";
  EXPECT_THAT(table, HasSubstr("24 KiB"));
  EXPECT_THAT(table, HasSubstr("no tiles"));
  EXPECT_THAT(table, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace etalon::cli
