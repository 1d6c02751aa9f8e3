// Verified flatbuffer tables -> ExecutionPlan. Private to formats/pte.
#pragma once

#include "base/result.h"
#include "formats/flatbuffer_reading.h"
#include "formats/pte/pte.h"
#include "program_generated.h"

namespace etalon::formats::pte {

// Delegate::payload stays empty here, because payloads live outside of the plan.
Result<ExecutionPlan> decode_plan(TableReader& reader, const fb::pte::ExecutionPlan& table);

}  // namespace etalon::formats::pte
