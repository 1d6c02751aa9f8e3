// Proves that all numbers inside an execution plan refer to something. Private to formats/pte.
#pragma once

#include "base/result.h"
#include "formats/pte/pte.h"

namespace etalon::formats::pte {

// Values, list items, instructions, inputs, outputs, planned memory. Not what points out of the plan
// (constants, payloads). Errors: kInvalidInput, kUnsupported.
Status check_plan(const ExecutionPlan& plan);

}  // namespace etalon::formats::pte
