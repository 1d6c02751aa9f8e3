#include "quantize/site.h"

#include <algorithm>
#include <array>

#include "quantize/composite.h"

namespace etalon::quantize {
namespace {

using enum Role;
using ir::NodeId;
using ir::ValueId;

constexpr std::optional<Params> kObserved = std::nullopt;
constexpr std::optional<Params> kUnitInterval = Params{1.0 / 256, -128};  // [0, 1)
constexpr std::optional<Params> kSymmetricUnit = Params{1.0 / 128, 0};    // [-1, 1)

constexpr OperatorRule kRules[] = {
#define ETALON_QUANTISED(op, role, name, params) {op, role, name, params},
#include "quantize/operators.def"
#undef ETALON_QUANTISED
};

constexpr std::size_t kConvWeight = 1, kConvBias = 2, kConvTransposed = 6, kConvGroups = 8;
constexpr std::size_t kAddmmInput = 1, kAddmmWeight = 2, kAddmmBeta = 3, kAddmmAlpha = 4;

const ir::Constant* fixed_constant(const ir::Graph& graph, const ir::Arg& arg) {
  const auto* id = std::get_if<ValueId>(&arg);
  const ir::Constant* constant = id && *id != ir::kNoValue ? graph.constant_of(*id) : nullptr;
  return constant && !constant->is_state ? constant : nullptr;
}

bool is_float_tensor(const ir::Graph& graph, ValueId id) {
  return graph[id].is_tensor() && graph[id].tensor().dtype == DType::kFloat32;
}

bool is_one(const ir::Arg& arg) {
  if (const auto* whole = std::get_if<std::int64_t>(&arg)) return *whole == 1;
  const auto* real = std::get_if<double>(&arg);
  return real != nullptr && *real == 1;
}

bool is_literal_number(const ir::Arg& arg) {
  return std::holds_alternative<std::int64_t>(arg) || std::holds_alternative<double>(arg) ||
         std::holds_alternative<std::monostate>(arg);
}

// Builds the sites of a graph; each add_ function gives false where the operator, as it stands, computes in
// float.
class Finder {
 public:
  explicit Finder(const ir::Graph& graph)
      : graph_(graph), uses_(graph.use_counts()), taken_(graph.nodes.size(), false) {}

