#include <nlohmann/json.hpp>

#include "base/file.h"
#include "formats/etrecord/etrecord.h"
#include "formats/zip/zip.h"

namespace etalon::formats::etrecord {
namespace {

using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 become replacement characters; the other choice of the library is to throw.
std::string dump(const Json& value) { return value.dump(-1, ' ', true, Json::error_handler_t::replace); }

bool is_delegate_call(const Maps& maps, const std::string& method, std::int64_t instruction) {
  const auto it = maps.delegates.find(method);
  return it != maps.delegates.end() && it->second.contains(instruction);
}

// A plain number for a kernel, a list for a delegate call, as ExecuTorch writes it.
std::string debug_handle_text(const Maps& maps) {
  Json out = Json::object();
  for (const auto& [method, instructions] : maps.debug_handles) {
    Json& to = out[method] = Json::object();
    for (const auto& [instruction, handles] : instructions) {
      const bool single = handles.size() == 1 && !is_delegate_call(maps, method, instruction);
      to[std::to_string(instruction)] = single ? Json(handles.front()) : Json(handles);
    }
  }
  return dump(out);
}

std::string delegate_text(const Maps& maps) {
  Json out = Json::object();
  for (const auto& [method, instructions] : maps.delegates) {
    Json& to = out[method] = Json::object();
    for (const auto& [instruction, info] : instructions) {
      Json handles = Json::object();
      for (const auto& [id, list] : info.handles) handles[id] = list;
      to[std::to_string(instruction)] = {{"name", info.name}, {"delegate_map", handles}};
    }
  }
  return dump(out);
}

// Methods without delegate calls need their entry too: Inspector looks the method up.
std::string num_outs_text(const Maps& maps) {
  Json out = Json::object();
  for (const auto& [method, handles] : maps.debug_handles) out[method] = Json::object();
  for (const auto& [method, instructions] : maps.num_outs) {
    Json& to = out[method] = Json::object();
    for (const auto& [instruction, count] : instructions) to[std::to_string(instruction)] = count;
  }
  return dump(out);
}

Status check(const Maps& maps, const std::vector<GraphText>& graphs) {
  if (maps.debug_handles.empty())
    return invalid_input("an ETRecord needs debug handles of at least one method");
  for (const GraphText& graph : graphs) {
    if (graph.entry.starts_with("edge_dialect_exported_program")) return {};
  }
  return invalid_input("an ETRecord needs a graph 'edge_dialect_exported_program/<method>'");
}

}  // namespace

Status encode(const Maps& maps, const std::vector<GraphText>& graphs, FileWriter& file) {
  ETALON_CHECKED(check(maps, graphs));
  zip::ZipWriter zip(file);
  ETALON_CHECKED(zip.add("ETRECORD_V0", Bytes()));
  for (const GraphText& graph : graphs) {
    ETALON_CHECKED(zip.add(graph.entry, graph.json));
    for (const char* companion : {"_state_dict", "_constants", "_example_inputs"}) {
      ETALON_CHECKED(zip.add(graph.entry + companion, Bytes()));
    }
  }
  ETALON_CHECKED(zip.add("debug_handle_map", debug_handle_text(maps)));
  ETALON_CHECKED(zip.add("delegate_map", delegate_text(maps)));
  ETALON_CHECKED(zip.add("instruction_id_to_num_outs_map", num_outs_text(maps)));
  return zip.finish();
}

}  // namespace etalon::formats::etrecord
