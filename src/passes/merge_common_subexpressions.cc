// Computes equal expressions once: same operator, same arguments. Constants with the same bytes count as the same.
#include <fmt/core.h>

#include <map>
#include <string>

#include "passes/pass.h"

namespace etalon::passes {
namespace {

constexpr std::size_t kSmallConstant = 64;  // bytes; lifted literals, which decompositions repeat

// A key that is equal exactly for equal arguments.
class KeyBuilder {
 public:
  explicit KeyBuilder(const ir::Graph& graph) : graph_(graph) {}

  std::string key_of(const ir::Node& node) {
    std::string key = node.op->functional_name;
    for (const ir::Arg& arg : node.args) append(key, arg);
    return key;
  }

 private:
  void append(std::string& key, const ir::Arg& arg) const {
    key += fmt::format("|{}:", arg.index());
    if (const auto* v = std::get_if<bool>(&arg)) key += *v ? '1' : '0';
    if (const auto* v = std::get_if<std::int64_t>(&arg)) key += fmt::format("{}", *v);
    if (const auto* v = std::get_if<double>(&arg)) key += fmt::format("{:a}", *v);
    if (const auto* v = std::get_if<std::string>(&arg)) key += fmt::format("{}'{}", v->size(), *v);
    if (const auto* v = std::get_if<ir::ValueId>(&arg)) append(key, *v);
    if (const auto* v = std::get_if<ir::IntItems>(&arg)) {
      for (const ir::IntItem& item : *v) {
        key += fmt::format("{},", item.value);
        append(key, item.symbol);
      }
    }
    if (const auto* v = std::get_if<std::vector<double>>(&arg)) {
      for (const double item : *v) key += fmt::format("{:a},", item);
    }
    if (const auto* v = std::get_if<std::vector<bool>>(&arg)) {
      for (const bool item : *v) key += item ? '1' : '0';
    }
    if (const auto* v = std::get_if<ir::ValueIds>(&arg)) {
      for (const ir::ValueId id : *v) append(key, id);
    }
  }

  void append(std::string& key, ir::ValueId id) const {
    if (id == ir::kNoValue) {
      key += "-";
      return;
    }
    const ir::Constant* constant = graph_.constant_of(id);
    const Bytes bytes = constant ? constant->data.bytes() : Bytes{};
    if (constant && !constant->is_state && bytes.size() <= kSmallConstant) {
      key += fmt::format("c{}{}={}", static_cast<int>(constant->type.dtype), to_string(constant->type.sizes), as_text(bytes));
    } else {
      key += fmt::format("%{}", ir::index_of(id));
    }
  }

  const ir::Graph& graph_;
};

Result<std::uint32_t> run(ir::Graph& graph) {
  constexpr std::uint32_t kNever = ops::kRandom | ops::kMutatesSelf;
  std::map<std::string, ir::ValueIds> seen;
  std::map<ir::ValueId, ir::ValueId> same;
  std::uint32_t merged = 0;
  KeyBuilder keys(graph);
  // One forward sweep: arguments are renamed before a node is looked up, so equal chains collapse from the top.
  const auto rename = [&](ir::ValueId& id) {
    if (const auto found = same.find(id); found != same.end()) id = found->second;
  };
  for (ir::Node& node : graph.nodes) {
    if (node.dead) continue;
    for (ir::Arg& arg : node.args) ir::for_each_value(arg, rename);
    if ((node.op->def->traits & kNever) != 0) continue;
    const auto [found, is_new] = seen.emplace(keys.key_of(node), node.outs);
    if (is_new) continue;
    for (std::size_t i = 0; i < node.outs.size(); ++i) same[node.outs[i]] = found->second[i];
    node.dead = true;
    ++merged;
  }
  for (ir::Output& output : graph.outputs) ir::for_each_value(output.value, rename);
  return merged;
}

}  // namespace

extern const Pass kMergeCommonSubexpressions;
constinit const Pass kMergeCommonSubexpressions{"merge-common-subexpressions", "compute equal expressions once", run};

}  // namespace etalon::passes
