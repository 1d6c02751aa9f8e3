#include "backends/native/self_check.h"

#include <gtest/gtest.h>

#include "backends/native/machine.h"

namespace etalon::native {
namespace {

TEST(SelfCheck, EveryInstructionSetOfThisMachineAgreesWithScalarCode) {
  const platform::CpuInfo cpu = platform::read_cpu_info();
  const bool has_amx = cpu.has("amx_tile") && request_amx();
  for (const kernels::Isa isa : usable_isas(cpu, has_amx)) {
    EXPECT_TRUE(agrees_with_scalar(isa, machine_of(cpu))) << kernels::info_of(isa).name;
  }
}

}  // namespace
}  // namespace etalon::native
