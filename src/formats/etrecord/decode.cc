#include <charconv>

#include "formats/etrecord/etrecord.h"
#include "formats/json_reading.h"
#include "formats/zip/zip.h"

namespace etalon::formats::etrecord {
namespace {

using json::element;
using json::object;

constexpr std::string_view kIdentifier = "ETRECORD_V0";
constexpr std::string_view kEdgeGraph = "edge_dialect_exported_program";
constexpr std::string_view kExportedGraph = "exported_program";
constexpr std::uint64_t kMaxJson = std::uint64_t{1} << 30;

Result<std::int64_t> to_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return invalid_input(fmt::format("'{}' is not an integer", text));
  }
  return out;
}

// One handle or a list of them; null counts as none.
Result<std::vector<std::int64_t>> to_handles(element value) {
  if (value.is_null()) return std::vector<std::int64_t>();
  std::int64_t one = 0;
  if (value.get(one) == simdjson::SUCCESS) return std::vector{one};
  return json::to_list<std::int64_t>(value, "debug handle",
                                     [](element item) { return json::to_int(item, "handle"); });
}

Result<DelegateInfo> to_delegate(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "delegate"));
  DelegateInfo out;
  ETALON_TRY(out.name, json::text_or_empty(fields, "name"));
  ETALON_TRY(out.handles, json::map_or_empty<std::vector<std::int64_t>>(fields, "delegate_map", to_handles));
  return out;
}

// {method: {instruction: value}}
template <class T, class Convert>
Result<std::map<std::string, std::map<std::int64_t, T>>> to_method_map(Bytes text, Convert&& convert) {
  std::map<std::string, std::map<std::int64_t, T>> out;
  json::Document document;
  ETALON_CHECKED(document.parse(text));
  if (document.root().is_null()) return out;
  ETALON_TRY(const object methods, json::to_object(document.root(), "the map"));
  for (const auto method : methods) {
    auto& instructions = out[std::string(method.key)];
    if (method.value.is_null()) continue;
    ETALON_TRY(const object items, json::to_object(method.value, method.key));
    for (const auto item : items) {
      ETALON_TRY(const std::int64_t instruction, to_number(item.key), method.key);
      ETALON_TRY(T value, convert(item.value), fmt::format("{} {}", method.key, instruction));
      instructions.insert_or_assign(instruction, std::move(value));
    }
  }
  return out;
}

// Stands as a decimal string in today's records; whatever else is there means none.
std::int64_t debug_handle(object metadata) {
  const auto value = json::find(metadata, "debug_handle");
  if (!value) return 0;
  std::int64_t number = 0;
  if (value->get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS) return 0;
  const auto parsed = to_number(text);
  return parsed.ok() ? *parsed : 0;
}

Result<std::string> json_text(object metadata, std::string_view key) {
  const auto value = json::find(metadata, key);
  if (!value) return std::string();
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(*value);
}

Result<NodeInfo> to_node(element value) {
  ETALON_TRY(const object fields, json::to_object(value, "node"));
  NodeInfo out;
  ETALON_TRY(out.name, json::text_or_empty(fields, "name"));
  ETALON_TRY(out.target, json::text_or_empty(fields, "target"));
  const auto metadata_value = json::find(fields, "metadata");
  if (!metadata_value) return out;
  ETALON_TRY(const object metadata, json::to_object(*metadata_value, "metadata"));
  out.debug_handle = debug_handle(metadata);
  ETALON_TRY(out.stack_trace, json_text(metadata, "stack_trace"));
  ETALON_TRY(out.nn_module_stack, json_text(metadata, "nn_module_stack"));
  ETALON_TRY(out.from_node, json_text(metadata, "from_node"));
  return out;
}

Result<GraphInfo> to_graph(std::string_view entry, Bytes text) {
  json::Document document;
  ETALON_CHECKED(document.parse(text));
  ETALON_TRY(const object root, json::to_object(document.root(), "the graph"));
  ETALON_TRY(const object module, json::require_object(root, "graph_module"));
  ETALON_TRY(const object graph, json::require_object(module, "graph"));
  GraphInfo out;
  out.entry = entry;
  ETALON_TRY(out.nodes, json::list_or_empty<NodeInfo>(graph, "nodes", to_node));
  return out;
}

bool is_companion(std::string_view name) {
  return name.ends_with("_state_dict") || name.ends_with("_constants") || name.ends_with("_example_inputs");
}

// Graphs have fixed names or stand in a folder; everything else that we do not know is left alone.
bool is_graph(std::string_view name) {
  if (is_companion(name)) return false;
  return name == kEdgeGraph || name == kExportedGraph || name.find('/') != std::string_view::npos;
}

}  // namespace

const GraphInfo* EtRecord::edge_graph(const std::string& method) const {
  const std::string wanted = fmt::format("{}/{}", kEdgeGraph, method);
  const GraphInfo* old = nullptr;
  for (const GraphInfo& graph : graphs) {
    if (graph.entry == wanted) return &graph;
    if (graph.entry == kEdgeGraph) old = &graph;
  }
  return old;
}

Result<EtRecord> decode(Bytes file) {
  ETALON_TRY(const zip::ZipReader zip, zip::ZipReader::open(file));
  if (zip.find(kIdentifier) == nullptr) {
    return invalid_input(fmt::format("not an ETRecord: there is no entry '{}'", kIdentifier));
  }
  EtRecord out;
  for (const zip::Entry& entry : zip.entries()) {
    out.entries.emplace_back(entry.name);
    const bool graph = is_graph(entry.name);
    if (entry.is_folder() || entry.size == 0) continue;
    if (!graph && !entry.name.ends_with("_map")) continue;
    ETALON_TRY(const zip::Content text, zip::ZipReader::read(entry, kMaxJson));
    if (graph) {
      ETALON_TRY(GraphInfo info, to_graph(entry.name, text.bytes), entry.name);
      out.graphs.push_back(std::move(info));
    } else if (entry.name == "debug_handle_map") {
      ETALON_TRY(out.maps.debug_handles, to_method_map<std::vector<std::int64_t>>(text.bytes, to_handles),
                 entry.name);
    } else if (entry.name == "delegate_map") {
      ETALON_TRY(out.maps.delegates, to_method_map<DelegateInfo>(text.bytes, to_delegate), entry.name);
    } else if (entry.name == "instruction_id_to_num_outs_map") {
      const auto to_count = [](element value) { return json::to_int(value, "number of outputs"); };
      ETALON_TRY(out.maps.num_outs, to_method_map<std::int64_t>(text.bytes, to_count), entry.name);
    }
  }
  return out;
}

}  // namespace etalon::formats::etrecord
