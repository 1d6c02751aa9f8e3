#include "measure/budget.h"

#include <algorithm>

namespace etalon::measure {
namespace {

constexpr std::uint32_t kFewestLaunches = 6;
constexpr std::uint32_t kFewestControls = 3;
constexpr double kShares[] = {1, 0.5, 0.25};  // of the length of a block
constexpr double kSentinelSeconds = 0.001;    // both of a block

double block_seconds_of(const Plan& plan, std::span<const ArmCost> arms, std::uint32_t runs) {
  // Twice in each block an arm takes over, and its first call then is not among the runs.
  double seconds = kSentinelSeconds;
  for (const ArmCost& arm : arms) seconds += arm.run_seconds * (runs + (plan.mirrored ? 2 : 1));
  return seconds;
}

double launch_seconds_of(const Plan& plan, std::span<const ArmCost> arms, std::uint32_t runs) {
  const double blocks = plan.concurrent ? plan.blocks_per_launch : 1;
  double seconds = blocks * block_seconds_of(plan, arms, runs);
  for (const ArmCost& arm : arms) seconds += arm.launch_seconds;
  return seconds;
}

Plan with_launches(const Plan& plan, std::uint32_t launches) {
  if (launches == plan.launches) return plan;
  Plan smaller = plan;
  smaller.launches = launches;
  smaller.looks.clear();
  smaller.control_launches = std::min(plan.control_launches, std::max(kFewestControls, launches / 2));
  return smaller;
}

}  // namespace

std::uint32_t runs_for_block(const Plan& plan, std::span<const ArmCost> arms) {
  double slowest = 0;
  for (const ArmCost& arm : arms) slowest = std::max(slowest, arm.run_seconds);
  const double wanted = slowest > 0 ? plan.block_seconds / slowest : 0;
  const double limit = std::max(plan.fewest_runs, plan.most_runs);
  std::uint32_t runs = std::max(plan.fewest_runs, static_cast<std::uint32_t>(std::min(wanted, limit)));
  if (plan.mirrored && plan.concurrent) runs += runs % 2;  // half on the way there, half on the way back
  return std::max(runs, 1U);
}

double expected_seconds(const Plan& plan, std::span<const ArmCost> arms) {
  if (arms.empty()) return 0;
  const std::uint32_t runs = runs_for_block(plan, arms);
  const ArmCost control[] = {arms.front(), arms.front()};
  return plan.launches * launch_seconds_of(plan, arms, runs) +
         plan.control_launches * launch_seconds_of(plan, control, runs);
}

Plan fit_to_budget(const Plan& plan, std::span<const ArmCost> arms, double seconds) {
  Plan smallest = plan;
  const std::uint32_t fewest = std::min(plan.launches, kFewestLaunches);
  for (std::uint32_t launches = plan.launches; launches >= fewest; --launches) {
    for (std::uint32_t blocks = plan.blocks_per_launch; blocks >= 1; --blocks) {
      for (const double share : kShares) {
        smallest = with_launches(plan, launches);
        smallest.blocks_per_launch = blocks;
        smallest.block_seconds = plan.block_seconds * share;
        if (expected_seconds(smallest, arms) <= seconds) return smallest;
      }
    }
  }
  return smallest;
}

}  // namespace etalon::measure