  std::vector<Site> run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (auto found = match_composite(graph_, uses_, NodeId(n))) add_composite(std::move(*found));
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!taken_[n]) add_operator(n);
    }
    std::ranges::sort(sites_, {}, [](const Site& site) { return ir::index_of(site.nodes.front()); });
    return std::move(sites_);
  }

 private:
  void add_composite(Composite&& found) {
    for (const NodeId node : found.nodes) taken_[ir::index_of(node)] = true;
    Site site{kUnary,
              found.kind,
              std::move(found.nodes),
              {found.input},
              {},
              ir::kNoValue,
              ir::kNoValue,
              std::nullopt,
              {},
              {}};
    if (is_float_tensor(graph_, found.input)) finish(std::move(site));
  }

  void add_operator(std::size_t n) {
    const ir::Node& node = graph_.nodes[n];
    const OperatorRule* rule = find_rule(node.op->functional_name);
    if (rule == nullptr) return;
    Site site{rule->role, rule->name, {NodeId(n)}, {}, {}, ir::kNoValue, ir::kNoValue, rule->fixed, {}, {}};
    if (read_operands(node, site)) finish(std::move(site));
  }

  bool read_operands(const ir::Node& node, Site& site) const {
    switch (site.role) {
      case kConvolution:
        return read_convolution(node, site);
      case kLinear:
        return read_linear(node, site);
      case kBinary:
        return read_binary(node, site);
      case kConcat:
        return read_concat(node, site);
      case kClamp:
        return is_literal_clamp(node) && add_input(node.args[0], site);
      case kSame:
        if (site.kind == "pad" && !is_zero(node.args[2])) return false;
        return add_input(node.args[0], site);
      case kUnary:
        return add_input(node.args[0], site);
    }
    return false;
  }

  static bool is_zero(const ir::Arg& arg) {
    if (const auto* whole = std::get_if<std::int64_t>(&arg)) return *whole == 0;
    const auto* real = std::get_if<double>(&arg);
    return real != nullptr && *real == 0;
  }

  static bool is_literal_clamp(const ir::Node& node) {
    return std::all_of(node.args.begin() + 1, node.args.end(), is_literal_number);
  }

  bool add_input(const ir::Arg& arg, Site& site) const {
    const auto* id = std::get_if<ValueId>(&arg);
    if (id == nullptr || *id == ir::kNoValue || !is_float_tensor(graph_, *id) ||
        graph_.constant_of(*id) != nullptr)
      return false;
    if (std::ranges::find(site.inputs, *id) == site.inputs.end()) site.inputs.push_back(*id);
    return true;
  }

  bool read_weight(const ir::Arg& arg, Site& site) const {
    const ir::Constant* weight = fixed_constant(graph_, arg);
    if (weight == nullptr || weight->type.dtype != DType::kFloat32 || weight->data.bytes().empty())
      return false;
    site.weight = std::get<ValueId>(arg);
    return true;
  }

  bool read_convolution(const ir::Node& node, Site& site) const {
    const bool transposed = std::get<bool>(node.args[kConvTransposed]);
    const std::int64_t groups = std::get<std::int64_t>(node.args[kConvGroups]);
    if (!read_weight(node.args[kConvWeight], site) || (transposed && groups != 1)) return false;
    const std::size_t rank = graph_[site.weight].tensor().sizes.size();
    if (transposed) site.kind = "conv_transpose";
    if (!transposed && groups > 1 && graph_[site.weight].tensor().sizes[1] == 1) site.kind = "depthwise_conv";
    const bool bias_known = std::holds_alternative<std::monostate>(node.args[kConvBias]) ||
                            fixed_constant(graph_, node.args[kConvBias]);
    return (rank == 3 || rank == 4) && bias_known && add_input(node.args[0], site);
  }

  bool read_linear(const ir::Node& node, Site& site) const {
    const bool has_bias = node.args.size() > kAddmmWeight;
    const std::size_t first = has_bias ? kAddmmInput : 0;
    if (has_bias && (!is_one(node.args[kAddmmBeta]) || !is_one(node.args[kAddmmAlpha]))) return false;
    // A sum with a whole matrix is no bias.
    if (has_bias && (!fixed_constant(graph_, node.args[0]) ||
                     numel(graph_[std::get<ValueId>(node.args[0])].tensor().sizes) !=
                         graph_[node.outs[0]].tensor().sizes[1])) {
      return false;
    }
    return read_weight(node.args[first + 1], site) && add_input(node.args[first], site);
  }

  bool read_binary(const ir::Node& node, Site& site) const {
    if (node.args.size() > 2 && !is_one(node.args[2])) return false;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const ir::Constant* constant = fixed_constant(graph_, node.args[side]);
      if (constant == nullptr) {
        if (!add_input(node.args[side], site)) return false;
        continue;
      }
      if (constant->type.dtype != DType::kFloat32 || constant->data.bytes().empty()) return false;
      site.constant = std::get<ValueId>(node.args[side]);
    }
    return !site.inputs.empty();
  }

  bool read_concat(const ir::Node& node, Site& site) const {
    const auto* parts = std::get_if<ir::ValueIds>(&node.args[0]);
    return parts != nullptr &&
           std::ranges::all_of(*parts, [&](ValueId part) { return add_input(part, site); });
  }

  // The clamp that is the only use of a result, and can be computed along with it.
  void fuse_clamp(Site& site) {
    const bool can_clamp = site.role == kConvolution || site.role == kLinear || site.role == kBinary;
    if (!can_clamp || uses_[ir::index_of(site.outputs[0])] != 1) return;
    for (std::size_t n = ir::index_of(site.nodes.back()) + 1; n < graph_.nodes.size(); ++n) {
      const ir::Node& node = graph_.nodes[n];
      const auto* read = node.args.empty() ? nullptr : std::get_if<ValueId>(&node.args[0]);
      if (taken_[n] || read == nullptr || *read != site.outputs[0]) continue;
      const OperatorRule* rule = find_rule(node.op->functional_name);
      if (rule == nullptr || rule->role != kClamp || !is_literal_clamp(node)) return;
      taken_[n] = true;
      site.nodes.push_back(NodeId(n));
      site.outputs = node.outs;
      site.clamp = rule->name;
      return;
    }
  }

  void finish(Site site) {
    const ir::Node& last = graph_.nodes[ir::index_of(site.nodes.back())];
    site.outputs = last.outs;
    if (site.kind == "max_pool2d") {
      if (uses_[ir::index_of(last.outs[1])] != 0) return;
      site.outputs.resize(1);
    }
    if (site.outputs.empty() ||
        !std::ranges::all_of(site.outputs, [&](ValueId id) { return is_float_tensor(graph_, id); }))
      return;
    fuse_clamp(site);
    for (const NodeId node : site.nodes) taken_[ir::index_of(node)] = true;
    site.name = graph_[site.outputs[0]].name;
    sites_.push_back(std::move(site));
  }

  const ir::Graph& graph_;
  std::vector<std::uint32_t> uses_;
  std::vector<bool> taken_;
  std::vector<Site> sites_;
};

}  // namespace

const OperatorRule* find_rule(std::string_view functional_name) {
  const auto* found = std::ranges::find(kRules, functional_name, &OperatorRule::op);
  return found == std::end(kRules) ? nullptr : found;
}

std::vector<std::string_view> rule_names() {
  std::vector<std::string_view> names{"hardswish", "hardsigmoid", "silu", "conv_transpose", "depthwise_conv"};
  for (const OperatorRule& rule : kRules) {
    if (std::ranges::find(names, rule.name) == names.end()) names.push_back(rule.name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<Site> find_sites(const ir::Graph& graph) { return Finder(graph).run(); }

}  // namespace etalon::quantize
