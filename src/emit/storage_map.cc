#include "emit/storage_map.h"

#include <algorithm>

namespace etalon::emit {
namespace {

using ir::ValueId;

// Node n runs at time n + 1; inputs and states exist from time 0, outputs to the time after the last node.
class Mapper {
 public:
  Mapper(const ir::Graph& graph, const StorageOptions& options) : graph_(graph), options_(options) {}

  StorageMap run() {
    map_.places.resize(graph_.values.size());
    map_.elided.resize(graph_.nodes.size());
    map_.runtime_view.resize(graph_.nodes.size());
    find_outputs();
    place_inputs_and_constants();
    find_last_uses();
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) place_node(n);
    return std::move(map_);
  }

 private:
  static std::uint32_t time_of(std::size_t node) { return static_cast<std::uint32_t>(node + 1); }
  std::uint32_t end_time() const { return static_cast<std::uint32_t>(graph_.nodes.size() + 1); }

  void find_outputs() {
    is_output_.resize(graph_.values.size());
    for (const ir::Output& output : graph_.outputs) {
      if (const auto* id = std::get_if<ValueId>(&output.value); id && *id != ir::kNoValue) is_output_[index_of(*id)] = true;
    }
  }

  // Last use of the value itself; aliases extend their storage when they are placed.
  void find_last_uses() {
    last_use_.resize(graph_.values.size(), 0);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const ir::Arg& arg : graph_.nodes[n].args) {
        ir::for_each_value(arg, [&](ValueId id) { last_use_[index_of(id)] = time_of(n); });
      }
    }
    for (std::size_t i = 0; i < is_output_.size(); ++i) {
      if (is_output_[i]) last_use_[i] = end_time();
    }
    // A view keeps what it looks at alive: push uses back through views, last node first.
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      if (!is_view(graph_.nodes[n])) continue;
      const ir::Node& node = graph_.nodes[n];
      auto& source_use = last_use_[index_of(std::get<ValueId>(node.args[0]))];
      source_use = std::max(source_use, last_use_[index_of(node.outs[0])]);
    }
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const ValuePlace& place = map_.places[i];
      if (place.kind != ValuePlace::Kind::kPlanned) continue;
      Storage& storage = map_.storages[place.index];
      storage.last = std::max(storage.last, last_use_[i]);
    }
  }

  std::uint32_t new_storage(const ir::TensorType& type, std::uint32_t first, std::uint32_t last) {
    map_.storages.push_back({static_cast<std::uint64_t>(type.nbytes()), first, last, 0});
    return static_cast<std::uint32_t>(map_.storages.size() - 1);
  }

  void place_inputs_and_constants() {
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const ir::Value& value = graph_.values[i];
      if (!value.is_tensor()) continue;
      if (value.source == ir::ValueSource::kInput) {
        map_.places[i] = {ValuePlace::Kind::kPlanned, new_storage(value.tensor(), 0, 0)};
      } else if (value.source == ir::ValueSource::kConstant) {
        // State lives from one run to the next, so nothing else may ever use its memory.
        const bool is_state = graph_.constants[value.source_index].is_state;
        map_.places[i] = is_state ? ValuePlace{ValuePlace::Kind::kPlanned, new_storage(value.tensor(), 0, end_time())}
                                  : ValuePlace{ValuePlace::Kind::kConstant, value.source_index};
      }
    }
  }

  bool is_state_or_constant(ValueId id) const { return graph_[id].source == ir::ValueSource::kConstant; }

  // The root that a chain of views looks at.
  ValueId root_of(ValueId id) const {
    while (graph_[id].source == ir::ValueSource::kNode) {
      const ir::Node& node = graph_.nodes[graph_[id].source_index];
      if (!is_view(node)) break;
      id = std::get<ValueId>(node.args[0]);
    }
    return id;
  }

  bool is_view(const ir::Node& node) const {
    if (!options_.elide_views || !node.op->has(ops::kSameElements) || node.outs.size() != 1) return false;
    const auto* source = std::get_if<ValueId>(&node.args[0]);
    if (source == nullptr || *source == ir::kNoValue) return false;
    const ir::TensorType& from = graph_[*source].tensor();
    const ir::TensorType& to = graph_[node.outs[0]].tensor();
    if (!is_contiguous_order(from.order) || !is_contiguous_order(to.order) || from.dtype != to.dtype) return false;
    const bool dynamic = from.is_dynamic() || to.is_dynamic();
    if (dynamic && node.op->functional_name != "aten::view_copy") return false;
    // What the caller gets must not be memory that the next run reads as input, weight or state.
    const bool from_node = graph_[root_of(*source)].source == ir::ValueSource::kNode;
    return from_node || !(is_output_[index_of(node.outs[0])]);
  }

  void place_node(std::size_t n) {
    const ir::Node& node = graph_.nodes[n];
    if (is_view(node)) {
      place_view(n, node);
      return;
    }
    for (const ValueId out : node.outs) {
      if (!graph_[out].is_tensor()) continue;
      map_.places[index_of(out)] = {ValuePlace::Kind::kPlanned, storage_for(node, n, out)};
    }
  }

  void place_view(std::size_t n, const ir::Node& node) {
    const ValueId source = std::get<ValueId>(node.args[0]);
    const bool dynamic = graph_[source].tensor().is_dynamic() || graph_[node.outs[0]].tensor().is_dynamic();
    map_.places[index_of(node.outs[0])] = map_.places[index_of(source)];
    map_.elided[n] = !dynamic;
    map_.runtime_view[n] = dynamic;
  }

  std::uint32_t storage_for(const ir::Node& node, std::size_t n, ValueId out) {
    // A result nobody uses still needs its memory while the node runs.
    const std::uint32_t last = std::max(last_use_[index_of(out)], time_of(n));
    if (options_.in_place && node.outs.size() == 1 && node.op->has(ops::kElementwise)) {
      for (const ir::Arg& arg : node.args) {
        const auto* id = std::get_if<ValueId>(&arg);
        if (id == nullptr || *id == ir::kNoValue || !can_take_over(node, n, *id, out)) continue;
        const std::uint32_t storage = map_.places[index_of(*id)].index;
        map_.storages[storage].last = last;
        ++map_.in_place_count;
        return storage;
      }
    }
    return new_storage(graph_[out].tensor(), time_of(n), last);
  }

  bool can_take_over(const ir::Node& node, std::size_t n, ValueId id, ValueId out) const {
    if (!graph_[id].is_tensor() || !(graph_[id].tensor() == graph_[out].tensor())) return false;
    const ValuePlace& place = map_.places[index_of(id)];
    if (place.kind != ValuePlace::Kind::kPlanned || is_state_or_constant(root_of(id))) return false;
    if (map_.storages[place.index].last != time_of(n)) return false;
    // Another argument on the same memory must be read element by element in step.
    bool in_step = true;
    for (const ir::Arg& arg : node.args) {
      ir::for_each_value(arg, [&](ValueId other) {
        if (!graph_[other].is_tensor()) return;
        const ValuePlace& other_place = map_.places[index_of(other)];
        const bool shared = other_place.kind == ValuePlace::Kind::kPlanned && other_place.index == place.index;
        if (shared && !(graph_[other].tensor() == graph_[out].tensor())) in_step = false;
      });
    }
    return in_step;
  }

  const ir::Graph& graph_;
  const StorageOptions& options_;
  StorageMap map_;
  std::vector<bool> is_output_;
  std::vector<std::uint32_t> last_use_;
};

}  // namespace

StorageMap map_storage(const ir::Graph& graph, const StorageOptions& options) { return Mapper(graph, options).run(); }

}  // namespace etalon::emit
