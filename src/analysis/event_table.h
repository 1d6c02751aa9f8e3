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
  TimedEvent sample;  // the first occurrence; its text is borrowed from the recording
  std::size_t occurrences = 0;
  std::vector<double> exclusive_ns;  // per run that was added, all occurrences together; missing at the end: zeros
};

// Two events are the same when block, instruction, chain and name are; a loop's repetitions share a row. The text of
// events must outlive the table.
class EventTable {
 public:
  void add(const TimedRun& run);

  // The row of an event; runs that repeat each other event by event find it without a search.
  std::size_t row_of(std::string_view block, const TimedEvent& event);
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
  std::vector<Key> keys_;  // of the rows
  std::vector<std::size_t> following_;  // by row: which came after it last time
  std::unordered_map<Key, std::size_t, KeyHash> index_;
  std::size_t last_row_ = 0;
  std::size_t runs_ = 0;
};

}  // namespace etalon::analysis
