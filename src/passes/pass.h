// A pass rewrites a graph without changing what it computes. One file each, listed in pipeline.def in running order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace etalon::passes {

struct Pass {
  std::string_view name;     // kebab-case, for --disable-pass
  std::string_view summary;  // one line
  // Rewrites the graph and returns how many places changed. The caller compacts the graph afterwards.
  Result<std::uint32_t> (*run)(ir::Graph& graph);
};

struct PassRecord {
  std::string_view name;
  std::uint32_t changes = 0;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
};

struct PipelineOptions {
  std::vector<std::string> disabled;  // names of passes to leave out
  bool verify = false;                // check the graph after every pass
  // Called after each pass that changed something; for --save-graph and tests.
  std::function<void(const PassRecord&, const ir::Graph&)> observer;
};

std::span<const Pass* const> pipeline();

// Runs the pipeline. kNotFound for a disabled name that does not exist; kInternal if a pass broke the graph.
Result<std::vector<PassRecord>> run_pipeline(ir::Graph& graph, const PipelineOptions& options = {});
Result<PassRecord> run_pass(const Pass& pass, ir::Graph& graph, bool verify);

}  // namespace etalon::passes
