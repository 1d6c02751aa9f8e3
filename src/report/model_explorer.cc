// Model Explorer's files: the program as one graph per profile, and how long each of its nodes took, to colour them by.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "report/json_parts.h"
#include "report/text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::ModelFacts;
using analysis::NodeFacts;
using analysis::OperatorRow;
using analysis::Profile;
using analysis::Report;

std::string node_id(std::size_t index) { return fmt::format("n{}", index); }

// What computed each node; nodes that were fused into one event share it.
std::map<std::size_t, const OperatorRow*> operators_of_nodes(const Profile& profile, const ModelFacts& facts) {
  std::map<std::size_t, const OperatorRow*> rows;
  for (const OperatorRow& row : profile.operators) {
    for (const std::size_t node : row.nodes) {
      if (node < facts.nodes.size()) rows.emplace(node, &row);
    }
  }
  return rows;
}

void add(Json& list, const char* key, std::string_view value) {
  if (!value.empty()) list.push_back({{"key", key}, {"value", value}});
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

Json attributes_of(const NodeFacts& node, const OperatorRow* row) {
  Json list = Json::array();
  add(list, "backend", node.backend);
  add(list, "dtype", node.dtype);
  add(list, "inputs", joined(node.inputs));
  add(list, "outputs", joined(node.outputs));
  if (node.flops > 0) add(list, "MFLOP", fmt::format("{:.3f}", node.flops / 1e6));
  if (row == nullptr) return list;
  add(list, "time", milliseconds(row->avg_ms));
  add(list, "share", percent(row->share));
  add(list, "event", row->name);
  if (row->nodes.size() > 1) add(list, "nodes of the event", fmt::format("{}", row->nodes.size()));
  add(list, "kernel", row->kernel_hint);
  add(list, "isa", row->isa);
  if (row->gflops_per_second) add(list, "GFLOP/s", fmt::format("{:.1f}", *row->gflops_per_second));
  if (row->share_of_roof) add(list, "share of the roof", percent(*row->share_of_roof));
  if (row->source) add(list, "source", row->source->text());
  return list;
}

// "features/0/0" from "features.0.0", so that the viewer folds modules.
std::string layers_of(const OperatorRow* row) {
  if (row == nullptr || !row->source) return "";
  std::string path = row->source->module;
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

struct Producer {
  std::size_t node;
  std::size_t output;
};

Json edges_of(const NodeFacts& node, const std::map<std::int64_t, Producer>& producers) {
  Json edges = Json::array();
  for (std::size_t i = 0; i < node.reads.size(); ++i) {
    const auto from = producers.find(node.reads[i]);
    if (from == producers.end()) continue;  // an input of the program
    edges.push_back({{"sourceNodeId", node_id(from->second.node)}, {"sourceNodeOutputId", fmt::format("{}", from->second.output)}, {"targetNodeInputId", fmt::format("{}", i)}});
  }
  return edges;
}

Json graph_of(const Profile& profile, const ModelFacts& facts) {
  const auto rows = operators_of_nodes(profile, facts);
  std::map<std::int64_t, Producer> producers;  // of each value, so far
  Json nodes = Json::array();
  for (std::size_t i = 0; i < facts.nodes.size(); ++i) {
    const NodeFacts& node = facts.nodes[i];
    const auto row = rows.find(i);
    const OperatorRow* found = row == rows.end() ? nullptr : row->second;
    nodes.push_back({{"id", node_id(i)}, {"label", node.op}, {"namespace", layers_of(found)}, {"attrs", attributes_of(node, found)}, {"incomingEdges", edges_of(node, producers)}});
    for (std::size_t o = 0; o < node.writes.size(); ++o) producers[node.writes[o]] = {i, o};
  }
  return {{"id", profile.name}, {"nodes", std::move(nodes)}};
}

}  // namespace

std::string write_model_graph(const Report& report) {
  Json graphs = Json::array();
  for (const Profile& profile : report.profiles) {
    if (report.facts) graphs.push_back(graph_of(profile, *report.facts));
  }
  const Json root = {{"label", report.model}, {"graphs", std::move(graphs)}};
  return root.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string write_node_data(const Report& report) {
  Json root = Json::object();
  for (const Profile& profile : report.profiles) {
    // The time of a fused event stands at its first node, so that sums over a layer are right.
    std::map<std::size_t, double> ms;
    for (const OperatorRow& row : profile.operators) {
      if (report.facts && !row.nodes.empty() && row.nodes.front() < report.facts->nodes.size()) ms[row.nodes.front()] += row.avg_ms;
    }
    Json results = Json::object();
    for (const auto& [node, time] : ms) results[node_id(node)] = {{"value", time}};
    root[profile.name] = {{"name", "time, ms"},
                          {"results", std::move(results)},
                          {"gradient", {{{"stop", 0}, {"bgColor", "#f7fbff"}}, {{"stop", 0.5}, {"bgColor", "#fdae61"}}, {{"stop", 1}, {"bgColor", "#c8500a"}, {"textColor", "white"}}}}};
  }
  return root.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::report
