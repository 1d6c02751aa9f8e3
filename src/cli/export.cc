// `etalon export`: a model file to an ExecuTorch program and its record.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/exporter.h"
#include "cli/layer_costs.h"
#include "cli/quant_report.h"
#include "platform/memory.h"
#include "report/quantisation.h"

namespace etalon::cli {
namespace {

struct Flags {
  ExportRequest request;
  bool print_graph = false;
  bool explain = false;
  bool json = false;
  bool no_record = false;
  bool layer_costs = false;
  LayerCostsRequest costs;
  CLI::App* app = nullptr;
};

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string human_count(std::int64_t count) {
  if (count < 1'000'000) return fmt::format("{:.1f} K", static_cast<double>(count) / 1e3);
  if (count < 1'000'000'000) return fmt::format("{:.2f} M", static_cast<double>(count) / 1e6);
  return fmt::format("{:.2f} G", static_cast<double>(count) / 1e9);
}

void print_method(const Console& console, const ExportedMethod& method) {
  console.print(fmt::format("method {}\n", console.bold(method.name)));
  for (const std::string& input : method.inputs) console.print(fmt::format("  input   {}\n", input));
  for (const std::string& output : method.outputs) console.print(fmt::format("  output  {}\n", output));
  console.print(fmt::format("  work    {}FLOP, {} parameters, {} of constants\n", human_count(method.flops),
                            human_count(method.parameters), human_bytes(static_cast<std::uint64_t>(method.constant_bytes))));
  const emit::MethodReport& report = method.report;
  console.print(fmt::format("  memory  {} planned, ideal {}, {} without sharing; {} results in place, {} views without copy\n",
                            human_bytes(report.memory.planned_bytes), human_bytes(report.memory.ideal_bytes),
                            human_bytes(report.memory.unshared_bytes), report.in_place, report.elided_views));
  console.print("  operators");
  std::size_t shown = 0;
  for (const OperatorCount& op : method.operators) {
    if (++shown > 8) break;
    console.print(fmt::format("{} {} x{}", shown > 1 ? "," : "", op.name, op.count));
  }
  console.print(method.operators.size() > 8 ? fmt::format(", and {} more kinds\n", method.operators.size() - 8) : "\n");
  for (const passes::PassRecord& record : method.passes) {
    if (record.changes == 0) continue;
    console.detail(fmt::format("  pass {}: {} changes, {} -> {} nodes", record.name, record.changes, record.nodes_before, record.nodes_after));
  }
}

// Operators of one kind that stay outside for one reason.
struct OutsideGroup {
  const xnnpack::OutsideReport* first = nullptr;
  std::uint32_t count = 0;
  std::int64_t border_bytes = 0;
};

std::vector<OutsideGroup> grouped(const xnnpack::Report& report) {
  std::vector<OutsideGroup> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const xnnpack::OutsideReport& outside : report.outside) {
    const auto [found, is_new] = places.emplace(std::pair(outside.op, outside.constraint), groups.size());
    if (is_new) groups.push_back({&outside, 0, 0});
    OutsideGroup& group = groups[found->second];
    ++group.count;
    group.border_bytes += outside.border_bytes;
    if (outside.extra_delegates > group.first->extra_delegates) group.first = &outside;
  }
  std::ranges::stable_sort(groups, std::ranges::greater{}, &OutsideGroup::border_bytes);
  return groups;
}

std::string explained(const OutsideGroup& group) {
  const xnnpack::OutsideReport& outside = *group.first;
  std::string text = fmt::format("  {:4} x {} ({})\n", group.count, outside.op, outside.result);
  text += fmt::format("         why   {}\n", outside.constraint);
  if (outside.is_free) {
    text += "         cost  none: a view of memory\n";
  } else {
    text += fmt::format("         cost  {} cross borders on every run", human_bytes(static_cast<std::uint64_t>(group.border_bytes)));
    text += outside.extra_delegates > 0 ? fmt::format("; {} fewer delegate{} without one of them\n", outside.extra_delegates,
                                                      outside.extra_delegates == 1 ? "" : "s")
                                        : "; no further split\n";
  }
  if (!outside.remedy.empty()) text += fmt::format("         fix   {}\n", outside.remedy);
  return text;
}

struct DelegationCounts {
  std::uint32_t operators = 0;
  std::uint32_t payload_nodes = 0;
  std::uint32_t outside = 0;  // views that cost nothing left out
};

DelegationCounts counts_of(const xnnpack::Report& report) {
  DelegationCounts counts;
  for (const xnnpack::DelegateReport& delegate : report.delegates) {
    counts.operators += delegate.operators;
    counts.payload_nodes += delegate.payload_nodes;
  }
  for (const xnnpack::OutsideReport& outside : report.outside) counts.outside += outside.is_free ? 0 : 1;
  return counts;
}

void explain_delegation(const Console& console, const xnnpack::Report& report) {
  const DelegationCounts counts = counts_of(report);
  console.print("  delegate  operators  nodes  inputs  outputs     in, out    constants\n");
  constexpr std::size_t kShown = 40;
  for (std::size_t d = 0; d < report.delegates.size() && d < kShown; ++d) {
    const xnnpack::DelegateReport& delegate = report.delegates[d];
    console.print(fmt::format("  {:8}  {:9}  {:5}  {:6}  {:7}  {:>10}, {}  {}\n", d, delegate.operators, delegate.payload_nodes,
                              delegate.inputs, delegate.outputs, human_bytes(static_cast<std::uint64_t>(delegate.input_bytes)),
                              human_bytes(static_cast<std::uint64_t>(delegate.output_bytes)),
                              human_bytes(static_cast<std::uint64_t>(delegate.constant_bytes))));
  }
  if (report.delegates.size() > kShown) console.print(fmt::format("  and {} more\n", report.delegates.size() - kShown));
  console.print(fmt::format("  {} delegates hold {} operators as {} nodes; {} operators outside\n", report.delegates.size(),
                            counts.operators, counts.payload_nodes, counts.outside));
  if (!report.in_float.empty()) console.print("delegated, but computed in floats though quantised:\n");
  for (const xnnpack::FloatReport& left : report.in_float) console.print(fmt::format("  {} ({}): {}\n", left.op, left.result, left.why));
  if (!report.outside.empty()) console.print("not delegated:\n");
  for (const OutsideGroup& group : grouped(report)) console.print(explained(group));
}

// With the portable backend nothing is delegated; say so, and what would be needed, instead of staying silent.
void explain(const Console& console, const ExportOutcome& outcome, bool is_portable) {
  if (is_portable) console.print("not delegated, because the portable backend delegates nothing (--backend xnnpack does):\n");
  for (const ExportedMethod& method : outcome.methods) {
    if (!is_portable) {
      explain_delegation(console, method.delegation);
      continue;
    }
    for (const OperatorCount& op : method.operators) console.print(fmt::format("  {:4} x {}\n", op.count, op.name));
  }
}

nlohmann::ordered_json delegation_json(const xnnpack::Report& report) {
  const DelegationCounts counts = counts_of(report);
  nlohmann::ordered_json delegates = nlohmann::ordered_json::array();
  for (const xnnpack::DelegateReport& delegate : report.delegates) {
    delegates.push_back({{"operators", delegate.operators},
                         {"nodes", delegate.payload_nodes},
                         {"inputs", delegate.inputs},
                         {"outputs", delegate.outputs},
                         {"input_bytes", delegate.input_bytes},
                         {"output_bytes", delegate.output_bytes},
                         {"constant_bytes", delegate.constant_bytes}});
  }
  nlohmann::ordered_json outside = nlohmann::ordered_json::array();
  for (const xnnpack::OutsideReport& left : report.outside) {
    outside.push_back({{"operator", left.op},
                       {"result", left.result},
                       {"constraint", left.constraint},
                       {"remedy", left.remedy},
                       {"border_bytes", left.border_bytes},
                       {"extra_delegates", left.extra_delegates},
                       {"is_free", left.is_free}});
  }
  nlohmann::ordered_json in_float = nlohmann::ordered_json::array();
  for (const xnnpack::FloatReport& left : report.in_float) in_float.push_back({{"operator", left.op}, {"result", left.result}, {"why", left.why}});
  return {{"operators_inside", counts.operators}, {"operators_outside", counts.outside}, {"delegates", delegates}, {"outside", outside},
          {"in_float", in_float}};
}

nlohmann::ordered_json to_json(const ExportOutcome& outcome) {
  nlohmann::ordered_json methods = nlohmann::ordered_json::array();
  for (const ExportedMethod& method : outcome.methods) {
    nlohmann::ordered_json ops = nlohmann::ordered_json::object();
    for (const OperatorCount& op : method.operators) ops[op.name] = op.count;
    methods.push_back({{"name", method.name},
                       {"inputs", method.inputs},
                       {"outputs", method.outputs},
                       {"parameters", method.parameters},
                       {"constant_bytes", method.constant_bytes},
                       {"flops", method.flops},
                       {"planned_bytes", method.report.memory.planned_bytes},
                       {"ideal_bytes", method.report.memory.ideal_bytes},
                       {"unshared_bytes", method.report.memory.unshared_bytes},
                       {"operators", ops}});
    if (method.quantisation) methods.back()["quantisation"] = quantisation_json(*method.quantisation);
    if (!method.delegation.delegates.empty() || !method.delegation.outside.empty()) {
      methods.back()["delegation"] = delegation_json(method.delegation);
    }
  }
  nlohmann::ordered_json json = {{"schema", "etalon.export/1"},
                                 {"program", outcome.program_path},
                                 {"program_bytes", outcome.program_bytes},
                                 {"torch_version", outcome.torch_version},
                                 {"random_weights", outcome.drawn_weights},
                                 {"import_ms", outcome.import_ms},
                                 {"passes_ms", outcome.passes_ms},
                                 {"quantise_ms", outcome.quantise_ms},
                                 {"delegation_ms", outcome.delegation_ms},
                                 {"emit_ms", outcome.emit_ms},
                                 {"total_ms", outcome.total_ms},
                                 {"methods", methods}};
  if (const auto peak = platform::peak_rss_bytes()) json["peak_rss_bytes"] = *peak;
  if (!outcome.record_path.empty()) json["etrecord"] = outcome.record_path;
  return json;
}

void print_outcome(const Console& console, const Flags& flags, const ExportOutcome& outcome) {
  if (flags.print_graph) {
    for (const ExportedMethod& method : outcome.methods) console.print(method.graph_text);
  }
  for (const ExportedMethod& method : outcome.methods) {
    print_method(console, method);
    if (method.quantisation) print_quantisation(console, *method.quantisation, flags.explain);
  }
  if (outcome.drawn_weights) console.warn("the archive holds no weights; they were drawn at random, so outputs mean nothing");
  if (flags.explain) explain(console, outcome, flags.request.backend == "portable");
  console.print(fmt::format("wrote {} ({}){} in {:.0f} ms: import {:.0f}, passes {:.0f}, {}delegation {:.0f}, write {:.0f}\n", console.bold(outcome.program_path),
                            human_bytes(outcome.program_bytes), outcome.record_path.empty() ? "" : " and its .etrecord",
                            outcome.total_ms, outcome.import_ms, outcome.passes_ms,
                            outcome.quantise_ms >= 1 ? fmt::format("int8 {:.0f}, ", outcome.quantise_ms) : "", outcome.delegation_ms, outcome.emit_ms));
}

Status check_layer_costs(const Flags& flags) {
  for (const char* name : {"--costs-dir", "--seconds", "--engine", "--isa", "--threads"}) {
    if (!flags.layer_costs && flags.app->count(name) > 0)
      return invalid_input(fmt::format("{} is about --layer-costs, which is not given", name));
  }
  if (!flags.layer_costs) return {};
  if (flags.request.dtype != "int8")
    return invalid_input(fmt::format("--layer-costs needs --dtype int8, found --dtype {}", flags.request.dtype));
  if (flags.no_record) return invalid_input("--layer-costs needs the record that --no-etrecord leaves out");
  return {};
}

Result<std::optional<analysis::LayerCosts>> layer_costs(const Flags& flags, const ExportOutcome& outcome, const Console& console) {
  if (!flags.layer_costs) return std::optional<analysis::LayerCosts>();
  LayerCostsRequest request = flags.costs;
  if (request.run_dir.empty()) request.run_dir = fmt::format("out_{}/layer_costs", model_stem(flags.request.model));
  request.progress = [&](std::string_view what, std::size_t done, std::size_t total) { console.progress(what, done, total); };
  ETALON_TRY(analysis::LayerCosts costs, layer_costs_of(flags.request, outcome, std::move(request)));
  return std::optional(std::move(costs));
}

void declare_layer_costs(CLI::App& app, Flags& flags) {
  CLI::App& group = *app.add_option_group("for --layer-costs");
  group.add_flag("--layer-costs", flags.layer_costs, "Measure what each int8 layer costs in accuracy and saves in time on this machine");
  group.add_option("--costs-dir", flags.costs.run_dir, "Where its recordings go (out_<model>/layer_costs)");
  group.add_option("--seconds", flags.costs.seconds, "Measuring time, about")->check(CLI::Range(0.5, 3600.0))->capture_default_str();
  group.add_option("--engine", flags.costs.engine, "What runs the programs: native, portable or executorch");
  group.add_option("--isa", flags.costs.isa, "Highest instruction set to use");
  group.add_option("--threads", flags.costs.threads, "Threads to compute with")->check(CLI::Range(1U, 1024U))->capture_default_str();
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  ExportRequest& request = flags->request;
  flags->app = &app;
  app.add_option("model", request.model, "A .pt2 file written by torch.export.save, or zoo:NAME")->required();
  app.add_option("-o,--output", request.output, "The .pte to write");
  app.add_option("--outdir", request.outdir, "Folder for <model>_<backend>_<dtype>.pte (out_<model>/artifacts)");
  app.add_option("--backend", request.backend, "portable or xnnpack")->capture_default_str();
  app.add_option("--dtype", request.dtype, "fp32, fp16 or int8")->capture_default_str();
  declare_quantise_flags(app, request.quantise);
  declare_layer_costs(app, *flags);
  app.add_option("--save-graph", request.save_graph, "Write the lowered graph as text");
  app.add_option("--disable-pass", request.disabled_passes, "Leave out a pass by name; may be repeated");
  app.add_flag("--print-graph", flags->print_graph, "Print the lowered graph");
  app.add_flag("--explain", flags->explain, "Say for each operator why it was not delegated");
  app.add_flag("--no-etrecord", flags->no_record, "Do not write the record beside the program");
  app.add_flag("--verify", request.verify, "Check the graph after every pass");
  app.add_flag("--json", flags->json, "Machine output on stdout");
  return [flags](Console& console) -> Result<int> {
    flags->request.record = !flags->no_record;
    flags->request.quantise.explain = flags->explain || flags->layer_costs;
    ETALON_CHECKED(check_layer_costs(*flags));
    ETALON_CHECKED(settle_quantise_flags(flags->request));
    flags->request.quantise_progress = [&](std::string_view what, std::size_t done, std::size_t total) { console.progress(what, done, total); };
    flags->request.progress = [&](std::string_view what) { console.detail(what); };
    ETALON_TRY(const ExportOutcome outcome, export_model(flags->request));
    ETALON_TRY(const auto costs, layer_costs(*flags, outcome, console));
    if (flags->json) {
      constexpr auto kReplace = nlohmann::json::error_handler_t::replace;  // names of files are not always UTF-8
      nlohmann::ordered_json json = to_json(outcome);
      if (costs) json["layer_costs"] = nlohmann::ordered_json::parse(analysis::layer_costs_json(*costs));
      console.print(json.dump(2, ' ', false, kReplace) + "\n");
      return kExitOk;
    }
    print_outcome(console, *flags, outcome);
    constexpr std::size_t kLayersShown = 20;
    if (costs) console.print(report::write_layer_costs_terminal(*costs, {.colour = console.colour()}, kLayersShown));
    return kExitOk;
  };
}

}  // namespace

extern const Command kExportCommand;
constinit const Command kExportCommand{
    "export", "A PyTorch model (.pt2) to an ExecuTorch program (.pte) and its record",
    "  etalon export model.pt2\n  etalon export zoo:mobilenet_v3_small -o small.pte --backend xnnpack --print-graph --explain\n"
    "  etalon export model.pt2 --dtype fp16 --outdir out --json\n"
    "  etalon export model.pt2 --dtype int8 --calib photos/ --explain\n"
    "  etalon export model.pt2 --dtype int8 --calib photos/ --layer-costs\n"
    "  etalon export model.pt2 --dtype int8 --quant dynamic --quant-skip head",
    declare};

}  // namespace etalon::cli
