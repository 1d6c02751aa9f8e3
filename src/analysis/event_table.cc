#include "analysis/event_table.h"

#include <functional>

namespace etalon::analysis {

std::size_t EventTable::KeyHash::operator()(const Key& key) const {
  std::size_t hash = std::hash<std::string_view>()(key.name);
  for (const std::size_t part :
       {static_cast<std::size_t>(key.instruction), static_cast<std::size_t>(key.chain),
        static_cast<std::size_t>(key.delegate_id), key.block.size()}) {
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
  }
  return hash;
}

std::size_t EventTable::row_of(std::string_view block, const TimedEvent& event) {
  const Key key{block, event.name(), event.event.instruction_id, event.event.chain_index, event.event.delegate_debug_id};
  if (!rows_.empty()) {
    const std::size_t expected = following_[last_row_];
    if (expected < rows_.size() && keys_[expected] == key) return last_row_ = expected;
  }
  const auto [place, added] = index_.try_emplace(key, rows_.size());
  if (added) {
    rows_.push_back({event, 0, {}});
    keys_.push_back(key);
    following_.push_back(rows_.size());
  }
  if (place->second != last_row_) following_[last_row_] = place->second;
  return last_row_ = place->second;
}

void EventTable::add(const TimedRun& run) {
  ++runs_;
  for (const TimedEvent& event : run.events) {
    EventRow& row = rows_[row_of(run.name, event)];
    row.exclusive_ns.resize(runs_);
    row.exclusive_ns.back() += static_cast<double>(event.exclusive_ns);
    ++row.occurrences;
  }
}

}  // namespace etalon::analysis
