// Planned memory in use while each instruction runs. Private to cli/model_facts.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/model_facts.h"
#include "formats/pte/pte.h"

namespace etalon::cli {

// What one instruction reads or writes, of the plan's values; lists opened.
struct ValueUse {
  std::vector<std::int32_t> values;
  // A view without memory of its own keeps what it looks at alive. -1: none.
  std::int32_t view = -1, viewed = -1;
};

// One entry per instruction. A value lives from its first to its last use, inputs from the start, outputs to the end,
// state throughout; a loop keeps what it found when it began. Values that share memory count once.
std::vector<analysis::InstructionMemory> live_memory(const formats::pte::ExecutionPlan& plan,
                                                     const std::vector<ValueUse>& uses);

}  // namespace etalon::cli
