#include "analysis/operator_order.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <set>
#include <string_view>

namespace etalon::analysis {
namespace {

// "1x56x56x64 -> 1x56x56x128": {56, 56, 128}. Nothing for any other text.
std::vector<std::uint64_t> output_shape(std::string_view shape) {
  const std::size_t arrow = shape.rfind("-> ");
  if (arrow == std::string_view::npos) return {};
  shape.remove_prefix(arrow + 3);
  std::vector<std::uint64_t> dimensions;
  const char* at = shape.data();
  const char* const end = shape.data() + shape.size();
  while (at < end) {
    std::uint64_t dimension = 0;
    const auto parsed = std::from_chars(at, end, dimension);
    if (parsed.ec != std::errc()) break;
    if (dimension != 1) dimensions.push_back(dimension);
    if (parsed.ptr == end || *parsed.ptr != 'x') break;
    at = parsed.ptr + 1;
  }
  std::sort(dimensions.begin(), dimensions.end());
  return dimensions;
}

std::string line_of(const Source& source) {
  if (source.line <= 0) return {};
  return source.module + "|" + source.file.substr(source.file.rfind('/') + 1) + ":" +
         std::to_string(source.line);
}

std::vector<std::int64_t> handles_of(const OperatorRow& row, const ModelFacts& facts) {
  std::vector<std::int64_t> handles;
  for (const std::size_t node : row.nodes) {
    if (node < facts.nodes.size() && facts.nodes[node].debug_handle > 0) {
      handles.push_back(facts.nodes[node].debug_handle);
    }
  }
  return handles;
}

}  // namespace

OperatorOrder::OperatorOrder(const Profile& profile, const ModelFacts* facts) : profile_(&profile) {
  std::vector<std::size_t> rows(profile.operators.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    return profile.operators[a].order < profile.operators[b].order;
  });
  for (const std::size_t index : rows) {
    const OperatorRow& row = profile.operators[index];
    OrderedOperator op;
    op.row = index;
    op.work = work_of(row);
    op.shape = output_shape(row.shape);
    if (row.source) {
      op.line = line_of(*row.source);
      op.module = row.source->module;
    }
    if (facts != nullptr) op.handles = handles_of(row, *facts);
    operators_.push_back(std::move(op));
  }
  if (facts != nullptr) connect(*facts);
}

// Nodes that no event tells of (a reshape that costs nothing) hand on what they read.
void OperatorOrder::connect(const ModelFacts& facts) {
  constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  constexpr std::size_t kMostSources = 64;  // of one value; a guard against graphs made to be wide
  std::vector<std::size_t> place_of_node(facts.nodes.size(), kNobody);
  for (std::size_t place = 0; place < operators_.size(); ++place) {
    for (const std::size_t node : row(place).nodes) {
      if (node < place_of_node.size()) place_of_node[node] = place;
    }
  }
  std::map<std::int64_t, std::set<std::size_t>> sources;  // of a value: the operators it comes from
  std::vector<std::set<std::size_t>> producers(operators_.size());
  for (std::size_t node = 0; node < facts.nodes.size(); ++node) {
    std::set<std::size_t> read;
    for (const std::int64_t value : facts.nodes[node].reads) {
      const auto known = sources.find(value);
      if (known != sources.end() && read.size() < kMostSources)
        read.insert(known->second.begin(), known->second.end());
    }
    const std::size_t place = place_of_node[node];
    if (place != kNobody) {
      producers[place].insert(read.begin(), read.end());
      read = {place};
    }
    for (const std::int64_t value : facts.nodes[node].writes) sources[value] = read;
  }
  for (std::size_t place = 0; place < operators_.size(); ++place) {
    producers[place].erase(place);
    operators_[place].producers.assign(producers[place].begin(), producers[place].end());
    for (const std::size_t producer : producers[place]) operators_[producer].consumers.push_back(place);
    knows_data_flow_ = knows_data_flow_ || !producers[place].empty();
  }
}

}  // namespace etalon::analysis
