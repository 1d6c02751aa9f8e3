#include "analysis/graph_matching.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "analysis/operator_order.h"
#include "analysis/order_alignment.h"

namespace etalon::analysis {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

using Places = std::vector<std::size_t>;
using Keys = std::function<std::vector<std::int64_t>(const OrderedOperator&)>;

std::vector<std::int64_t> nodes_of(const OperatorRow& row) { return {row.nodes.begin(), row.nodes.end()}; }

bool same_program(const ModelFacts* a, const ModelFacts* b) {
  if (a == nullptr || b == nullptr || a->nodes.size() != b->nodes.size() || a->nodes.empty()) return false;
  return std::equal(
      a->nodes.begin(), a->nodes.end(), b->nodes.begin(), [](const NodeFacts& x, const NodeFacts& y) {
        return x.op == y.op && x.reads == y.reads && x.writes == y.writes && x.outputs == y.outputs;
      });
}

class Matcher {
 public:
  Matcher(const MatchSide& baseline, const MatchSide& candidate)
      : before_(baseline.profile, baseline.facts),
        after_(candidate.profile, candidate.facts),
        group_before_(before_.size(), kNone),
        group_after_(after_.size(), kNone) {
    if (same_program(baseline.facts, candidate.facts)) match_nodes();
    match_sources(&OrderedOperator::line);
    match_sources(&OrderedOperator::module);
    match_handles();
    if (before_.knows_data_flow() && after_.knows_data_flow()) match_neighbours();
    match_order();
    match_opaque();
    while (absorb(before_, group_before_, &Group::before) + absorb(after_, group_after_, &Group::after) > 0) {
    }
  }

  std::vector<OperatorGroup> groups() const;

 private:
  struct Group {
    MatchKind kind = MatchKind::kName;
    Places before;
    Places after;
  };

  void add(MatchKind kind, const Places& before, const Places& after) {
    for (const std::size_t place : before) group_before_[place] = groups_.size();
    for (const std::size_t place : after) group_after_[place] = groups_.size();
    groups_.push_back({kind, before, after});
  }

  void match_nodes();
  void match_sources(std::string OrderedOperator::*key);
  void pair_within(Places before, Places after);
  void match_handles();
  bool handles_agree() const;
  void match_neighbours();
  void pair_neighbours(const Places& before, const Places& after, Places& found);
  void match_order();
  void match_opaque();
  std::size_t absorb(const OperatorOrder& order, Places& group_of, Places Group::*side);
  std::size_t neighbour_group(const OperatorOrder& order, const Places& group_of, std::size_t place,
                              bool forward) const;

  // The unmatched ones of `places`.
  static Places open(const Places& places, const Places& group_of) {
    Places left;
    std::copy_if(places.begin(), places.end(), std::back_inserter(left),
                 [&](std::size_t place) { return group_of[place] == kNone; });
    return left;
  }

  OperatorOrder before_;
  OperatorOrder after_;
  Places group_before_;  // of each place, kNone: not matched
  Places group_after_;
  std::vector<Group> groups_;
};

// Operators that share a key, directly or through others, make one group: so kernels that fuse otherwise
// meet.
class SharedKeys {
 public:
  void add(std::size_t member, const std::vector<std::int64_t>& keys) {
    parent_.resize(std::max(parent_.size(), member + 1), kNone);
    parent_[member] = member;
    for (const std::int64_t key : keys) {
      const auto [owner, fresh] = owners_.try_emplace(key, member);
      if (!fresh) parent_[root(owner->second)] = root(member);
    }
  }
  std::map<std::size_t, Places> sets() {
    std::map<std::size_t, Places> found;
    for (std::size_t member = 0; member < parent_.size(); ++member) {
      if (parent_[member] != kNone) found[root(member)].push_back(member);
    }
    return found;
  }

 private:
  std::size_t root(std::size_t member) {
    while (parent_[member] != member) member = parent_[member] = parent_[parent_[member]];
    return member;
  }
  Places parent_;
  std::map<std::int64_t, std::size_t> owners_;
};

void Matcher::match_nodes() {
  SharedKeys shared;
  for (std::size_t i = 0; i < before_.size(); ++i) shared.add(i, nodes_of(before_.row(i)));
  for (std::size_t i = 0; i < after_.size(); ++i) shared.add(before_.size() + i, nodes_of(after_.row(i)));
  for (const auto& [root, members] : shared.sets()) {
    Places before;
    Places after;
    for (const std::size_t member : members) {
      if (member < before_.size())
        before.push_back(member);
      else
        after.push_back(member - before_.size());
    }
    if (before.empty() || after.empty()) continue;
    const std::string& line = before_[before.front()].line;
    const bool same_line = !line.empty() && line == after_[after.front()].line;
    add(same_line ? MatchKind::kSource : MatchKind::kStructure, before, after);
  }
}

void Matcher::match_sources(std::string OrderedOperator::*key) {
  std::map<std::string, std::pair<Places, Places>> by_key;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    if (group_before_[i] == kNone && !(before_[i].*key).empty()) by_key[before_[i].*key].first.push_back(i);
  }
  for (std::size_t i = 0; i < after_.size(); ++i) {
    if (group_after_[i] == kNone && !(after_[i].*key).empty()) by_key[after_[i].*key].second.push_back(i);
  }
  for (auto& [name, places] : by_key) {
    if (!places.first.empty() && !places.second.empty()) pair_within(places.first, places.second);
  }
}

