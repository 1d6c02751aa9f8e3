// ETRecords (.etrecord): what a program was made from, so that events can be traced back to model code.
//
// Only JSON entries are read; the pickled companions are neither opened nor needed. decode() is total and
// copies what it keeps. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon {
class FileWriter;
}

namespace etalon::formats::etrecord {

// instruction index -> debug handles (nodes of the edge graph), for kernels one, for delegate calls many.
using HandleMap = std::map<std::int64_t, std::vector<std::int64_t>>;

struct DelegateInfo {
  std::string name;  // "XnnpackBackend"
  std::map<std::string, std::vector<std::int64_t>>
      handles;  // delegate event id (or a part of it) -> debug handles
};

// Per method name, then instruction index.
struct Maps {
  std::map<std::string, HandleMap> debug_handles;
  std::map<std::string, std::map<std::int64_t, DelegateInfo>> delegates;
  std::map<std::string, std::map<std::int64_t, std::int64_t>> num_outs;
};

struct NodeInfo {
  std::string name;
  std::string target;             // "executorch.exir.dialects.edge.ops.aten.relu.default"
  std::int64_t debug_handle = 0;  // 0: none
  std::string stack_trace;
  std::string nn_module_stack;
  std::string from_node;  // JSON text
};

struct GraphInfo {
  std::string entry;  // "edge_dialect_exported_program/forward"
  std::vector<NodeInfo> nodes;
};

struct EtRecord {
  std::vector<std::string> entries;  // names in archive order
  Maps maps;
  std::vector<GraphInfo> graphs;  // every JSON graph in the archive

  // The edge graph of a method, with the old name without suffix as second choice; null if there is none.
  const GraphInfo* edge_graph(const std::string& method) const;
};

// Errors: kInvalidInput, kResource.
Result<EtRecord> decode(Bytes file);

// ---- writing ----

struct GraphText {
  std::string entry;  // "edge_dialect_exported_program/forward"
  std::string json;
};

// The smallest record that Inspector accepts: identifier, the three maps, the graphs and their empty
// companions. Errors: kInvalidInput (no edge graph or no debug handles: Inspector would refuse it), and those
// of the file.
Status encode(const Maps& maps, const std::vector<GraphText>& graphs, FileWriter& file);

}  // namespace etalon::formats::etrecord
