// One report, several formats. Writers format what the analysis computed and compute nothing themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/examples_table.h"
#include "analysis/kernel_log.h"
#include "analysis/reference_comparison.h"
#include "analysis/run_report.h"

namespace etalon::report {

struct Style {
  bool colour = false;
  std::size_t width = 100;     // columns
  std::size_t operators = 10;  // rows of the operator table
};

// How much of the recordings a format draws; see Report::timelines.
enum class Timelines : std::uint8_t { kNone, kOneRun, kAllRuns };

// One format of a report, a row of writers.def.
struct Writer {
  std::string_view format;  // as --format names it
  std::string (*write)(const analysis::Report& report);
  std::string_view file;    // its name in a run folder
  bool beside_run;          // whether it is left there without being asked for
  Timelines timelines;
  std::string_view what;
};
const std::vector<Writer>& all_writers();
// Null: there is no such format.
const Writer* find_writer(std::string_view format);

std::string write_terminal(const analysis::Report& report, const Style& style);
// One comparison: verdict, categories, waterfall, operators, kernels, numbers.
std::string write_comparison_terminal(const analysis::Comparison& comparison, const Style& style);
// Runs by what they differ in, and what two factors do together.
std::string write_factor_table_terminal(const analysis::FactorTable& table, const Style& style);
// Kinds of work side by side, with their rates.
std::string write_reference_terminal(const analysis::ReferenceComparison& comparison, const Style& style);
// "int8 is 1.31x faster than fp32 (95 % interval 1.28 to 1.34), 12 launches; effects below 0.9 % cannot be seen".
std::string verdict_sentence(const analysis::Comparison& comparison);
// Without colours, 100 columns.
std::string write_plain(const analysis::Report& report);
std::string write_markdown(const analysis::Report& report);
// A comparison alone, as Markdown. (As a page: a report that holds nothing but the comparison.)
std::string write_comparison_markdown(const analysis::Comparison& comparison);
// One self-contained page.
std::string write_html(const analysis::Report& report);
// analysis_summary.json.
std::string write_json(const analysis::Report& report);
// The same with the manifest and the raw samples (schema "etalon.bundle/1"), as the page holds it.
std::string write_bundle(const analysis::Report& report);
// Chrome's trace format: one process per profile, one track for loading and one for its runs; slices nest.
std::string write_perfetto(const analysis::Report& report);
// Evented profiles, one per profile.
std::string write_speedscope(const analysis::Report& report);
// Model Explorer's graph collection, one graph per profile, and the node data of those graphs. Both need the program's facts.
std::string write_model_graph(const analysis::Report& report);
std::string write_node_data(const analysis::Report& report);
// Operators of every profile, one line each.
std::string write_csv(const analysis::Report& report);

// The table of ExecuTorch's XNNPACK examples, as Markdown.
std::string write_examples_table(const std::vector<analysis::ExampleRow>& rows);

// ---- the files beside a recording, with the Arm kit's columns first and ours after them ----

std::string write_timeline_csv(const std::string& model_id, const std::vector<analysis::TimelineRow>& rows);
std::string write_stats_csv(const std::string& model_id, const analysis::Profile& profile);
std::string write_kernels_csv(const std::string& model_id, const std::vector<analysis::KernelRow>& kernels);

inline constexpr std::string_view kTimelineHeader =
    "model_id,name,type,delegate_backend,start_us,end_us,duration_ms,pct_total,node_id,run_index,block,"
    "exclusive_ms";
inline constexpr std::string_view kStatsHeader =
    "model_id,name,type,delegate_backend,count,total_ms,avg_ms,pct_total,category";
inline constexpr std::string_view kKernelsHeader =
    "model_id,kernel_name,category,count,dtype,xnn_op,variant,ukernel_shape,arch_chain,has_sme,has_sme2,"
    "instruction,operation,isa,isa_wanted,reason,tile,threads,shape";

}  // namespace etalon::report
