// A graph as ExecuTorch's edge-dialect JSON (formats.md 4.2), for the record beside a program.
#pragma once

#include <string>

#include "ir/graph.h"

namespace etalon::emit {

// The debug handle of a node: its position plus one, because 0 means "none".
inline std::int64_t debug_handle_of(std::size_t node) { return static_cast<std::int64_t>(node) + 1; }

// Shapes are written at their upper bounds. Operators that return numbers (sizes at run time) are left out: their results
// appear as literals. The result is a complete ExportedProgram text.
std::string edge_graph_json(const ir::Graph& graph);

}  // namespace etalon::emit
