#include "backends/native/arena_plan.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"

namespace etalon::native {
namespace {

constexpr std::size_t kAlignment = 64;

bool lives_touch(const ArenaItem& a, const ArenaItem& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

ArenaPlan plan_arena(std::span<const ArenaItem> items) {
  ArenaPlan plan;
  plan.offsets.assign(items.size(), 0);
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return items[a].bytes > items[b].bytes; });
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t item : order) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (!lives_touch(items[item], items[other])) continue;
      if (plan.offsets[other] >= offset + items[item].bytes) break;
      offset = std::max(offset, plan.offsets[other] + round_up(items[other].bytes, kAlignment));
    }
    plan.offsets[item] = offset;
    plan.bytes = std::max(plan.bytes, offset + round_up(items[item].bytes, kAlignment));
    const auto by_offset = [&](std::size_t a, std::size_t b) { return plan.offsets[a] < plan.offsets[b]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), item, by_offset), item);
  }
  return plan;
}

}  // namespace etalon::native
