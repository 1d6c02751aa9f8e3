#include "analysis/ceilings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace etalon::analysis {
namespace {

using ::testing::HasSubstr;

// Round numbers, so that times can be told by hand.
Ceilings machine() {
  Ceilings c;
  c.cpu = "Test CPU";
  c.measured_at = "2026-01-02T03:04:05Z";
  c.isas = {"scalar", "avx2", "avx512", "avx512vnni"};
  c.compute = {{"scalar", "float32", "multiply, add", 1, 10}, {"avx2", "float32", "fma", 1, 100},
               {"avx512", "float32", "fma", 1, 200},          {"avx512", "float32", "fma", 2, 400},
               {"avx2", "int8", "maddubs", 1, 150},           {"avx2", "int8", "vnni", 1, 300},
               {"avx512vnni", "int8", "vnni", 1, 800}};
  c.bandwidth = {{"memory", 1, 1e8, 0, 20, 10},
                 {"L1", 1, 16e3, 32e3, 400, 390},
                 {"L2", 1, 5e5, 1e6, 200, 100},
                 {"memory", 2, 1e8, 0, 30, 35}};
  return c;
}

TEST(Roof, arithmetic_limits_where_it_takes_longer_than_the_traffic) {
  const auto roof = roof_of(machine(), 200e6, 1e5, "float32", "avx512", 1);
  ASSERT_TRUE(roof.has_value());
  EXPECT_DOUBLE_EQ(roof->ms, 1.0);
  EXPECT_FALSE(roof->memory_bound);
  EXPECT_EQ(roof->limit, "float32 avx512");
  EXPECT_EQ(roof->gflops, 200);
  EXPECT_EQ(roof->gbps, 0);
}

TEST(Roof, traffic_goes_at_the_speed_of_the_smallest_level_that_holds_it) {
  const struct {
    double bytes;
    const char* level;
    double ms;
  } cases[] = {{32e3, "L1", 32e3 / 400e6}, {32001, "L2", 32001 / 200e6}, {1e6, "L2", 1e6 / 200e6}, {2e7, "memory", 1.0}};
  for (const auto& c : cases) {
    const auto roof = roof_of(machine(), 0, c.bytes, "float32", "", 1);
    ASSERT_TRUE(roof.has_value());
    EXPECT_EQ(roof->limit, c.level);
    EXPECT_TRUE(roof->memory_bound);
    EXPECT_DOUBLE_EQ(roof->ms, c.ms);
  }
}

TEST(Roof, both_limits_meet_in_the_ridge) {
  // 200 GFLOP/s over 20 GB/s: ten operations per byte.
  EXPECT_TRUE(roof_of(machine(), 9.9 * 2e7, 2e7, "float32", "avx512", 1)->memory_bound);
  EXPECT_FALSE(roof_of(machine(), 10.1 * 2e7, 2e7, "float32", "avx512", 1)->memory_bound);
}

TEST(Roof, an_isa_has_the_best_ceiling_at_or_below_it) {
  const auto gflops = [](const char* dtype, const char* isa) {
    const auto roof = roof_of(machine(), 1e9, 0, dtype, isa, 1);
    return roof ? roof->gflops : 0;
  };
  EXPECT_EQ(gflops("float32", "scalar"), 10);
  EXPECT_EQ(gflops("float32", "avx2"), 100);
  EXPECT_EQ(gflops("float32", "avx512vnni"), 200) << "falls back to avx512";
  EXPECT_EQ(gflops("float32", ""), 200);
  EXPECT_EQ(gflops("float32", "sse2"), 200) << "unknown: the best of the dtype";
  EXPECT_EQ(gflops("int8", "avx512"), 300) << "the better of two methods";
  EXPECT_EQ(gflops("int8", "avx512vnni"), 800);
  EXPECT_EQ(gflops("uint8", ""), 800);
  EXPECT_EQ(gflops("int8", "scalar"), 0);
  EXPECT_EQ(gflops("float64", ""), 0);
  EXPECT_EQ(gflops("float16", "avx2"), 100) << "computed in float32";
}

TEST(Roof, what_avxvnni_reaches_is_not_for_avx512) {
  Ceilings ceilings = machine();
  ceilings.isas = {"scalar", "avx2", "avxvnni", "avx512"};
  ceilings.compute = {{"avx2", "int8", "maddubs", 1, 100}, {"avxvnni", "int8", "vnni", 1, 400},
                      {"avx512", "int8", "maddubs", 1, 200}};
  EXPECT_EQ(roof_of(ceilings, 1e9, 0, "int8", "avx2", 1)->gflops, 100);
  EXPECT_EQ(roof_of(ceilings, 1e9, 0, "int8", "avxvnni", 1)->gflops, 400);
  EXPECT_EQ(roof_of(ceilings, 1e9, 0, "int8", "avx512", 1)->gflops, 200);
}

TEST(Roof, threads_that_were_not_measured_count_in_proportion) {
  EXPECT_EQ(roof_of(machine(), 1e9, 0, "float32", "", 2)->gflops, 400);
  EXPECT_EQ(roof_of(machine(), 1e9, 0, "float32", "", 6)->gflops, 1200) << "three times two threads";
  EXPECT_EQ(roof_of(machine(), 1e9, 0, "float32", "avx2", 2)->gflops, 200) << "twice one thread";
  EXPECT_EQ(roof_of(machine(), 1e9, 0, "float32", "", 0)->gflops, 200) << "unknown: one";
  EXPECT_EQ(roof_of(machine(), 0, 1e8, "float32", "", 2)->gbps, 35) << "the faster of reading and copying";
  EXPECT_EQ(roof_of(machine(), 0, 1.9e6, "float32", "", 2)->limit, "L2") << "two threads have two of them";
  Ceilings many = machine();
  many.compute = {{"avx2", "float32", "fma", 4, 100}};
  EXPECT_FALSE(roof_of(many, 1e9, 0, "float32", "", 2).has_value()) << "four threads say nothing of two";
}

TEST(Roof, nothing_is_said_where_nothing_is_known) {
  EXPECT_FALSE(roof_of(machine(), 0, 0, "float32", "", 1).has_value());
  EXPECT_FALSE(roof_of(Ceilings{}, 1, 1, "float32", "", 1).has_value());
  EXPECT_FALSE(roof_of(machine(), NAN, 1, "float32", "", 1).has_value());
  EXPECT_FALSE(roof_of(machine(), -1, 1, "float32", "", 1).has_value());
  EXPECT_FALSE(roof_of(machine(), 1, HUGE_VAL, "float32", "", 1).has_value());
}

TEST(CeilingsJson, is_read_back_as_it_was) {
  Ceilings before = machine();
  before.notes = {"amx: this CPU lacks amx_tile"};
  const auto after = parse_ceilings(ceilings_json(before));
  ASSERT_TRUE(after.ok()) << after.error().message();
  EXPECT_EQ(after->cpu, before.cpu);
  EXPECT_EQ(after->isas, before.isas);
  EXPECT_EQ(after->notes, before.notes);
  ASSERT_EQ(after->compute.size(), before.compute.size());
  EXPECT_EQ(after->compute[3].threads, 2u);
  EXPECT_EQ(after->compute[3].gflops, 400);
  EXPECT_EQ(after->compute[0].method, "multiply, add");
  ASSERT_EQ(after->bandwidth.size(), before.bandwidth.size());
  EXPECT_EQ(after->bandwidth[0].capacity_bytes, 0);
  EXPECT_EQ(after->bandwidth[2].capacity_bytes, 1e6);
  EXPECT_EQ(after->bandwidth[2].copy_gbps, 100);
}

TEST(CeilingsJson, refuses_what_would_make_a_wrong_roof) {
  const struct {
    const char* json;
    const char* message;
  } cases[] = {
      {"{", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({"schema":"etalon.peak/2"})", "want 'etalon.peak/1'"},
      {R"({"schema":"etalon.peak/1","bandwidth":[]})", "no list 'compute'"},
      {R"({"schema":"etalon.peak/1","compute":[{"isa":"avx2","dtype":"float32","threads":1,"gflops":0}],"bandwidth":[]})",
       "compute[0]: 'gflops' is not a positive number"},
      {R"({"schema":"etalon.peak/1","compute":[{"isa":"avx2","dtype":"float32","threads":1,"gflops":1e999}],"bandwidth":[]})",
       ""},
      {R"({"schema":"etalon.peak/1","compute":[{"dtype":"float32","threads":1,"gflops":5}],"bandwidth":[]})", "'isa' is missing"},
      {R"({"schema":"etalon.peak/1","compute":[{"isa":"a","dtype":"b","threads":-1,"gflops":5}],"bandwidth":[]})", "'threads'"},
      {R"({"schema":"etalon.peak/1","compute":[],"bandwidth":[{"level":"L1","threads":1,"working_set_bytes":1,"capacity_bytes":-4,"read_gbps":1,"copy_gbps":1}]})",
       "bandwidth[0]: 'capacity_bytes'"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_ceilings(c.json);
    ASSERT_FALSE(parsed.ok()) << c.json;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(parsed.error().message(), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace etalon::analysis
