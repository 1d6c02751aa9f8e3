#include "quantize/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

namespace etalon::quantize {
namespace {

using ir::ValueId;

constexpr std::uint32_t kNoSite = 0xFFFFFFFFu;

bool has_weight(const Site& site) { return site.role == Role::kConvolution || site.role == Role::kLinear; }

// Which sites give and read each value.
struct Wiring {
  std::vector<std::uint32_t> giver;                 // by value
  std::vector<std::vector<std::uint32_t>> readers;  // by value

  Wiring(const ir::Graph& graph, const std::vector<Site>& sites)
      : giver(graph.values.size(), kNoSite), readers(graph.values.size()) {
    for (std::uint32_t s = 0; s < sites.size(); ++s) {
      for (const ValueId out : sites[s].outputs) giver[ir::index_of(out)] = s;
      for (const ValueId in : sites[s].inputs) readers[ir::index_of(in)].push_back(s);
    }
  }
};

class Planner {
 public:
  Planner(const ir::Graph& graph, const Options& options) : graph_(graph), options_(options) {}

  Result<Plan> run() {
    ETALON_CHECKED(check_not_quantised(graph_));
    plan_.dynamic = options_.dynamic;
    plan_.per_channel = options_.per_channel;
    plan_.sites = find_sites(graph_);
    plan_.float_why.resize(plan_.sites.size());
    ETALON_CHECKED(check_selection(graph_, plan_.sites, options_.selection));
    for (std::size_t s = 0; s < plan_.sites.size(); ++s) plan_.float_why[s] = why_float(plan_.sites[s]);
    settle();
    if (plan_.quantised_count() == 0) return invalid_input(nothing_to_quantise());
    return std::move(plan_);
  }

  Plan run_without(const Plan& plan, std::size_t site) {
    plan_ = plan;
    plan_.float_why[site] = "left out for comparison";
    plan_.groups.clear();
    settle();
    return std::move(plan_);
  }

 private:
  void settle() {
    plan_.group_of.assign(graph_.values.size(), kNoGroup);
    if (options_.dynamic) return;
    leave_out_islands();
    make_groups();
  }

  std::string why_float(const Site& site) const {
    if (!is_selected(graph_, site, options_.selection)) return "left out by --quant-skip or --quant-only";
    if (!options_.dynamic) return {};
    if (!has_weight(site)) return "dynamic quantisation takes convolutions and linear layers only";
    if (site.kind == "depthwise_conv") return "a depthwise convolution has no dynamic int8 kernel";
    if (site.role == Role::kConvolution) {
      constexpr std::size_t kGroups = 8;
      const ir::Node& node = graph_.nodes[ir::index_of(site.nodes.front())];
      if (std::get<std::int64_t>(node.args[kGroups]) != 1)
        return "a convolution in groups has no dynamic int8 kernel";
      if (graph_[site.weight].tensor().sizes.size() != 4)
        return "a convolution over one dim has no dynamic int8 kernel";
    }
    return {};
  }

  std::string nothing_to_quantise() const {
    if (plan_.sites.empty())
      return "nothing can be quantised: there is no convolution or linear layer with constant weights in "
             "float32";
    const auto why =
        std::ranges::find_if(plan_.float_why, [](const std::string& text) { return !text.empty(); });
    return fmt::format(
        "nothing is left to quantise: of {} operators that could be, {} stays in float because: {}",
        plan_.sites.size(), plan_.sites[static_cast<std::size_t>(why - plan_.float_why.begin())].name, *why);
  }

  // Removing one site may isolate its neighbours, so this repeats until nothing changes.
  void leave_out_islands() {
    const Wiring wiring(graph_, plan_.sites);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t s = 0; s < plan_.sites.size(); ++s) {
        if (has_weight(plan_.sites[s]) || !plan_.is_quantised(s)) continue;
        plan_.float_why[s] = why_island(wiring, plan_.sites[s]);
        changed = changed || !plan_.is_quantised(s);
      }
    }
  }

  std::string why_island(const Wiring& wiring, const Site& site) const {
    const auto is_int8 = [&](std::uint32_t s) { return s != kNoSite && plan_.is_quantised(s); };
    for (const ValueId in : site.inputs) {
      if (!is_int8(wiring.giver[ir::index_of(in)]))
        return fmt::format("it reads {}, which is not int8", graph_[in].name);
    }
    for (const ValueId out : site.outputs) {
      if (std::ranges::any_of(wiring.readers[ir::index_of(out)], is_int8)) return {};
    }
    return "nothing in int8 reads its result";
  }

