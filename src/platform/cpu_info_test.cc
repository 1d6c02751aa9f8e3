#include "platform/cpu_info.h"

#include <gtest/gtest.h>

namespace etalon::platform {
namespace {

TEST(CpuInfo, reads_an_x86_cpuinfo_text) {
  const CpuInfo info = parse_cpuinfo(
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 fma\n\n"
      "processor\t: 1\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 fma\n");
  EXPECT_EQ(info.vendor, "GenuineIntel");
  EXPECT_EQ(info.model, "Some CPU @ 2 GHz");
  EXPECT_EQ(info.logical_cpus, 2);
  EXPECT_TRUE(info.has("avx2"));
  EXPECT_FALSE(info.has("avx512f"));
}

TEST(CpuInfo, promises_only_features_that_every_arm_core_has) {
  const CpuInfo info = parse_cpuinfo(
      "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd46\n\n"
      "processor\t: 1\nFeatures\t: fp asimd asimddp sme2\nCPU implementer\t: 0x41\nCPU part\t: 0xd4e\n");
  EXPECT_EQ(info.vendor, "ARM");
  EXPECT_EQ(info.model, "part 0xd46");
  EXPECT_TRUE(info.has("asimddp"));
  EXPECT_FALSE(info.has("sme2"));
}

TEST(CpuInfo, this_machine_has_a_name_and_an_architecture) {
  const CpuInfo info = read_cpu_info();
  EXPECT_FALSE(info.architecture.empty());
  EXPECT_FALSE(info.model.empty());
  EXPECT_GE(info.logical_cpus, 1);
}

TEST(CpuInfo, nonsense_gives_an_empty_description) {
  const CpuInfo info = parse_cpuinfo("\n:::\nprocessor");
  EXPECT_TRUE(info.features.empty());
  EXPECT_EQ(info.logical_cpus, 1);
}

}  // namespace
}  // namespace etalon::platform
