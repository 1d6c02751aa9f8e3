#include "backends/native/machine.h"

#include <gtest/gtest.h>

namespace etalon::native {
namespace {

using kernels::Isa;

platform::CpuInfo cpu_with(std::vector<std::string> features) {
  platform::CpuInfo cpu;
  cpu.features = std::move(features);
  return cpu;
}

TEST(Machine, scalar_is_always_usable) {
  EXPECT_EQ(usable_isas(cpu_with({}), false), std::vector<Isa>{Isa::kScalar});
}

#if defined(__x86_64__)
const std::vector<std::string> kAmxFeatures = {"avx2",        "fma",      "f16c",     "avx512f",
                                               "avx512bw",    "avx512dq", "avx512vl", "avx512_vnni",
                                               "avx512_bf16", "avx512vbmi", "amx_tile", "amx_int8", "amx_bf16"};

TEST(Machine, an_isa_needs_all_of_its_features_and_its_base) {
  EXPECT_EQ(usable_isas(cpu_with({"avx2", "fma"}), true), std::vector<Isa>{Isa::kScalar});
  EXPECT_EQ(usable_isas(cpu_with({"avx2", "fma", "f16c", "avx512_vnni"}), true),
            (std::vector<Isa>{Isa::kScalar, Isa::kAvx2}));
}

TEST(Machine, amx_needs_the_systems_permission) {
  EXPECT_EQ(usable_isas(cpu_with(kAmxFeatures), false).back(), Isa::kAvx512Bf16);
  EXPECT_EQ(usable_isas(cpu_with(kAmxFeatures), true).back(), Isa::kAmx);
}

TEST(Machine, the_best_isa_is_the_default_and_a_name_caps_it) {
  const std::vector<Isa> usable = {Isa::kScalar, Isa::kAvx2};
  EXPECT_EQ(choose_isa("", usable).value(), Isa::kAvx2);
  EXPECT_EQ(choose_isa("auto", usable).value(), Isa::kAvx2);
  EXPECT_EQ(choose_isa("scalar", usable).value(), Isa::kScalar);
}

TEST(Machine, errors_say_what_is_known_and_what_the_cpu_has) {
  const std::vector<Isa> usable = {Isa::kScalar, Isa::kAvx2};
  const auto unknown = choose_isa("mmx", usable);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kInvalidInput);
  EXPECT_EQ(unknown.error().message(),
            "isa is 'mmx', want one of auto, scalar, avx2, avxvnni, avx512, avx512vnni, avx512bf16, amx");
  const auto missing = choose_isa("avx512", usable);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message(), "isa avx512 is not available on this machine, which has scalar, avx2");
}
#endif

TEST(Machine, caches_come_from_the_system) {
  platform::CpuInfo cpu;
  cpu.caches = {
      {1, "data", 48 << 10, 64, 1}, {1, "instruction", 32 << 10, 64, 1}, {2, "unified", 2 << 20, 64, 1}};
  EXPECT_EQ(machine_of(cpu).l1_bytes, 48u << 10);
  EXPECT_EQ(machine_of(cpu).l2_bytes, 2u << 20);
  EXPECT_EQ(machine_of({}).l2_bytes, kernels::Machine{}.l2_bytes);
}

TEST(Machine, bfloat16_dots_are_slow_on_intel_cores_that_have_tiles_even_if_a_guest_sees_none) {
  platform::CpuInfo cpu;
  cpu.vendor = "GenuineIntel";
  cpu.features = {"avx512_bf16"};
  EXPECT_FALSE(machine_of(cpu).bf16_dots_are_slow);
  cpu.features = {"avx512_bf16", "avx512_fp16"};
  EXPECT_TRUE(machine_of(cpu).bf16_dots_are_slow);
  cpu.features = {"avx512_bf16", "amx_tile"};
  EXPECT_TRUE(machine_of(cpu).bf16_dots_are_slow);
  cpu.vendor = "AuthenticAMD";
  EXPECT_FALSE(machine_of(cpu).bf16_dots_are_slow);
}

}  // namespace
}  // namespace etalon::native
