#include "measure/schedule.h"

#include <algorithm>
#include <utility>

namespace etalon::measure {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): the standard library's shuffles differ between implementations.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

void shuffle(std::vector<Launch>& launches, std::size_t first, Random& random) {
  for (std::size_t i = launches.size(); i > first + 1; --i) {
    std::swap(launches[i - 1], launches[first + random.below(i - first)]);
  }
}

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
    if (design == Design::kInterleaved) shuffle(launches, first, random);
  }
  return launches;
}

}  // namespace etalon::measure
