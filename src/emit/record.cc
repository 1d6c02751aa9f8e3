#include "emit/record.h"

#include "base/file.h"
#include "emit/edge_graph.h"
#include "formats/etrecord/etrecord.h"

namespace etalon::emit {

namespace {

std::vector<std::int64_t> handles_of(const ir::Graph& graph, std::uint32_t node) {
  const std::vector<std::uint32_t>& handles = graph.nodes[node].debug_handles;
  if (handles.empty() && graph.delegates.empty()) return {debug_handle_of(node)};
  return {handles.begin(), handles.end()};
}

}  // namespace

Status write_record(std::span<const ir::Graph> graphs, const Emitted& emitted, const std::string& path) {
  return write_record(graphs, graphs, emitted, path);
}

Status write_record(std::span<const ir::Graph> graphs, std::span<const ir::Graph> edge_graphs, const Emitted& emitted,
                    const std::string& path) {
  namespace etrecord = formats::etrecord;
  etrecord::Maps maps;
  std::vector<etrecord::GraphText> texts;
  for (std::size_t m = 0; m < graphs.size(); ++m) {
    const MethodReport& report = emitted.methods[m];
    etrecord::HandleMap& handles = maps.debug_handles[report.method];
    auto& delegates = maps.delegates[report.method];
    auto& num_outs = maps.num_outs[report.method];
    for (std::size_t i = 0; i < report.node_of_instruction.size(); ++i) {
      const std::uint32_t node = report.node_of_instruction[i];
      if (node == kNoNode) continue;
      const auto instruction = static_cast<std::int64_t>(i);
      if (std::vector<std::int64_t> of_node = handles_of(graphs[m], node); !of_node.empty()) handles[instruction] = std::move(of_node);
      // XNNPACK's delegate maps none of its events, so neither does the record.
      if (const ir::Node& call = graphs[m].nodes[node]; ir::is_delegate_call(*call.op)) {
        delegates[instruction] = {ir::delegate_of(graphs[m], call.args)->backend, {}};
        num_outs[instruction] = static_cast<std::int64_t>(call.outs.size());
      }
    }
    texts.push_back({"edge_dialect_exported_program/" + report.method, edge_graph_json(edge_graphs[m])});
  }
  ETALON_TRY(FileWriter file, FileWriter::create(path));
  ETALON_CHECKED(etrecord::encode(maps, texts, file), path);
  return file.commit();
}

}  // namespace etalon::emit
