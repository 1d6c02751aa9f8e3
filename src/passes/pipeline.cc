#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "ir/verify.h"
#include "passes/pass.h"

namespace etalon::passes {

#define ETALON_PASS(pass) extern const Pass pass;
#include "passes/pipeline.def"
#undef ETALON_PASS

namespace {

constexpr const Pass* kPipeline[] = {
#define ETALON_PASS(pass) &pass,
#include "passes/pipeline.def"
#undef ETALON_PASS
};

Status check_names(const std::vector<std::string>& disabled) {
  for (const std::string& name : disabled) {
    if (std::ranges::none_of(kPipeline, [&](const Pass* pass) { return pass->name == name; })) {
      return not_found(fmt::format("there is no pass named {}", name));
    }
  }
  return {};
}

}  // namespace

std::span<const Pass* const> pipeline() { return kPipeline; }

Result<PassRecord> run_pass(const Pass& pass, ir::Graph& graph, bool verify) {
  PassRecord record{pass.name, 0, graph.nodes.size(), 0};
  ETALON_TRY(record.changes, pass.run(graph), fmt::format("pass {}", pass.name));
  graph.compact();
  record.nodes_after = graph.nodes.size();
  if (verify) ETALON_CHECKED(ir::verify(graph), fmt::format("after pass {}", pass.name));
  return record;
}

Result<std::vector<PassRecord>> run_pipeline(ir::Graph& graph, const PipelineOptions& options) {
  ETALON_CHECKED(check_names(options.disabled));
  if (options.verify) ETALON_CHECKED(ir::verify(graph), "as imported");
  std::vector<PassRecord> records;
  for (const Pass* pass : kPipeline) {
    if (std::ranges::find(options.disabled, pass->name) != options.disabled.end()) continue;
    ETALON_TRY(PassRecord record, run_pass(*pass, graph, options.verify));
    if (options.observer && record.changes > 0) options.observer(record, graph);
    records.push_back(record);
  }
  return records;
}

}  // namespace etalon::passes
