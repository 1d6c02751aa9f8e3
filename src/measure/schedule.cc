#include "measure/schedule.h"

#include <algorithm>

#include "measure/random.h"

namespace etalon::measure {
namespace {

std::uint32_t share_of(std::uint32_t iterations, std::uint32_t launches, std::uint32_t round) {
  return iterations / launches + (round < iterations % launches ? 1U : 0U);
}

}  // namespace

std::uint32_t launches_for(std::uint32_t iterations, Design design) {
  if (design == Design::kSequential || iterations < 6) return 1;
  return iterations < 30 ? 3 : 5;
}

std::vector<Launch> schedule_launches(std::span<const std::uint32_t> iterations, Design design,
                                      std::uint64_t seed) {
  std::uint32_t rounds = 0;
  for (const std::uint32_t count : iterations) rounds = std::max(rounds, launches_for(count, design));
  Random random(seed);
  std::vector<Launch> launches;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const std::size_t first = launches.size();
    for (std::size_t run = 0; run < iterations.size(); ++run) {
      const std::uint32_t count = launches_for(iterations[run], design);
      if (round < count) launches.push_back({run, round, share_of(iterations[run], count, round)});
    }
    if (design == Design::kInterleaved) random.shuffle(std::span(launches).subspan(first));
  }
  return launches;
}

}  // namespace etalon::measure
