// The same event across runs: one row per distinct event, with its exclusive times run by run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/events.h"

namespace etalon::analysis {

struct EventRow {
  const TimedEvent* sample = nullptr;  // the first occurrence; borrowed from the runs
  std::size_t occurrences = 0;
  std::vector<double> exclusive_ns;  // per run that was added, all occurrences together
};

// Two events are the same when block, instruction, chain and name are; a loop's repetitions share a row.
class EventTable {
 public:
  // Rows for which `run` has no event get 0 for it. The run must outlive the table.
  void add(const TimedRun& run);

  // The row of an event of a run that was added.
  std::size_t row_of(const TimedRun& run, const TimedEvent& event);
  const std::vector<EventRow>& rows() const { return rows_; }
  std::size_t runs() const { return runs_; }

 private:
  struct Key {
    std::string_view block;
    std::string_view name;
    std::int32_t instruction;
    std::int32_t chain;
    std::int32_t delegate_id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  std::vector<EventRow> rows_;
  std::unordered_map<Key, std::size_t, KeyHash> index_;
  std::size_t runs_ = 0;
};

}  // namespace etalon::analysis
