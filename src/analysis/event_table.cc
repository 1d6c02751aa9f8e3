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

std::size_t EventTable::row_of(const TimedRun& run, const TimedEvent& event) {
  const auto& recorded = *event.event;
  const Key key{run.run->name, event.name(), recorded.instruction_id, recorded.chain_index,
                recorded.delegate_debug_id};
  const auto [place, added] = index_.try_emplace(key, rows_.size());
  if (added) rows_.push_back({&event, 0, {}});
  return place->second;
}

void EventTable::add(const TimedRun& run) {
  ++runs_;
  for (const TimedEvent& event : run.events) {
    EventRow& row = rows_[row_of(run, event)];
    row.exclusive_ns.resize(runs_);
    row.exclusive_ns.back() += static_cast<double>(event.exclusive_ns);
    ++row.occurrences;
  }
}

}  // namespace etalon::analysis
