#include "analysis/factor_table.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace etalon::analysis {
namespace {

constexpr double kSmallestInteraction = 0.05;  // the noise of single medians on a quiet machine is below this

std::string level_of(const FactorRun& run, const std::string& factor) {
  for (const auto& [name, level] : run.levels) {
    if (name == factor) return level;
  }
  return {};
}

std::vector<std::string> differing_factors(const std::vector<FactorRun>& runs) {
  std::vector<std::string> names;
  for (const FactorRun& run : runs) {
    for (const auto& [name, level] : run.levels) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::erase_if(names, [&](const std::string& name) {
    return std::all_of(runs.begin(), runs.end(), [&](const FactorRun& run) {
      return level_of(run, name) == level_of(runs.front(), name);
    });
  });
  return names;
}

const TableCell* cell_at(const FactorTable& table, const std::vector<std::string>& levels) {
  for (const TableCell& cell : table.cells) {
    if (cell.levels == levels) return &cell;
  }
  return nullptr;
}

// `corner` differs from the first cell in exactly two factors; the two cells between them tell what to
// expect.
void add_interaction(const TableCell& corner, FactorTable& table) {
  const TableCell& origin = table.cells.front();
  std::vector<std::size_t> differing;
  for (std::size_t i = 0; i < table.factors.size(); ++i) {
    if (corner.levels[i] != origin.levels[i]) differing.push_back(i);
  }
  if (differing.size() != 2 || origin.median_ms <= 0) return;
  std::vector<std::string> between = origin.levels;
  between[differing[0]] = corner.levels[differing[0]];
  const TableCell* first = cell_at(table, between);
  between = origin.levels;
  between[differing[1]] = corner.levels[differing[1]];
  const TableCell* second = cell_at(table, between);
  if (first == nullptr || second == nullptr) return;
  Interaction found;
  found.first = table.factors[differing[0]];
  found.second = table.factors[differing[1]];
  found.first_level = corner.levels[differing[0]];
  found.second_level = corner.levels[differing[1]];
  found.expected_ms = first->median_ms * second->median_ms / origin.median_ms;
  found.measured_ms = corner.median_ms;
  if (found.expected_ms <= 0 || found.measured_ms <= 0) return;
  if (std::abs(std::log(found.measured_ms / found.expected_ms)) >= std::log1p(kSmallestInteraction)) {
    table.interactions.push_back(std::move(found));
  }
}

}  // namespace

FactorTable make_factor_table(const std::vector<FactorRun>& runs) {
  FactorTable table;
  if (runs.empty()) return table;
  table.factors = differing_factors(runs);
  for (const FactorRun& run : runs) {
    TableCell cell = run.cell;
    cell.levels.clear();
    for (const std::string& factor : table.factors) cell.levels.push_back(level_of(run, factor));
    table.cells.push_back(std::move(cell));
  }
  std::set<std::vector<std::string>> places;
  for (const TableCell& cell : table.cells) places.insert(cell.levels);
  if (places.size() < table.cells.size()) {
    table.factors.insert(table.factors.begin(), "run");
    for (TableCell& cell : table.cells) cell.levels.insert(cell.levels.begin(), cell.run);
    return table;  // runs that differ in more than their factors say nothing about these
  }
  for (std::size_t i = 1; i < table.cells.size(); ++i) add_interaction(table.cells[i], table);
  std::stable_sort(table.interactions.begin(), table.interactions.end(),
                   [](const Interaction& a, const Interaction& b) {
                     const auto size = [](const Interaction& one) {
                       return std::abs(std::log(one.measured_ms / one.expected_ms));
                     };
                     return size(a) > size(b);
                   });
  return table;
}

}  // namespace etalon::analysis
