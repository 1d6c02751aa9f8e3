// How long a plan will take, and how to cut it to the time there is. Decided from what a launch and a run
// cost, before anything is compared, so that it cannot favour an outcome. Pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "measure/protocol.h"

namespace etalon::measure {

struct ArmCost {
  double launch_seconds = 0;  // loading and warming up
  double run_seconds = 0;     // of a steady run
};

// Runs of each arm in each block: what fits the slowest arm into `block_seconds`.
std::uint32_t runs_for_block(const Plan& plan, std::span<const ArmCost> arms);

// Of the control and all launches, without repetitions of voided blocks.
double expected_seconds(const Plan& plan, std::span<const ArmCost> arms);

// The plan itself when it fits, else the first of smaller ones that does: blocks are shortened and their
// number is cut before launches are, because launches are what a verdict rests on. Never fewer than 6
// launches (or the plan's own number), the fewest a signed-rank test can work with: then the result takes
// longer than asked. Planned looks are dropped when the number of launches changes.
Plan fit_to_budget(const Plan& plan, std::span<const ArmCost> arms, double seconds);

}  // namespace etalon::measure
