// What this machine can compute with: instruction sets that are usable right now, and the caches that decide
// blockings.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"
#include "platform/cpu_info.h"

namespace etalon::native {

// Every ISA of isa.def whose features `cpu` has, and whose base is usable too; least first. AMX also needs
// `amx_is_permitted`, because the system hands its registers out on request only.
std::vector<kernels::Isa> usable_isas(const platform::CpuInfo& cpu, bool amx_is_permitted);

// Asks the system for the tile registers, for the whole process. False: they cannot be had here.
bool request_amx();

// The ISA that `name` stands for: empty and "auto" are the best usable one. Errors: kInvalidInput (no such
// name; the message lists the known ones), kUnsupported (the CPU lacks it; the message says what it has).
Result<kernels::Isa> choose_isa(std::string_view name, const std::vector<kernels::Isa>& usable);

// Sizes of the data caches of one core, usual ones where the system does not say; and whether bfloat16 dot products lose
// to float32 there (measured: half its rate on Sapphire Rapids, twice on Zen 5).
kernels::Machine machine_of(const platform::CpuInfo& cpu);

}  // namespace etalon::native
