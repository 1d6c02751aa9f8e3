#include "ir/verify.h"

#include <fmt/core.h>

#include <string_view>
#include <unordered_set>

#include "ir/frame.h"
#include "ir/text.h"

namespace etalon::ir {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), defined_(graph.values.size(), false) {}

  Status run() {
    ETALON_CHECKED(check_names());
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].source != ValueSource::kNode) defined_[i] = true;
    }
    for (const Node& node : graph_.nodes) {
      if (node.dead) continue;
      ETALON_CHECKED(check_node(node), fmt::format("graph {}: node {}", graph_.method, describe(node)));
    }
    return check_outputs();
  }

 private:
  // Both sides are views: a mixed pair would make a temporary string, and a view of nothing.
  static std::string_view describe(const Node& node) {
    return node.op != nullptr ? std::string_view(node.op->functional_name) : std::string_view("without operator");
  }

  Status check_names() const {
    std::unordered_set<std::string_view> names;
    for (const Value& value : graph_.values) {
      if (!names.insert(value.name).second) return internal_error(fmt::format("graph {}: two values are named {}", graph_.method, value.name));
    }
    return {};
  }

  Status check_use(ValueId id) const {
    if (index_of(id) >= graph_.values.size()) return internal_error(fmt::format("value id {} is out of range", index_of(id)));
    if (!defined_[index_of(id)]) return internal_error(fmt::format("value {} is used before it is defined", graph_[id].name));
    return {};
  }

  Status check_node(const Node& node) {
    if (node.op == nullptr) return internal_error("no operator");
    Status uses;
    for (const Arg& arg : node.args) {
      for_each_value(arg, [&](ValueId id) {
        if (uses.ok()) uses = check_use(id);
      });
    }
    ETALON_CHECKED(std::move(uses));
    ETALON_TRY(const std::vector<Type> types, infer_types(graph_, *node.op, node.args));
    if (types.size() != node.outs.size()) {
      return internal_error(fmt::format("has {} outputs, the operator gives {}", node.outs.size(), types.size()));
    }
    for (std::size_t i = 0; i < types.size(); ++i) {
      const Value& out = graph_[node.outs[i]];
      if (!(out.type == types[i])) {
        return internal_error(fmt::format("output {} is {}, the operator gives {}", out.name, to_text(out.type), to_text(types[i])));
      }
      defined_[index_of(node.outs[i])] = true;
    }
    return {};
  }

  Status check_outputs() const {
    for (const Output& output : graph_.outputs) {
      Status use;
      for_each_value(output.value, [&](ValueId id) { use = check_use(id); });
      ETALON_CHECKED(std::move(use), fmt::format("graph {}: output", graph_.method));
      if (output.kind == Output::Kind::kStateUpdate && index_of(output.state) >= graph_.constants.size()) {
        return internal_error(fmt::format("graph {}: state {} is out of range", graph_.method, index_of(output.state)));
      }
    }
    return {};
  }

  const Graph& graph_;
  std::vector<bool> defined_;
};

}  // namespace

Status verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace etalon::ir
