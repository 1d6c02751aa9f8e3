#include "backends/xnnpack/aot/partition.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "backends/xnnpack/aot/quantised.h"

namespace etalon::xnnpack {
namespace {

using ir::ValueId;
constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

// Quantised weights are there for everybody, like constants.
std::size_t producer_of(const ir::Graph& graph, ValueId id) {
  const ir::Value& value = graph[id];
  const bool is_computed =
      value.source == ir::ValueSource::kNode && !is_weight(graph, graph.nodes[value.source_index]);
  return is_computed ? value.source_index : kNoNode;
}

// A delegated node follows sizes by itself; only tensors reach it.
template <class Visit>
void for_each_input(const ir::Graph& graph, const ir::Node& node, bool inside, Visit&& visit) {
  for (const ir::Arg& arg : node.args) {
    ir::for_each_value(arg, [&](ValueId id) {
      if (!inside || graph[id].is_tensor()) visit(id);
    });
  }
}

std::int64_t bytes_of(const ir::Graph& graph, ValueId id) { return graph[id].is_tensor() ? graph[id].tensor().nbytes() : 8; }

class Partitioner {
 public:
  Partitioner(const ir::Graph& graph, const std::vector<Refused>& forced) : graph_(graph), uses_(graph.use_counts()) {
    const std::size_t count = graph.nodes.size();
    out_.refusals = forced;
    out_.refusals.resize(count);
    for (std::size_t n = 0; n < count; ++n) {
      if (is_weight(graph, graph.nodes[n])) {
        out_.refusals[n] = Refusal{};
      } else if (!out_.refusals[n]) {
        out_.refusals[n] = refuse(graph, graph.nodes[n], uses_);
      }
    }
    find_consumers();
  }

  Assignment run() {
    do {
      assign_earliest();
      move_later();
    } while (drop_idle_parts());
    number_densely();
    return std::move(out_);
  }

 private:
  bool inside(std::size_t n) const { return !out_.refusals[n].has_value(); }

  void find_consumers() {
    consumers_.resize(graph_.nodes.size());
    escapes_.resize(graph_.nodes.size(), false);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for_each_input(graph_, graph_.nodes[n], inside(n), [&](ValueId id) {
        if (const std::size_t p = producer_of(graph_, id); p != kNoNode) consumers_[p].push_back(n);
      });
    }
    for (const ir::Output& output : graph_.outputs) {
      ir::for_each_value(output.value, [&](ValueId id) {
        if (const std::size_t p = producer_of(graph_, id); p != kNoNode) escapes_[p] = true;
      });
    }
  }

  // `stage` of a node inside is its delegate; of one outside, the delegate that it runs after.
  void assign_earliest() {
    const std::size_t count = graph_.nodes.size();
    stage_.assign(count, -1);
    for (std::size_t n = 0; n < count; ++n) {
      std::int32_t stage = inside(n) ? 0 : -1;
      for_each_input(graph_, graph_.nodes[n], inside(n), [&](ValueId id) {
        const std::size_t p = producer_of(graph_, id);
        if (p == kNoNode) return;
        stage = std::max(stage, stage_[p] + (inside(n) && !inside(p) ? 1 : 0));
      });
      stage_[n] = stage;
    }
  }

  // The latest stage at which every consumer still gets its input.
  std::int32_t latest_stage(std::size_t n) const {
    std::int32_t latest = std::numeric_limits<std::int32_t>::max();
    for (const std::size_t c : consumers_[n]) {
      latest = std::min(latest, stage_[c] - (!inside(n) && inside(c) ? 1 : 0));
    }
    return latest;
  }

  // Bytes of the node's inputs that would start to cross a border if it left its delegate for a later one.
  std::int64_t newly_crossing_bytes(std::size_t n) const {
    std::int64_t bytes = 0;
    for_each_input(graph_, graph_.nodes[n], inside(n), [&](ValueId id) {
      const std::size_t p = producer_of(graph_, id);
      if (p == kNoNode) return;  // inputs and constants are there for every delegate
      const bool crosses_already = escapes_[p] || !inside(p) || stage_[p] != stage_[n] ||
                                   std::ranges::any_of(consumers_[p], [&](std::size_t c) { return stage_[c] != stage_[p] || !inside(c); });
      if (!crosses_already) bytes += bytes_of(graph_, id);
    });
    return bytes;
  }

