#include "analysis/event_alignment.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "analysis/xnnpack_names.h"

namespace etalon::analysis {
namespace {

bool accepts(const RuntimeOperator& op, std::string_view name) {
  return std::find(op.names.begin(), op.names.end(), name) != op.names.end();
}

// XNNPACK rearranges the input of a product for some matrix units, as an operator of its own.
bool is_inserted(std::string_view name) { return name == "Pack LH"; }

class Aligner {
 public:
  Aligner(const std::vector<std::string_view>& labels, const std::vector<const RuntimeOperator*>& operators,
          const ModelFacts& facts)
      : operators_(operators), facts_(facts), aligned_(labels.size()) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      names_.push_back(xnnpack_label_name(labels[i]));
      if (is_inserted(names_.back())) {
        aligned_[i].unmapped = "XNNPACK packs the input of a product; no node of the model";
      } else {
        events_.push_back(i);
      }
    }
  }

  // Every event and every operator in one order, except for operators that their users do; false, and nothing done, where
  // the orders do not agree.
  bool align_in_order() {
    std::vector<Pair> pairs;
    std::vector<const RuntimeOperator*> folded;
    std::size_t next = 0;
    for (std::size_t place = 0; place < operators_.size(); ++place) {
      const RuntimeOperator& op = *operators_[place];
      if (next < events_.size() && accepts(op, names_[events_[next]])) {
        pairs.push_back({events_[next++], place});
      } else if (op.folds_into) {
        // Of two in a row of which one is done by its user nobody can tell which it is.
        if (place > 0 && operators_[place - 1]->folds_into && !pairs.empty() && pairs.back().place == place - 1) return false;
        folded.push_back(&op);
      } else {
        return false;
      }
    }
    if (next < events_.size()) return false;
    for (const Pair& pair : pairs) aligned_[pair.event].nodes = operators_[pair.place]->nodes;
    add_folded(folded, pairs);
    return true;
  }

  // Kinds that share a name ("Fully Connected" is also a 1x1 convolution) are counted together.
  void align_by_kind() {
    for (const auto& [name, kind] : kinds()) {
      if (align(kind.events, kind.places)) continue;
      for (const std::size_t event : kind.events) {
        aligned_[event].unmapped = fmt::format("{} events of '{}' where the payload lets expect {}", kind.events.size(),
                                               names_[event], kind.places.size());
      }
    }
  }

  std::vector<AlignedEvent> take() { return std::move(aligned_); }

 private:
  struct Pair {
    std::size_t event = 0;
    std::size_t place = 0;
  };
  struct Kind {
    std::vector<std::size_t> events;
    std::vector<std::size_t> places;
  };

  // What a user does for them is work of the user's event.
  void add_folded(const std::vector<const RuntimeOperator*>& folded, const std::vector<Pair>& pairs) {
    std::map<const RuntimeOperator*, std::size_t> events;
    for (const Pair& pair : pairs) events[operators_[pair.place]] = pair.event;
    for (const RuntimeOperator* op : folded) {
      const auto user = events.find(&facts_.runtime_operators[*op->folds_into]);
      if (user == events.end()) continue;
      auto& nodes = aligned_[user->second].nodes;
      nodes.insert(nodes.begin(), op->nodes.begin(), op->nodes.end());
    }
  }

  std::map<std::string_view, Kind> kinds() const {
    std::map<std::string_view, std::string_view> parent;
    const auto root = [&parent](std::string_view name) {
      parent.try_emplace(name, name);
      while (parent[name] != name) name = parent[name];
      return name;
    };
    for (const RuntimeOperator* op : operators_) {
      for (const std::string& name : op->names) parent[root(name)] = root(op->names.front());
    }
    std::map<std::string_view, Kind> out;
    for (const std::size_t event : events_) out[root(names_[event])].events.push_back(event);
    for (std::size_t place = 0; place < operators_.size(); ++place) {
      out[root(operators_[place]->names.front())].places.push_back(place);
    }
    return out;
  }

  bool align(const std::vector<std::size_t>& events, const std::vector<std::size_t>& places) {
    if (events.size() != places.size()) return false;
    for (std::size_t k = 0; k < events.size(); ++k) {
      if (!accepts(*operators_[places[k]], names_[events[k]])) return false;
    }
    for (std::size_t k = 0; k < events.size(); ++k) aligned_[events[k]].nodes = operators_[places[k]]->nodes;
    return true;
  }

  const std::vector<const RuntimeOperator*>& operators_;
  const ModelFacts& facts_;
  std::vector<AlignedEvent> aligned_;
  std::vector<std::string_view> names_;
  std::vector<std::size_t> events_;  // that stand for nodes
};

}  // namespace

std::vector<AlignedEvent> align_events(const std::vector<std::string_view>& labels,
                                       const std::vector<const RuntimeOperator*>& operators, const ModelFacts& facts) {
  Aligner aligner(labels, operators, facts);
  if (!aligner.align_in_order()) aligner.align_by_kind();
  return aligner.take();
}

}  // namespace etalon::analysis
