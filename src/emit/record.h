// The .etrecord beside a program: which graph node, and so which source line, each instruction came from.
#pragma once

#include <span>
#include <string>

#include "emit/program.h"
#include "ir/graph.h"

namespace etalon::emit {

// Writes the record of the graphs that emit_program() was given, in the same order. `edge_graphs` are the graphs before
// their nodes went to delegates, whose positions the nodes' debug handles are. Errors: those of the file.
Status write_record(std::span<const ir::Graph> graphs, std::span<const ir::Graph> edge_graphs, const Emitted& emitted,
                    const std::string& path);
// The same for graphs without delegates.
Status write_record(std::span<const ir::Graph> graphs, const Emitted& emitted, const std::string& path);

}  // namespace etalon::emit
