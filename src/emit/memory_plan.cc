#include "emit/memory_plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/checked.h"

namespace etalon::emit {
namespace {

bool alive_together(const Storage& a, const Storage& b) { return a.first <= b.last && b.first <= a.last; }

// The lowest offset where `wanted` fits between the placed storages that live at the same time (sorted by offset).
std::uint64_t lowest_gap(const Storage& wanted, const std::vector<const Storage*>& placed) {
  std::uint64_t offset = 0;
  for (const Storage* other : placed) {
    if (!alive_together(*other, wanted)) continue;
    if (offset + wanted.size_bytes <= other->offset) break;
    offset = std::max(offset, round_up(other->offset + other->size_bytes, kPlanAlignment));
  }
  return offset;
}

std::uint64_t most_alive_bytes(const std::vector<Storage>& storages) {
  std::map<std::uint64_t, std::int64_t> change;
  for (const Storage& storage : storages) {
    change[storage.first] += static_cast<std::int64_t>(storage.size_bytes);
    change[std::uint64_t{storage.last} + 1] -= static_cast<std::int64_t>(storage.size_bytes);
  }
  std::int64_t alive = 0;
  std::int64_t most = 0;
  for (const auto& [time, delta] : change) {
    alive += delta;
    most = std::max(most, alive);
  }
  return static_cast<std::uint64_t>(most);
}

}  // namespace

MemoryPlan plan_memory(std::vector<Storage>& storages) {
  std::vector<std::size_t> by_size(storages.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return storages[a].size_bytes > storages[b].size_bytes; });
  MemoryPlan plan;
  std::vector<const Storage*> placed;
  for (const std::size_t i : by_size) {
    Storage& storage = storages[i];
    storage.offset = lowest_gap(storage, placed);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &storage,
                                   [](const Storage* a, const Storage* b) { return a->offset < b->offset; }),
                  &storage);
    plan.planned_bytes = std::max(plan.planned_bytes, storage.offset + storage.size_bytes);
    plan.unshared_bytes += storage.size_bytes;
  }
  plan.planned_bytes = round_up(plan.planned_bytes, kPlanAlignment);
  plan.ideal_bytes = most_alive_bytes(storages);
  return plan;
}

}  // namespace etalon::emit
