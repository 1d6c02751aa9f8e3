#include "cli/model_facts_cost.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/ceilings.h"
#include "cli/command.h"
#include "cli/model_facts.h"

namespace etalon::cli {
namespace {

using Json = nlohmann::ordered_json;
using analysis::NodeFacts;

// Layers whose arithmetic is of a higher order than their data: no engine can leave them out or hide them in others.
bool is_product(const NodeFacts& node) {
  static constexpr std::string_view kProducts[] = {
      "Conv2d",          "DepthwiseConv2d", "ConvTranspose2d",  "FullyConnected", "BatchMatrixMultiply",
      "aten::convolution.out", "aten::linear.out", "aten::mm.out", "aten::addmm.out", "aten::bmm.out",
      "ScaledDotProductAttention"};
  return std::find(std::begin(kProducts), std::end(kProducts), node.op) != std::end(kProducts);
}

std::string place_of(const NodeFacts& node) {
  return node.node < 0 ? std::to_string(node.instruction) : fmt::format("{}.{}", node.instruction, node.node);
}

std::string first_of(const std::vector<std::string>& texts) { return texts.empty() ? "" : texts[0]; }

Json node_json(const NodeCost& cost) {
  const NodeFacts& node = *cost.node;
  Json out = {{"instruction", node.instruction}, {"operator", node.op}};
  if (node.node >= 0) out.update({{"node", node.node}, {"backend", node.backend}});
  out.update({{"dtype", node.compute_dtype}, {"inputs", node.inputs}, {"outputs", node.outputs}});
  out.update({{"flops", node.flops},
              {"read_bytes", node.read_bytes},
              {"written_bytes", node.written_bytes},
              {"weight_bytes", node.weight_bytes}});
  if (!cost.roof) return out;
  out["least_ms"] = cost.roof->ms;
  out["bound"] = cost.roof->memory_bound ? "memory" : "compute";
  out["limit"] = cost.roof->limit;
  return out;
}

Json cost_json(const CostQuestion& question, const analysis::ModelFacts& facts, const ModelCost& cost) {
  Json out = {{"schema", "etalon.cost/1"}, {"file", question.program}, {"threads", question.threads}};
  if (!question.isa.empty()) out["isa"] = question.isa;
  out.update({{"flops", cost.flops}, {"bytes", cost.bytes}, {"parameters", facts.parameters}});
  out["planned_bytes"] = facts.planned_bytes;
  if (cost.products_ms) out["products_least_ms"] = *cost.products_ms;
  if (cost.all_ms) out["all_least_ms"] = *cost.all_ms;
  out["operators"] = Json::array();
  for (const NodeCost& node : cost.nodes) out["operators"].push_back(node_json(node));
  return out;
}

std::string node_line(const NodeCost& cost) {
  const NodeFacts& node = *cost.node;
  std::string line = fmt::format("  {:>8} {:<34} {:>10.2f} {:>10.1f}", place_of(node), node.op.substr(0, 34),
                                 node.flops / 1e6, cost.bytes / 1e3);
  line += cost.roof ? fmt::format(" {:>9.4f}  {:<18}", cost.roof->ms, cost.roof->limit) : fmt::format(" {:>9}  {:<18}", "-", "");
  return line + fmt::format("  {} -> {}\n", first_of(node.inputs), first_of(node.outputs));
}

std::string summary(const CostQuestion& question, const analysis::ModelFacts& facts, const ModelCost& cost) {
  std::string out = fmt::format("{:.3f} GFLOP, {:.1f} MB of traffic, {:.2f} M parameters, {:.1f} MB of planned memory\n",
                                cost.flops / 1e9, cost.bytes / 1e6, facts.parameters / 1e6, facts.planned_bytes / 1e6);
  if (!cost.all_ms) return out + "no least times: the ceilings of this machine are not known; run 'etalon peak'\n";
  return out + fmt::format("least time on this machine, {} thread{}: {:.3f} ms for the products alone, {:.3f} ms with every "
                           "operator's own traffic;\nconvolutions counted as they are defined, which Winograd's way undercuts\n",
                           question.threads, question.threads == 1 ? "" : "s", *cost.products_ms, *cost.all_ms);
}

}  // namespace

ModelCost cost_of(const analysis::ModelFacts& facts, const analysis::Ceilings* ceilings, const std::string& isa,
                  std::uint32_t threads) {
  ModelCost out;
  double products = 0, all = 0;
  for (const NodeFacts& node : facts.nodes) {
    NodeCost cost;
    cost.node = &node;
    cost.bytes = node.read_bytes + node.written_bytes + node.weight_bytes;
    if (ceilings != nullptr) {
      cost.roof = analysis::roof_of(*ceilings, node.flops, cost.bytes, node.compute_dtype, isa, threads);
      // A dtype without ceiling still moves its bytes.
      if (!cost.roof) cost.roof = analysis::roof_of(*ceilings, 0, cost.bytes, node.compute_dtype, isa, threads);
    }
    out.flops += node.flops;
    out.bytes += cost.bytes;
    const double ms = cost.roof ? cost.roof->ms : 0;
    all += ms;
    if (is_product(node)) products += ms;
    out.nodes.push_back(std::move(cost));
  }
  if (ceilings != nullptr) {
    out.products_ms = products;
    out.all_ms = all;
  }
  return out;
}

Result<int> show_cost(const CostQuestion& question, const Console& console) {
  ETALON_TRY(const analysis::ModelFacts facts, read_model_facts(question.program));
  const std::optional<analysis::Ceilings> ceilings = stored_ceilings();
  const ModelCost cost = cost_of(facts, ceilings ? &*ceilings : nullptr, question.isa, question.threads);
  if (question.json) {
    console.print(cost_json(question, facts, cost).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return kExitOk;
  }
  console.print(console.bold(fmt::format("  {:>8} {:<34} {:>10} {:>10} {:>9}  {:<18}  {}", "place", "operator", "MFLOP", "kB",
                                         "least ms", "limit", "shape")) + "\n");
  for (const NodeCost& node : cost.nodes) console.print(node_line(node));
  console.print(summary(question, facts, cost));
  return kExitOk;
}

}  // namespace etalon::cli
