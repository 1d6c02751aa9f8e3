#include "analysis/event_alignment.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "analysis/xnnpack_names.h"

namespace etalon::analysis {
namespace {

bool accepts(const RuntimeOperator& op, std::string_view name) {
  return std::find(op.names.begin(), op.names.end(), name) != op.names.end();
}

// XNNPACK rearranges the input of a product for some matrix units, as an operator of its own.
bool is_inserted(std::string_view name) { return name == "Pack LH"; }

struct Candidate {
  const RuntimeOperator* op = nullptr;
  std::vector<std::size_t> nodes;
};

// With `folded`, those that machines may run inside of others are run there.
std::vector<Candidate> candidates(const std::vector<const RuntimeOperator*>& operators, const ModelFacts& facts, bool folded) {
  std::vector<Candidate> out;
  std::map<const RuntimeOperator*, std::vector<std::size_t>> inside;
  for (const RuntimeOperator* op : operators) {
    if (!folded || !op->folds_into) continue;
    auto& nodes = inside[&facts.runtime_operators[*op->folds_into]];
    nodes.insert(nodes.end(), op->nodes.begin(), op->nodes.end());
  }
  for (const RuntimeOperator* op : operators) {
    if (folded && op->folds_into) continue;
    Candidate made{op, op->nodes};
    if (const auto more = inside.find(op); more != inside.end()) {
      made.nodes.insert(made.nodes.begin(), more->second.begin(), more->second.end());
    }
    out.push_back(std::move(made));
  }
  return out;
}

class Aligner {
 public:
  Aligner(const std::vector<std::string_view>& labels, std::vector<Candidate> candidates)
      : candidates_(std::move(candidates)), aligned_(labels.size()) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      names_.push_back(xnnpack_label_name(labels[i]));
      if (is_inserted(names_.back())) {
        aligned_[i].unmapped = "XNNPACK packs the input of a product; no node of the model";
      } else {
        events_.push_back(i);
      }
    }
  }

  bool align_all() { return align(events_, all_candidates()); }

  // Kinds that share a name ("Fully Connected" is also a 1x1 convolution) are counted together.
  void align_by_kind() {
    std::map<std::string_view, std::string_view> parent;
    const auto root = [&parent](std::string_view name) {
      parent.try_emplace(name, name);
      while (parent[name] != name) name = parent[name];
      return name;
    };
    for (const Candidate& candidate : candidates_) {
      for (const std::string& name : candidate.op->names) parent[root(name)] = root(candidate.op->names.front());
    }
    std::map<std::string_view, std::pair<std::vector<std::size_t>, std::vector<std::size_t>>> kinds;
    for (const std::size_t event : events_) kinds[root(names_[event])].first.push_back(event);
    for (const std::size_t place : all_candidates()) kinds[root(candidates_[place].op->names.front())].second.push_back(place);
    for (const auto& [name, kind] : kinds) {
      if (align(kind.first, kind.second)) continue;
      for (const std::size_t event : kind.first) {
        aligned_[event].unmapped = fmt::format("{} events of '{}' where the payload lets expect {}", kind.first.size(),
                                               names_[event], kind.second.size());
      }
    }
  }

  std::vector<AlignedEvent> take() { return std::move(aligned_); }

 private:
  std::vector<std::size_t> all_candidates() const {
    std::vector<std::size_t> places(candidates_.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
  }

  // Pairs them one by one; false, and nothing done, where one does not accept the other.
  bool align(const std::vector<std::size_t>& events, const std::vector<std::size_t>& places) {
    if (events.size() != places.size()) return false;
    for (std::size_t k = 0; k < events.size(); ++k) {
      if (!accepts(*candidates_[places[k]].op, names_[events[k]])) return false;
    }
    for (std::size_t k = 0; k < events.size(); ++k) aligned_[events[k]].nodes = candidates_[places[k]].nodes;
    return true;
  }

  std::vector<Candidate> candidates_;
  std::vector<AlignedEvent> aligned_;
  std::vector<std::string_view> names_;
  std::vector<std::size_t> events_;  // that stand for nodes
};

}  // namespace

std::vector<AlignedEvent> align_events(const std::vector<std::string_view>& labels,
                                       const std::vector<const RuntimeOperator*>& operators, const ModelFacts& facts) {
  for (const bool folded : {true, false}) {
    Aligner aligner(labels, candidates(operators, facts, folded));
    if (aligner.align_all()) return aligner.take();
  }
  Aligner aligner(labels, candidates(operators, facts, true));
  aligner.align_by_kind();
  return aligner.take();
}

}  // namespace etalon::analysis
