// Sends as much of a graph as possible to XNNPACK: nodes become calls of delegates whose payloads are XNNGraphs, which
// ExecuTorch's XNNPACK backend and our native engine run alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace etalon::xnnpack {

struct DelegateReport {
  std::uint32_t operators = 0;      // of the graph
  std::uint32_t payload_nodes = 0;  // of the XNNGraph
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;
  std::int64_t input_bytes = 0;     // crossing on every run
  std::int64_t output_bytes = 0;
  std::int64_t constant_bytes = 0;
  std::int64_t flops = 0;
};

// One operator that was left outside.
struct OutsideReport {
  std::string op;           // functional name
  std::string result;       // name of its first result
  std::string constraint;   // what failed, with found and wanted
  std::string remedy;       // the smallest change that would help; may be empty
  std::int64_t border_bytes = 0;  // that cross between it and delegates on every run
  std::int32_t extra_delegates = 0;  // how many fewer there would be if it could be delegated
  bool is_free = false;     // a view that needs no instruction
};

// One operator inside a delegate that computes in floats though what it reads is quantised.
struct FloatReport {
  std::string op;
  std::string result;
  std::string why;
};

struct Report {
  std::vector<DelegateReport> delegates;
  std::vector<FloatReport> in_float;   // in execution order
  std::vector<OutsideReport> outside;  // in execution order
};

inline constexpr const char* kBackendId = "XnnpackBackend";

// Rewrites the graph in place: numbers its nodes, recognises what XNNPACK has whole, and replaces what can be delegated.
// The graph must be compact and verified; it is so afterwards. Weights that only delegates use leave the graph.
// Errors: kInternal (a lowering that accepted a node failed).
Result<Report> delegate_graph(ir::Graph& graph);

}  // namespace etalon::xnnpack