// Of one line of the model: equal numbers of equal work are pairs in their order; what remains on both sides
// is the same work put together otherwise (a norm, and the eight operators it decomposes into).
void Matcher::pair_within(Places before, Places after) {
  constexpr std::size_t kLargestGroup =
      24;  // beyond that the line says too little: a whole model on one line
  std::map<std::string, std::pair<Places, Places>> by_work;
  for (const std::size_t place : before) by_work[before_[place].work.name].first.push_back(place);
  for (const std::size_t place : after) by_work[after_[place].work.name].second.push_back(place);
  for (const auto& [name, places] : by_work) {
    if (places.first.size() != places.second.size()) continue;
    for (std::size_t i = 0; i < places.first.size(); ++i) {
      add(MatchKind::kSource, {places.first[i]}, {places.second[i]});
    }
  }
  before = open(before, group_before_);
  after = open(after, group_after_);
  if (before.empty() || after.empty() || before.size() + after.size() > kLargestGroup) return;
  add(MatchKind::kSource, before, after);
}

// Any two exports count their nodes from 1, so equal handles mean something only when the work agrees nearly
// always.
bool Matcher::handles_agree() const {
  constexpr double kNearlyAlways = 0.8;
  std::map<std::int64_t, std::size_t> known;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    for (const std::int64_t handle : before_[i].handles) known.emplace(handle, i);
  }
  std::size_t shared = 0;
  std::size_t agreed = 0;
  for (std::size_t i = 0; i < after_.size(); ++i) {
    for (const std::int64_t handle : after_[i].handles) {
      const auto found = known.find(handle);
      if (found == known.end()) continue;
      const OrderedOperator& a = before_[found->second];
      ++shared;
      if (a.work == after_[i].work &&
          (a.shape == after_[i].shape || a.shape.empty() || after_[i].shape.empty()))
        ++agreed;
    }
  }
  return shared > 0 && static_cast<double>(agreed) >= kNearlyAlways * static_cast<double>(shared);
}

void Matcher::match_handles() {
  if (!handles_agree()) return;
  SharedKeys shared;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    if (group_before_[i] == kNone) shared.add(i, before_[i].handles);
  }
  for (std::size_t i = 0; i < after_.size(); ++i) {
    if (group_after_[i] == kNone) shared.add(before_.size() + i, after_[i].handles);
  }
  for (const auto& [root, members] : shared.sets()) {
    Places before;
    Places after;
    for (const std::size_t member : members) {
      if (member < before_.size())
        before.push_back(member);
      else
        after.push_back(member - before_.size());
    }
    if (!before.empty() && !after.empty()) add(MatchKind::kHandle, before, after);
  }
}

// What reads from, or feeds, operators that are already matched is the same work when it is the only one of
// its kind and shape there. Spreads until nothing is added.
void Matcher::match_neighbours() {
  Places found;
  for (std::size_t group = 0; group < groups_.size(); ++group) found.push_back(group);
  if (found.empty()) {
    Places first_before;
    Places first_after;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (before_[i].producers.empty()) first_before.push_back(i);
    }
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (after_[i].producers.empty()) first_after.push_back(i);
    }
    pair_neighbours(first_before, first_after, found);
  }
  while (!found.empty()) {
    const Group group = groups_[found.back()];
    found.pop_back();
    if (group.before.size() != 1 || group.after.size() != 1) continue;
    const OrderedOperator& a = before_[group.before.front()];
    const OrderedOperator& b = after_[group.after.front()];
    pair_neighbours(a.consumers, b.consumers, found);
    pair_neighbours(a.producers, b.producers, found);
  }
}

void Matcher::pair_neighbours(const Places& before, const Places& after, Places& found) {
  using Kind = std::pair<std::string, std::vector<std::uint64_t>>;
  std::map<Kind, std::pair<Places, Places>> by_kind;
  for (const std::size_t place : open(before, group_before_)) {
    by_kind[{before_[place].work.name, before_[place].shape}].first.push_back(place);
  }
  for (const std::size_t place : open(after, group_after_)) {
    by_kind[{after_[place].work.name, after_[place].shape}].second.push_back(place);
  }
  for (const auto& [kind, places] : by_kind) {
    if (kind.second.empty() || places.first.size() != 1 || places.second.size() != 1) continue;
    found.push_back(groups_.size());
    add(MatchKind::kStructure, places.first, places.second);
  }
}

