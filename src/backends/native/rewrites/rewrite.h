// Rewrites: small rules that turn a graph into one that computes the same in fewer or cheaper operations.
//
// A rule looks at one node and changes the graph around it; rewrites.def lists them. To add one: a file with
// the rule, its test beside it, and a line there.
#pragma once

#include "backends/native/graph.h"

namespace etalon::native {

// Tries to apply itself at nodes[index]; true if the graph changed, which it must have swept or refreshed
// then.
using RewriteRule = bool (*)(Graph& graph, std::size_t index);

#define REWRITE(rule) bool rule(Graph& graph, std::size_t index);
#include "backends/native/rewrites/rewrites.def"
#undef REWRITE

// Applies all rules, in order and again, until none applies.
void rewrite(Graph& graph);
// Applies one rule everywhere; for tests. True if it applied.
bool apply_everywhere(RewriteRule rule, Graph& graph);

}  // namespace etalon::native
