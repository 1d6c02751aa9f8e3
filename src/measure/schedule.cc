#include "measure/schedule.h"

#include <algorithm>
#include <numeric>

#include "measure/random.h"

namespace etalon::measure {
namespace {

constexpr std::uint32_t kFewestForControl = 6;  // launches
constexpr std::uint32_t kMostBlocks = 3;        // of a launch
constexpr std::uint32_t kBlockRuns = 10;        // worth a block of their own

}  // namespace

std::uint32_t launches_for(std::uint32_t runs) {
  if (runs < 6) return 1;
  if (runs < 12) return 3;
  return runs < 60 ? 6 : 10;
}

Plan plan_for_runs(std::span<const std::uint32_t> runs) {
  Plan plan;
  if (runs.empty()) return plan;
  const auto [fewest, most] = std::minmax_element(runs.begin(), runs.end());
  plan.launches = std::max(std::min(launches_for(*most), *fewest), 1U);
  plan.blocks_per_launch = std::clamp(*fewest / plan.launches / kBlockRuns, 1U, kMostBlocks);
  const bool judged = runs.size() > 1 && plan.launches >= kFewestForControl;
  plan.control_launches = judged ? plan.launches / 2 : 0;
  return plan;
}

std::vector<std::vector<std::size_t>> draw_rounds(std::size_t count, std::uint32_t rounds, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::vector<std::size_t>> orders(rounds, std::vector<std::size_t>(count));
  for (std::vector<std::size_t>& order : orders) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    random.shuffle(std::span(order));
  }
  return orders;
}

}  // namespace etalon::measure
