// The order of process launches: each round starts every run once, in an order drawn anew.
//
// Running all of A and then all of B lets a slow drift of the machine look like a difference. Rounds spread
// each run over the session and over several processes; the draw is a function of the seed alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "measure/experiment.h"

namespace etalon::measure {

struct Launch {
  std::size_t run = 0;      // index into the runs that are scheduled
  std::uint32_t round = 0;  // 0-based
  std::uint32_t iterations = 0;
};

// Over how many processes `iterations` are spread: one below 6, three below 30, five from there on.
std::uint32_t launches_for(std::uint32_t iterations, Design design);

// `iterations[i]` of run i in all; the iterations of its launches add up to exactly that.
std::vector<Launch> schedule_launches(std::span<const std::uint32_t> iterations, Design design,
                                      std::uint64_t seed);

}  // namespace etalon::measure
