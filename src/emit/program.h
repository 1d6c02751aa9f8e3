// Graphs -> an ExecuTorch program (formats.md 1): values, instructions, memory plan, constants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emit/memory_plan.h"
#include "emit/storage_map.h"
#include "formats/pte/pte.h"
#include "ir/graph.h"

namespace etalon::emit {

// What one method became; for the record and for people.
struct MethodReport {
  std::string method;
  MemoryPlan memory;
  std::uint32_t elided_views = 0;
  std::uint32_t in_place = 0;
  // The graph node behind each instruction; kNoNode for the copies that store state.
  std::vector<std::uint32_t> node_of_instruction;
};
inline constexpr std::uint32_t kNoNode = 0xFFFFFFFFu;

struct Emitted {
  formats::pte::ProgramToWrite program;  // borrows constants from the graphs
  std::vector<MethodReport> methods;     // in the order of the graphs
};

// The graphs must outlive the result, which borrows their constants' bytes. They are compact and verified; the
// emitter may append clones that keep state and outputs apart.
// Errors: kUnsupported (an operator without an out form), kResource (sizes that the format cannot hold).
Result<Emitted> emit_program(std::span<ir::Graph> graphs, const StorageOptions& options = {});

}  // namespace etalon::emit
