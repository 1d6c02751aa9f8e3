#include <map>

#include "cli/inspect/describe.h"
#include "formats/etdump/etdump.h"
#include "formats/etrecord/etrecord.h"

namespace etalon::cli {
namespace {

namespace etdump = formats::etdump;

struct BlockSummary {
  int runs = 0;
  std::size_t profile_events = 0;
  std::size_t debug_events = 0;
  std::size_t delegate_events = 0;
};

void add_run(BlockSummary& block, const etdump::RunData& run) {
  ++block.runs;
  for (const etdump::Event& event : run.events) {
    if (const auto* profile = std::get_if<etdump::ProfileEvent>(&event)) {
      ++block.profile_events;
      block.delegate_events += profile->is_delegate_event() ? 1 : 0;
    }
    block.debug_events += std::holds_alternative<etdump::DebugEvent>(event) ? 1 : 0;
  }
}

}  // namespace

Result<Json> describe_etdump(Bytes file) {
  ETALON_TRY(const etdump::EtDump dump, etdump::decode(file));
  std::map<std::string, BlockSummary> blocks;
  for (const etdump::RunData& run : dump.runs) add_run(blocks[run.name], run);
  Json rows = Json::array();
  for (const auto& [name, block] : blocks) {
    rows.push_back({{"name", name},
                    {"runs", block.runs},
                    {"profile_events", block.profile_events},
                    {"delegate_events", block.delegate_events},
                    {"debug_events", block.debug_events}});
  }
  return Json{{"kind", "etdump"}, {"bytes", file.size()}, {"version", dump.version}, {"blocks", rows}};
}

Result<Json> describe_etrecord(Bytes file) {
  ETALON_TRY(const formats::etrecord::EtRecord record, formats::etrecord::decode(file));
  Json methods = Json::array();
  for (const auto& [method, handles] : record.maps.debug_handles) {
    methods.push_back({{"name", method}, {"instructions_with_handles", handles.size()}});
  }
  Json graphs = Json::array();
  for (const auto& graph : record.graphs) {
    std::size_t with_source = 0;
    for (const auto& node : graph.nodes) with_source += node.stack_trace.empty() ? 0 : 1;
    graphs.push_back({{"entry", graph.entry}, {"nodes", graph.nodes.size()}, {"nodes_with_source_line", with_source}});
  }
  return Json{{"kind", "etrecord"}, {"bytes", file.size()}, {"entries", record.entries}, {"methods", methods}, {"graphs", graphs}};
}

}  // namespace etalon::cli
