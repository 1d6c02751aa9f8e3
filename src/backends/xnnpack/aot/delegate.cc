#include "backends/xnnpack/aot/delegate.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "backends/xnnpack/aot/listing.h"
#include "backends/xnnpack/aot/partition.h"
#include "backends/xnnpack/aot/payload_builder.h"
#include "backends/xnnpack/aot/prepare.h"
#include "backends/xnnpack/aot/quantised.h"
#include "ir/frame.h"

namespace etalon::xnnpack {
namespace {

// Nodes that give nothing anybody uses (sizes that only delegated views wanted).
void remove_unused(ir::Graph& graph) {
  std::vector<std::uint32_t> uses = graph.use_counts();
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    ir::Node& node = graph.nodes[n];
    const bool used = std::ranges::any_of(node.outs, [&](ValueId id) { return uses[ir::index_of(id)] > 0; });
    if (used || node.outs.empty() || node.op->has(ops::kMutatesSelf)) continue;
    node.dead = true;
    for (const ir::Arg& arg : node.args) ir::for_each_value(arg, [&](ValueId id) { --uses[ir::index_of(id)]; });
  }
}

// The nodes of one delegate, cut out of the graph.
class Cut {
 public:
  Cut(const ir::Graph& graph, std::vector<std::size_t> nodes) : graph_(graph), nodes_(std::move(nodes)) {
    made_.method = graph.method;
  }

  // `used_outside` by value: read by nodes that are not in the cut, or returned.
  void run(const std::vector<bool>& used_outside) {
    for (const std::size_t n : nodes_) copy_node(graph_.nodes[n]);
    for (const std::size_t n : nodes_) {
      for (const ValueId id : graph_.nodes[n].outs) {
        if (!used_outside[ir::index_of(id)]) continue;
        outputs.push_back(id);
        made_.outputs.push_back({ir::Output::Kind::kUser, new_id_.at(id), {}});
      }
    }
  }

  ir::Graph take() { return std::move(made_); }

  std::vector<std::size_t> sources;  // by node of the cut: its position in the outer graph
  ir::ValueIds inputs;   // of the outer graph
  ir::ValueIds outputs;

 private:
  void copy_node(const ir::Node& node) {
    ir::Node copy = node;
    for (ir::Arg& arg : copy.args) {
      // Sizes are not passed: shapes inside follow from those of tensors.
      if (auto* items = std::get_if<ir::IntItems>(&arg)) fix_sizes(*items);
      ir::for_each_value(arg, [&](ValueId& id) { id = inner(id); });
    }
    const auto at = ir::NodeId(made_.nodes.size());
    sources.push_back(static_cast<std::size_t>(&node - graph_.nodes.data()));
    for (ValueId& out : copy.outs) {
      const ValueId made = made_.add_value(graph_[out].name, graph_[out].type, at);
      new_id_[out] = made;
      out = made;
    }
    made_.nodes.push_back(std::move(copy));
  }

  void fix_sizes(ir::IntItems& items) const {
    for (ir::IntItem& item : items) {
      if (item.symbol != ir::kNoValue) item = {static_cast<std::int64_t>(graph_[item.symbol].number().max), ir::kNoValue};
    }
  }

  ValueId inner(ValueId id) {
    if (const auto found = new_id_.find(id); found != new_id_.end()) return found->second;
    if (const ir::Node* weight = weight_node(graph_, id)) {
      copy_node(*weight);
      return new_id_.at(id);
    }
    ValueId made = ir::kNoValue;
    if (const ir::Constant* constant = fixed_constant(graph_, id)) {
      made = made_.add_constant(*constant);
      made_[made].name = graph_[id].name;
    } else {
      made = made_.add_input(graph_[id].name, graph_[id].type);
      inputs.push_back(id);
    }
    new_id_[id] = made;
    return made;
  }