  std::int64_t output_bytes(std::size_t n) const {
    std::int64_t bytes = 0;
    for (const ValueId id : graph_.nodes[n].outs) {
      if (uses_[ir::index_of(id)] > 0) bytes += bytes_of(graph_, id);
    }
    return bytes;
  }

  void move_later() {
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      if (escapes_[n] || consumers_[n].empty()) continue;
      const std::int32_t latest = latest_stage(n);
      if (latest > stage_[n] && newly_crossing_bytes(n) < output_bytes(n)) stage_[n] = latest;
    }
  }

  // Parts of delegates that only relabel memory: outside they cost nothing, inside they are copies.
  static bool is_idle(const ir::Graph& graph, const ir::Node& node) {
    return node.op->has(ops::kSameElements) && node.outs.size() == 1 && !graph[node.outs[0]].tensor().is_dynamic();
  }

  bool drop_idle_parts() {
    const std::size_t count = graph_.nodes.size();
    std::vector<std::size_t> root(count);
    std::iota(root.begin(), root.end(), std::size_t{0});
    const auto find = [&](std::size_t n) {
      while (root[n] != n) n = root[n] = root[root[n]];
      return n;
    };
    for (std::size_t n = 0; n < count; ++n) {
      if (!inside(n)) continue;
      for_each_input(graph_, graph_.nodes[n], true, [&](ValueId id) {
        const std::size_t p = producer_of(graph_, id);
        if (p != kNoNode && inside(p) && stage_[p] == stage_[n]) root[find(n)] = find(p);
      });
    }
    std::vector<bool> works(count, false);
    for (std::size_t n = 0; n < count; ++n) {
      if (inside(n) && !is_idle(graph_, graph_.nodes[n])) works[find(n)] = true;
    }
    bool dropped = false;
    for (std::size_t n = 0; n < count; ++n) {
      if (!inside(n) || works[find(n)]) continue;
      out_.refusals[n] = Refusal{"it would be alone in a delegate that computes nothing; outside it is free", {}};
      dropped = true;
    }
    return dropped;
  }

  void number_densely() {
    std::vector<bool> used(graph_.nodes.size() + 2, false);
    for (std::size_t n = 0; n < stage_.size(); ++n) {
      if (inside(n)) used[static_cast<std::size_t>(stage_[n])] = true;
    }
    std::vector<std::int32_t> dense(used.size() + 1, 0);
    for (std::size_t s = 0; s < used.size(); ++s) dense[s + 1] = dense[s] + (used[s] ? 1 : 0);
    out_.delegates = dense.back();
    // dense[s] delegates come before stage s.
    for (std::size_t n = 0; n < stage_.size(); ++n) {
      const auto next = static_cast<std::size_t>(stage_[n] + 1);
      out_.delegate.push_back(inside(n) ? dense[next - 1] : kOutside);
      out_.after.push_back(dense[next] - 1);
    }
  }

  const ir::Graph& graph_;
  std::vector<std::uint32_t> uses_;
  std::vector<std::vector<std::size_t>> consumers_;
  std::vector<bool> escapes_;
  std::vector<std::int32_t> stage_;
  Assignment out_;
};

}  // namespace

Assignment partition(const ir::Graph& graph, const std::vector<Refused>& forced) { return Partitioner(graph, forced).run(); }

std::int32_t delegates_with(const ir::Graph& graph, const Assignment& assignment, std::size_t node) {
  std::vector<std::int32_t> stage(graph.nodes.size(), -1);
  std::vector<bool> used(graph.nodes.size() + 1, false);
  const auto inside = [&](std::size_t n) { return n == node || assignment.delegate[n] != kOutside; };
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    stage[n] = inside(n) ? 0 : -1;
    for_each_input(graph, graph.nodes[n], inside(n), [&](ValueId id) {
      const std::size_t p = producer_of(graph, id);
      if (p != kNoNode) stage[n] = std::max(stage[n], stage[p] + (inside(n) && !inside(p) ? 1 : 0));
    });
    if (inside(n)) used[static_cast<std::size_t>(stage[n])] = true;
  }
  return static_cast<std::int32_t>(std::ranges::count(used, true));
}

}  // namespace etalon::xnnpack
