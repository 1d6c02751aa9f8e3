#include "quantize/selection.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace etalon::quantize {
namespace {

bool fits(std::string_view pattern, std::string_view text) {
  // The classic two-finger match: on a mismatch, the last star takes one character more.
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == '*'; });
}

// "aten::mean.dim" -> "mean"
std::string_view base_name(std::string_view functional_name) {
  if (const auto colon = functional_name.rfind(':'); colon != std::string_view::npos)
    functional_name.remove_prefix(colon + 1);
  return functional_name.substr(0, functional_name.find('.'));
}

bool fits_module(std::string_view pattern, std::string_view parameter) {
  for (std::size_t dot = parameter.find('.'); dot != std::string_view::npos;
       dot = parameter.find('.', dot + 1)) {
    if (fits(pattern, parameter.substr(0, dot))) return true;
  }
  return fits(pattern, parameter);
}

bool gives(const ir::Graph& graph, const Site& site, std::string_view result) {
  for (const ir::NodeId id : site.nodes) {
    for (const ir::ValueId out : graph.nodes[ir::index_of(id)].outs) {
      if (graph[out].name == result) return true;
    }
  }
  return false;
}

}  // namespace

bool matches(const ir::Graph& graph, const Site& site, std::string_view pattern) {
  if (pattern.starts_with('=')) return gives(graph, site, pattern.substr(1));
  if (fits(pattern, site.kind)) return true;
  if (site.weight != ir::kNoValue && fits_module(pattern, graph[site.weight].name)) return true;
  for (const ir::NodeId id : site.nodes) {
    const ir::Node& node = graph.nodes[ir::index_of(id)];
    const std::string& op = node.op->functional_name;
    if (fits(pattern, op) || fits(pattern, base_name(op)) || fits(pattern, node.origin.source_name) ||
        fits(pattern, base_name(node.origin.source_op))) {
      return true;
    }
    for (const ir::ValueId out : node.outs) {
      if (fits(pattern, graph[out].name)) return true;
    }
  }
  return false;
}

Status check_selection(const ir::Graph& graph, const std::vector<Site>& sites, const Selection& selection) {
  for (const auto* patterns : {&selection.skip, &selection.only}) {
    for (const std::string& pattern : *patterns) {
      if (std::ranges::any_of(sites, [&](const Site& site) { return matches(graph, site, pattern); }))
        continue;
      std::set<std::string_view> kinds;
      for (const Site& site : sites) kinds.insert(site.kind);
      std::string known;
      for (const std::string_view kind : kinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", kind);
      return not_found(
          fmt::format("nothing that can be quantised is called '{}'; there are names of results and weights, "
                      "and the kinds {}",
                      pattern, known.empty() ? "(none)" : known));
    }
  }
  return {};
}

bool is_selected(const ir::Graph& graph, const Site& site, const Selection& selection) {
  const auto fits_site = [&](const std::string& pattern) { return matches(graph, site, pattern); };
  if (std::ranges::any_of(selection.skip, fits_site)) return false;
  return selection.only.empty() || std::ranges::any_of(selection.only, fits_site);
}

}  // namespace etalon::quantize