  const ir::Graph& graph_;
  std::vector<std::size_t> nodes_;
  std::map<ValueId, ValueId> new_id_;
  ir::Graph made_;
};

std::int64_t bytes_of(const ir::Graph& graph, const ir::ValueIds& ids) {
  std::int64_t bytes = 0;
  for (const ValueId id : ids) bytes += graph[id].is_tensor() ? graph[id].tensor().nbytes() : 0;
  return bytes;
}

using Problem = PayloadBuilder::Problem;

struct Lowered {
  ir::Delegate delegate;
  DelegateReport report;
  std::vector<FloatReport> in_float;
  std::optional<Problem> problem;  // with the position of the node in the lowered graph; the rest is then empty
};

Result<Lowered> lower(ir::Graph inner) {
  Lowered out;
  ir::Delegate& delegate = out.delegate;
  delegate.backend = kBackendId;
  delegate.lowered = std::move(inner);
  PayloadBuilder builder(delegate.lowered);
  for (const ir::Node& node : delegate.lowered.nodes) {
    builder.begin(node);
    if (builder.is_taken(node)) {
      builder.pass_on(node);
      continue;
    }
    const Lowering* lowering = find_lowering(node);
    ETALON_CHECKED(lowering->lower(builder, NodeArgs(delegate.lowered, node)), node.op->functional_name);
  }
  Payload payload = builder.finish();
  out.problem = builder.problem();
  if (out.problem) return out;
  ETALON_TRY(delegate.payload, formats::xnn::encode(payload.graph), "payload");
  delegate.listing = listing(payload.graph);
  delegate.named_data = std::move(payload.named_data);
  DelegateReport& report = out.report;
  report.operators = static_cast<std::uint32_t>(delegate.lowered.nodes.size());
  report.payload_nodes = static_cast<std::uint32_t>(payload.graph.nodes.size());
  for (const ir::NamedData& named : delegate.named_data) report.constant_bytes += static_cast<std::int64_t>(named.data.bytes().size());
  for (const PayloadBuilder::FloatNote& note : builder.float_notes()) {
    const ir::Node& node = delegate.lowered.nodes[note.node];
    out.in_float.push_back({node.op->functional_name, delegate.lowered[node.outs[0]].name, note.why});
  }
  for (const ir::Node& node : delegate.lowered.nodes) report.flops += ir::cost_of(delegate.lowered, node).flops;
  return out;
}

class Rewriter {
 public:
  Rewriter(ir::Graph& graph, const Assignment& assignment) : graph_(graph), assignment_(assignment) {}

  // Lowers every delegate, or finds a node that must stay outside after all. The graph is not changed yet.
  Result<std::optional<Problem>> lower_all() {
    for (std::int32_t d = 0; d < assignment_.delegates; ++d) {
      append_outside(d - 1);
      ETALON_TRY(const std::optional<Problem> problem, append_delegate(d));
      if (problem) return problem;
    }
    append_outside(assignment_.delegates - 1);
    return std::optional<Problem>();
  }

