#include "frontend/pt2/needed_nodes.h"

#include <string>
#include <unordered_set>

#include "frontend/pt2/node_names.h"

namespace etalon::frontend {
namespace pt2 = formats::pt2;
namespace {

template <class Visit>
void visit_names(const pt2::Argument& argument, Visit&& visit) {
  if (const auto* v = argument.as<pt2::TensorArg>()) visit(v->name);
  if (const auto* v = argument.as<pt2::SymIntArg>()) visit(v->name);
  if (const auto* v = argument.as<pt2::SymFloatArg>()) visit(v->name);
  if (const auto* v = argument.as<pt2::SymBoolArg>()) visit(v->name);
  if (const auto* v = argument.as<pt2::TensorsArg>())
    for (const auto& name : v->names) visit(name);
  if (const auto* v = argument.as<pt2::OptionalTensorsArg>())
    for (const auto& name : v->names) visit(name);
  if (const auto* v = argument.as<pt2::SymIntsArg>())
    for (const auto& item : v->values) visit(item.name);
  if (const auto* v = argument.as<pt2::SymFloatsArg>())
    for (const auto& item : v->values) visit(item.name);
}

}  // namespace

std::vector<bool> needed_nodes(const pt2::Graph& program) {
  std::unordered_set<std::string> used;
  const auto use = [&](const std::string& name) { used.insert(name); };
  for (const pt2::Argument& output : program.outputs) visit_names(output, use);
  std::vector<bool> needed(program.nodes.size(), false);
  for (std::size_t i = program.nodes.size(); i-- > 0;) {
    const pt2::Node& node = program.nodes[i];
    const std::string name = functional_name(node.target);
    bool is_used = !without_underscore(name).empty() || name.starts_with("higher_order::");
    for (const pt2::Argument& output : node.outputs) {
      visit_names(output, [&](const std::string& out) { is_used = is_used || used.count(out) != 0; });
    }
    needed[i] = is_used && !is_check(name);
    if (!needed[i]) continue;
    for (const pt2::NamedArgument& input : node.inputs) visit_names(input.arg, use);
  }
  return needed;
}

}  // namespace etalon::frontend