void Matcher::match_order() {
  for (const AlignedPair& pair : align_orders(before_, group_before_, after_, group_after_)) {
    const bool same_shape =
        !before_[pair.before].shape.empty() && before_[pair.before].shape == after_[pair.after].shape;
    add(same_shape ? MatchKind::kStructure : MatchKind::kName, {pair.before}, {pair.after});
  }
}

// A delegate of which only the call is known does what the other graph does between the same neighbours.
void Matcher::match_opaque() {
  const auto between = [](const Places& group_of, std::size_t from, std::size_t to) {
    Places left;
    for (std::size_t i = from; i < to; ++i) {
      if (group_of[i] == kNone) left.push_back(i);
    }
    return left;
  };
  const auto run_around = [](const Places& group_of, std::size_t place) {
    std::size_t first = place;
    std::size_t last = place + 1;
    while (first > 0 && group_of[first - 1] == kNone) --first;
    while (last < group_of.size() && group_of[last] == kNone) ++last;
    return std::pair(first, last);
  };
  const auto has_opaque = [](const OperatorOrder& order, const Places& places) {
    return std::any_of(places.begin(), places.end(),
                       [&](std::size_t place) { return order[place].work.kind == WorkKind::kOpaque; });
  };
  for (std::size_t i = 0; i < before_.size(); ++i) {
    if (group_before_[i] != kNone) continue;
    const auto [first, last] = run_around(group_before_, i);
    std::size_t from = 0;
    std::size_t to = after_.size();
    if (first > 0) from = groups_[group_before_[first - 1]].after.back() + 1;
    if (last < before_.size()) to = groups_[group_before_[last]].after.front();
    const Places ours = between(group_before_, first, last);
    const Places theirs = from < to ? between(group_after_, from, to) : Places();
    if (!theirs.empty() && (has_opaque(before_, ours) || has_opaque(after_, theirs))) {
      add(MatchKind::kStructure, ours, theirs);
    }
    i = last;
  }
}

// The group of the operator that `place` feeds (forward) or reads; kNone when it is not one group of both
// sides.
std::size_t Matcher::neighbour_group(const OperatorOrder& order, const Places& group_of, std::size_t place,
                                     bool forward) const {
  std::size_t neighbour = kNone;
  if (order.knows_data_flow()) {
    const Places& linked = forward ? order[place].consumers : order[place].producers;
    if (linked.empty() || (!forward && linked.size() > 1)) return kNone;
    neighbour = linked.front();
  } else {
    if (forward ? place + 1 == order.size() : place == 0) return kNone;
    neighbour = forward ? place + 1 : place - 1;
  }
  const Work& work = order[neighbour].work;
  const bool computes = work.kind != WorkKind::kLayout;
  return computes ? group_of[neighbour] : kNone;
}

// Lets what kernels fuse join the group of the operator it is fused into. Returns how many did.
std::size_t Matcher::absorb(const OperatorOrder& order, Places& group_of, Places Group::*side) {
  std::size_t joined = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    if (group_of[place] != kNone || !can_be_fused(order[place].work)) continue;
    const bool back_to_float = order.row(place).name.find("dequantize") != std::string::npos;
    const bool forward_first = order[place].work.kind == WorkKind::kConversion && !back_to_float;
    std::size_t group = neighbour_group(order, group_of, place, forward_first);
    if (group == kNone && order[place].work.kind == WorkKind::kConversion) {
      group = neighbour_group(order, group_of, place, !forward_first);
    }
    if (group == kNone) continue;
    group_of[place] = group;
    (groups_[group].*side).push_back(place);
    ++joined;
  }
  return joined;
}

std::vector<OperatorGroup> Matcher::groups() const {
  std::vector<OperatorGroup> out;
  const auto rows = [](const OperatorOrder& order, Places places) {
    std::sort(places.begin(), places.end());
    for (std::size_t& place : places) place = order[place].row;
    return places;
  };
  std::vector<bool> written(groups_.size());
  for (std::size_t i = 0; i < before_.size(); ++i) {
    const std::size_t group = group_before_[i];
    if (group == kNone) {
      out.push_back({MatchKind::kBaselineOnly, {before_[i].row}, {}});
    } else if (!written[group]) {
      written[group] = true;
      out.push_back(
          {groups_[group].kind, rows(before_, groups_[group].before), rows(after_, groups_[group].after)});
    }
  }
  for (std::size_t i = 0; i < after_.size(); ++i) {
    if (group_after_[i] == kNone) out.push_back({MatchKind::kCandidateOnly, {}, {after_[i].row}});
  }
  return out;
}

}  // namespace

std::vector<OperatorGroup> match_operators(const MatchSide& baseline, const MatchSide& candidate) {
  return Matcher(baseline, candidate).groups();
}

}  // namespace etalon::analysis
