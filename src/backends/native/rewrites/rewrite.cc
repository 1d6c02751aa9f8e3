#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

constexpr RewriteRule kRules[] = {
#define REWRITE(rule) &rule,
#include "backends/native/rewrites/rewrites.def"
#undef REWRITE
    nullptr,
};

// Rules only ever shrink a graph or move work towards products, so these are safeguards and not limits.
constexpr int kMaxRounds = 100;
constexpr std::size_t kApplicationsPerNode = 16;

}  // namespace

bool apply_everywhere(RewriteRule rule, Graph& graph) {
  bool changed = false;
  std::size_t budget = kApplicationsPerNode * (graph.nodes.size() + 1);
  for (std::size_t i = 0; i < graph.nodes.size() && budget > 0;) {
    if (rule(graph, i)) {
      changed = true;
      --budget;
      i = i > 8 ? i - 8 : 0;  // nodes before this one may have gone
    } else {
      ++i;
    }
  }
  return changed;
}

void rewrite(Graph& graph) {
  graph.refresh();
  for (int round = 0; round < kMaxRounds; ++round) {
    bool changed = false;
    for (const RewriteRule rule : kRules) changed |= rule != nullptr && apply_everywhere(rule, graph);
    if (!changed) return;
  }
}

}  // namespace etalon::native