  Report commit() {
    graph_.delegates = std::move(delegates_);
    graph_.nodes = std::move(nodes_);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const ValueId id : graph_.nodes[n].outs) graph_[id].source_index = static_cast<std::uint32_t>(n);
    }
    return std::move(report_);
  }

 private:
  void append_outside(std::int32_t after) {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (assignment_.delegate[n] == kOutside && assignment_.after[n] == after) nodes_.push_back(graph_.nodes[n]);
    }
  }

  std::vector<bool> used_outside(std::int32_t delegate) const {
    std::vector<bool> out(graph_.values.size(), false);
    const auto mark = [&](ValueId id) { out[ir::index_of(id)] = true; };
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (assignment_.delegate[n] == delegate) continue;
      const bool inside = assignment_.delegate[n] != kOutside;
      for (const ir::Arg& arg : graph_.nodes[n].args) {
        ir::for_each_value(arg, [&](ValueId id) {
          if (!inside || graph_[id].is_tensor()) mark(id);
        });
      }
    }
    for (const ir::Output& output : graph_.outputs) ir::for_each_value(output.value, mark);
    return out;
  }

  Result<std::optional<Problem>> append_delegate(std::int32_t d) {
    std::vector<std::size_t> members;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (assignment_.delegate[n] == d) members.push_back(n);
    }
    Cut cut(graph_, members);
    cut.run(used_outside(d));
    ETALON_TRY(Lowered lowered, lower(cut.take()), fmt::format("delegate {}", d));
    if (lowered.problem) {
      lowered.problem->node = cut.sources[lowered.problem->node];
      return lowered.problem;
    }
    lowered.report.inputs = static_cast<std::uint32_t>(cut.inputs.size());
    lowered.report.outputs = static_cast<std::uint32_t>(cut.outputs.size());
    lowered.report.input_bytes = bytes_of(graph_, cut.inputs);
    lowered.report.output_bytes = bytes_of(graph_, cut.outputs);
    report_.delegates.push_back(lowered.report);
    std::ranges::move(lowered.in_float, std::back_inserter(report_.in_float));
    for (const ValueId id : cut.outputs) lowered.delegate.out_types.push_back(graph_[id].type);
    delegates_.push_back(std::move(lowered.delegate));
    ir::Node call;
    call.op = &ir::call_delegate_op();
    call.args = {std::int64_t{d}, cut.inputs};
    call.outs = cut.outputs;
    for (const std::size_t n : members) {
      const std::vector<std::uint32_t>& handles = graph_.nodes[n].debug_handles;
      call.debug_handles.insert(call.debug_handles.end(), handles.begin(), handles.end());
    }
    nodes_.push_back(std::move(call));
    return std::optional<Problem>();
  }

  ir::Graph& graph_;
  const Assignment& assignment_;
  std::vector<ir::Node> nodes_;
  std::vector<ir::Delegate> delegates_;
  Report report_;
};

// Bytes that cross between a node outside and delegates.
std::int64_t border_bytes(const ir::Graph& graph, const Assignment& assignment, std::size_t n) {
  std::int64_t bytes = 0;
  for (const ir::Arg& arg : graph.nodes[n].args) {
    ir::for_each_value(arg, [&](ValueId id) {
      const ir::Value& value = graph[id];
      const bool from_delegate = value.source == ir::ValueSource::kNode && assignment.delegate[value.source_index] != kOutside;
      if (from_delegate && value.is_tensor()) bytes += value.tensor().nbytes();
    });
  }
  for (std::size_t c = n + 1; c < graph.nodes.size(); ++c) {
    if (assignment.delegate[c] == kOutside) continue;
    for (const ir::Arg& arg : graph.nodes[c].args) {
      ir::for_each_value(arg, [&](ValueId id) {
        const ir::Value& value = graph[id];
        if (value.is_tensor() && value.source == ir::ValueSource::kNode && value.source_index == n) bytes += value.tensor().nbytes();
      });
    }
  }
  return bytes;
}

bool is_free(const ir::Graph& graph, const ir::Node& node) {
  return node.op->has(ops::kSameElements) && node.outs.size() == 1 && !graph[node.outs[0]].tensor().is_dynamic();
}

std::vector<OutsideReport> explain(const ir::Graph& graph, const Assignment& assignment) {
  std::vector<OutsideReport> out;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!assignment.refusals[n] || is_weight(graph, graph.nodes[n])) continue;
    const ir::Node& node = graph.nodes[n];
    const Refusal& why = *assignment.refusals[n];
    out.push_back({node.op->functional_name, node.outs.empty() ? std::string() : graph[node.outs[0]].name, why.constraint, why.remedy,
                   border_bytes(graph, assignment, n), assignment.delegates - delegates_with(graph, assignment, n), is_free(graph, node)});
  }
  return out;
}

}  // namespace

Result<Report> delegate_graph(ir::Graph& graph) {
  ir::number_nodes(graph);
  ETALON_CHECKED(prepare(graph));
  std::vector<Refused> forced(graph.nodes.size());
  for (;;) {
    const Assignment assignment = partition(graph, forced);
    Rewriter rewriter(graph, assignment);
    ETALON_TRY(std::optional<Problem> problem, rewriter.lower_all());
    if (problem) {
      forced[problem->node] = std::move(problem->refusal);
      continue;
    }
    std::vector<OutsideReport> outside = explain(graph, assignment);
    Report report = rewriter.commit();
    report.outside = std::move(outside);
    remove_unused(graph);
    graph.compact();
    return report;
  }
}

}  // namespace etalon::xnnpack
