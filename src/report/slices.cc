#include "report/slices.h"

#include <algorithm>
#include <map>
#include <utility>

namespace etalon::report {
namespace {

using analysis::TimelineRow;

SlicedRun slice_run(std::vector<const TimelineRow*> rows) {
  SlicedRun run;
  run.block = rows.front()->block;
  run.run_index = rows.front()->run_index;
  // Events of equal extent: a runtime numbers inner events before the outer ones that end after them.
  std::stable_sort(rows.begin(), rows.end(), [](const TimelineRow* a, const TimelineRow* b) {
    if (a->start_us != b->start_us) return a->start_us < b->start_us;
    if (a->end_us != b->end_us) return a->end_us > b->end_us;
    return a->node_id > b->node_id;
  });
  run.start_us = rows.front()->start_us;
  std::vector<std::pair<double, double>> open;  // end of each open slice, and where its next inner slice may begin
  for (const TimelineRow* row : rows) {
    Slice slice{row, row->start_us - run.start_us, std::max(row->end_us, row->start_us) - run.start_us, 0};
    while (!open.empty() && slice.start_us >= open.back().first) open.pop_back();
    if (!open.empty()) {
      slice.start_us = std::max(slice.start_us, open.back().second);
      slice.end_us = std::clamp(slice.end_us, slice.start_us, open.back().first);
      open.back().second = slice.end_us;
    }
    slice.depth = open.size();
    open.emplace_back(slice.end_us, slice.start_us);
    run.slices.push_back(slice);
  }
  return run;
}

}  // namespace

std::vector<SlicedRun> slice_runs(const std::vector<TimelineRow>& rows) {
  std::map<std::pair<std::string_view, std::size_t>, std::vector<const TimelineRow*>> runs;
  for (const TimelineRow& row : rows) runs[{row.block, row.run_index}].push_back(&row);
  std::vector<SlicedRun> sliced;
  for (auto& [key, members] : runs) sliced.push_back(slice_run(std::move(members)));
  std::stable_sort(sliced.begin(), sliced.end(), [](const SlicedRun& a, const SlicedRun& b) { return a.start_us < b.start_us; });
  return sliced;
}

bool slices_nest(const std::vector<Slice>& slices) {
  std::vector<double> open;
  double last = 0;
  for (const Slice& slice : slices) {
    if (slice.start_us < last || slice.end_us < slice.start_us) return false;
    last = slice.start_us;
    while (!open.empty() && slice.start_us >= open.back()) open.pop_back();
    if (!open.empty() && slice.end_us > open.back()) return false;
    open.push_back(slice.end_us);
  }
  return true;
}

}  // namespace etalon::report
