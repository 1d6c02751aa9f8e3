// ExecutionPlan -> flatbuffer tables. Private to formats/pte.
#pragma once

#include <vector>

#include "formats/pte/pte.h"
#include "program_generated.h"

namespace etalon::formats::pte {

struct PayloadPlace {
  bool in_segment = false;
  std::uint32_t index = 0;
};

// Where things went that plans refer to by number.
struct Renumbering {
  std::vector<std::uint32_t> constants;  // by index into ProgramToWrite::constants
  std::vector<PayloadPlace> payloads;    // by index into ProgramToWrite::delegate_payloads
};

// All numbers in the plan must have been checked.
flatbuffers::Offset<fb::pte::ExecutionPlan> encode_plan(flatbuffers::FlatBufferBuilder& builder,
                                                        const ExecutionPlan& plan,
                                                        const Renumbering& numbers);

}  // namespace etalon::formats::pte