  // -- Groups: a union of values over the sites that keep parameters.

  std::uint32_t root(std::uint32_t value) {
    while (parent_[value] != value) value = parent_[value] = parent_[parent_[value]];
    return value;
  }
  void join(ValueId a, ValueId b) {
    const auto x = root(static_cast<std::uint32_t>(a)), y = root(static_cast<std::uint32_t>(b));
    parent_[std::max(x, y)] = std::min(x, y);
  }

  void make_groups() {
    parent_.resize(graph_.values.size());
    std::iota(parent_.begin(), parent_.end(), 0u);
    std::vector<bool> member(graph_.values.size(), false), derived(graph_.values.size(), false);
    std::vector<const Site*> giver(graph_.values.size(), nullptr);
    for (std::size_t s = 0; s < plan_.sites.size(); ++s) {
      if (!plan_.is_quantised(s)) continue;
      const Site& site = plan_.sites[s];
      const bool keeps = site.role == Role::kSame || site.role == Role::kClamp || site.role == Role::kConcat;
      for (const ValueId in : site.inputs) {
        member[ir::index_of(in)] = true;
        if (keeps) join(in, site.outputs[0]);
      }
      for (const ValueId out : site.outputs) {
        member[ir::index_of(out)] = true;
        derived[ir::index_of(out)] = keeps;
        giver[ir::index_of(out)] = &site;
        if (keeps) join(out, site.outputs[0]);
      }
    }
    collect_groups(member, derived, giver);
  }

  void collect_groups(const std::vector<bool>& member, const std::vector<bool>& derived,
                      const std::vector<const Site*>& giver) {
    std::vector<std::uint32_t> place(graph_.values.size(), kNoGroup);
    for (std::uint32_t v = 0; v < graph_.values.size(); ++v) {
      if (!member[v]) continue;
      std::uint32_t& group = place[root(v)];
      if (group == kNoGroup) {
        group = static_cast<std::uint32_t>(plan_.groups.size());
        plan_.groups.emplace_back();
      }
      plan_.group_of[v] = group;
      plan_.groups[group].values.push_back(ValueId(v));
      if (!derived[v]) plan_.groups[group].observed.push_back(ValueId(v));
    }
    for (Group& group : plan_.groups) {
      // A known range holds for the group if nothing else contributes to it.
      if (group.observed.size() != 1) continue;
      const Site* site = giver[ir::index_of(group.observed[0])];
      if (site != nullptr && site->clamp.empty()) group.fixed = site->fixed;
    }
  }

  const ir::Graph& graph_;
  const Options& options_;
  Plan plan_;
  std::vector<std::uint32_t> parent_;
};

}  // namespace

std::size_t Plan::quantised_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(float_why, [](const std::string& why) { return why.empty(); }));
}

Status check_not_quantised(const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes) {
    const std::string_view name = node.op->functional_name;
    if (!name.starts_with("quantized_decomposed::") && !name.starts_with("torchao::")) continue;
    return unsupported(
        fmt::format("the model is quantised already (it has {}); export it without --dtype int8", name));
  }
  for (const ir::Constant& constant : graph.constants) {
    if (constant.type.dtype == DType::kFloat16 || constant.type.dtype == DType::kBFloat16) {
      return unsupported(fmt::format("{} is {}; int8 starts from a float32 model", constant.name,
                                     name_of(constant.type.dtype)));
    }
  }
  return {};
}

Plan without_site(const ir::Graph& graph, const Plan& plan, std::size_t site) {
  const Options options{.dynamic = plan.dynamic, .per_channel = plan.per_channel};
  return Planner(graph, options).run_without(plan, site);
}

std::vector<Params> params_for(const Plan& smaller, const Plan& plan, std::span<const Params> params) {
  std::vector<Params> out;
  for (const Group& group : smaller.groups)
    out.push_back(params[plan.group_of[ir::index_of(group.values[0])]]);
  return out;
}

Result<Plan> make_plan(const ir::Graph& graph, const Options& options) {
  return Planner(graph, options).run();
}

}  // namespace etalon::quantize
