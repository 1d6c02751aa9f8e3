// The runs that experiments ask for, cut into process launches and blocks, and orders in which launches are
// started.
//
// Running all of A and then all of B lets a slow drift of the machine look like a difference. Rounds spread
// each run over the session and over several processes; the draw is a function of the seed alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "measure/protocol.h"

namespace etalon::measure {

// Over how many processes so many runs are spread: one below 6, three below 12, six below 60 (the fewest that a
// signed-rank test can work with), ten from there on.
std::uint32_t launches_for(std::uint32_t runs);

// The plan of a session whose arm i measures runs[i] runs in all; each gets as many launches and blocks, so the
// smallest number limits them. An A/A control is planned where there is something to compare and enough
// launches for a verdict.
Plan plan_for_runs(std::span<const std::uint32_t> runs);

// `rounds` orders of 0 .. count - 1, each drawn anew.
std::vector<std::vector<std::size_t>> draw_rounds(std::size_t count, std::uint32_t rounds, std::uint64_t seed);

}  // namespace etalon::measure
