#include "emit/record.h"

#include "base/file.h"
#include "emit/edge_graph.h"
#include "formats/etrecord/etrecord.h"

namespace etalon::emit {

Status write_record(std::span<const ir::Graph> graphs, const Emitted& emitted, const std::string& path) {
  namespace etrecord = formats::etrecord;
  etrecord::Maps maps;
  std::vector<etrecord::GraphText> texts;
  for (std::size_t m = 0; m < graphs.size(); ++m) {
    const MethodReport& report = emitted.methods[m];
    etrecord::HandleMap& handles = maps.debug_handles[report.method];
    maps.delegates[report.method];
    maps.num_outs[report.method];
    for (std::size_t i = 0; i < report.node_of_instruction.size(); ++i) {
      const std::uint32_t node = report.node_of_instruction[i];
      if (node != kNoNode) handles[static_cast<std::int64_t>(i)] = {debug_handle_of(node)};
    }
    texts.push_back({"edge_dialect_exported_program/" + report.method, edge_graph_json(graphs[m])});
  }
  ETALON_TRY(FileWriter file, FileWriter::create(path));
  ETALON_CHECKED(etrecord::encode(maps, texts, file), path);
  return file.commit();
}

}  // namespace etalon::emit
