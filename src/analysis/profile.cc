#include "analysis/profile.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/event_table.h"
#include "analysis/events.h"
#include "analysis/kernel_evidence.h"

namespace etalon::analysis {
namespace {

using formats::etdump::EtDump;
using formats::etdump::ProfileEvent;

constexpr double kNsPerMs = 1e6;

double mean_of(const std::vector<double>& values, std::size_t count) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(count);
}

// `count` values, of which those that `values` does not hold are zero.
double median_of(std::vector<double> values, std::size_t count) {
  values.resize(count);
  std::sort(values.begin(), values.end());
  const std::size_t half = count / 2;
  return count % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string_view without_occurrence(std::string_view name) { return name.substr(0, name.rfind(" #")); }

std::string_view without_call_prefix(std::string_view name) {
  constexpr std::string_view kPrefix = "native_call_";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

// "Convolution (NHWC, QDU8, F32, QC8W) IGEMM #1": the layout comes first in the parenthesis, types follow.
void read_label(std::string_view label, OperatorRow& row) {
  label = without_occurrence(label);
  const std::size_t open = label.find(" (");
  const std::size_t close = label.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return;
  const std::string_view inside = label.substr(open + 2, close - open - 2);
  const std::size_t comma = inside.find(", ");
  if (comma != std::string_view::npos) row.dtype = inside.substr(comma + 2);
  if (close + 2 < label.size()) row.kernel_hint = label.substr(close + 2);
}

std::string backend_of(const ProfileEvent& event, const SourceMap& sources) {
  if (!event.is_delegate_event() && event.name != "DELEGATE_CALL") return "portable";
  const std::string_view known = sources.backend_of(event.instruction_id);
  return known.empty() ? "delegated" : std::string(known);
}

void attach_origin(const ProfileEvent& event, std::string_view label, const SourceMap& sources,
                   OperatorRow& row) {
  if (event.name == "DELEGATE_CALL") return;  // many operators; no one place
  std::optional<Origin> origin = sources.find(event.instruction_id, event.is_delegate_event() ? label : "");
  if (!origin) return;
  row.source = std::move(origin->source);
  row.op_type = origin->op_types.front();
  // A folded chain (permute + addmm under one handle list): the one whose name the event carries.
  for (const std::string& type : origin->op_types) {
    if (operator_base_name(type) == operator_base_name(label)) row.op_type = type;
  }
}

OperatorRow operator_row(const EventRow& event_row, std::size_t runs, const SourceMap& sources,
                         const Taxonomy& taxonomy) {
  const TimedEvent& sample = *event_row.sample;
  const ProfileEvent& event = *sample.event;
  OperatorRow row;
  const std::string_view label = sample.name();
  row.name = label.empty() ? fmt::format("delegate event {}", event.delegate_debug_id) : std::string(label);
  row.op_type = without_call_prefix(without_occurrence(row.name));
  row.category = taxonomy.category_of(row.name);
  row.instruction = event.instruction_id;
  row.delegated = event.is_delegate_event() || event.name == "DELEGATE_CALL";
  row.backend = backend_of(event, sources);
  if (row.delegated) read_label(row.name, row);
  row.calls = static_cast<double>(event_row.occurrences) / static_cast<double>(runs);
  row.traced_avg_ms = mean_of(event_row.exclusive_ns, runs) / kNsPerMs;
  row.median_ms = median_of(event_row.exclusive_ns, runs) / kNsPerMs;
  const std::string by_id = std::to_string(event.delegate_debug_id);
  attach_origin(event, label.empty() ? std::string_view(by_id) : label, sources, row);
  if (row.category == kOtherCategory) row.category = taxonomy.category_of(row.op_type);
  return row;
}

struct Parts {
  std::vector<OperatorRow> operators;
  double operators_ms = 0;
  double framework_ms = 0;
};

Parts split_parts(const EventTable& table, const SourceMap& sources, const Taxonomy& taxonomy) {
  Parts parts;
  for (const EventRow& row : table.rows()) {
    if (row.sample->part == Part::kFramework)
      parts.framework_ms += mean_of(row.exclusive_ns, table.runs()) / kNsPerMs;
    if (row.sample->part != Part::kOperator) continue;
    parts.operators.push_back(operator_row(row, table.runs(), sources, taxonomy));
    parts.operators.back().order = parts.operators.size() - 1;
    parts.operators_ms += parts.operators.back().traced_avg_ms;
  }
  return parts;
}

Accounting settle(Parts& parts, double traced_ms, const ProfileOptions& options) {
  const std::optional<double>& untraced_ms = options.untraced_ms;
  Accounting account;
  account.traced_ms = traced_ms;
  account.untraced_ms = untraced_ms;
  account.end_to_end_ms = untraced_ms.value_or(traced_ms);
  account.scale = traced_ms > 0 ? account.end_to_end_ms / traced_ms : 1;
  if (untraced_ms && *untraced_ms > 0) {
    account.trace_overhead = options.traced_median_ms.value_or(traced_ms) / *untraced_ms - 1;
  }
  for (OperatorRow& row : parts.operators) {
    row.avg_ms = row.traced_avg_ms * account.scale;
    row.median_ms *= account.scale;
    row.share = account.end_to_end_ms > 0 ? row.avg_ms / account.end_to_end_ms : 0;
    account.operators_ms += row.avg_ms;
  }
  account.framework_ms = parts.framework_ms * account.scale;
  account.residual_ms = account.end_to_end_ms - account.operators_ms - account.framework_ms;
  return account;
}

std::vector<CategoryRow> make_categories(const std::vector<OperatorRow>& operators, double end_to_end_ms) {
  std::vector<CategoryRow> rows;
  for (const OperatorRow& op : operators) {
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const CategoryRow& known) { return known.name == op.category; });
    if (row == rows.end()) row = rows.insert(rows.end(), {op.category, 0, 0, 0});
    row->ms += op.avg_ms;
    ++row->operators;
  }
  for (CategoryRow& row : rows) row.share = end_to_end_ms > 0 ? row.ms / end_to_end_ms : 0;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const CategoryRow& a, const CategoryRow& b) { return a.ms > b.ms; });
  return rows;
}

// XNNPACK converts whole microseconds to ticks.
bool in_whole_microseconds(const EventTable& table) {
  bool any = false;
  for (const EventRow& row : table.rows()) {
    if (!row.sample->event->is_delegate_event()) continue;
    for (const double ns : row.exclusive_ns) {
      if (std::fmod(ns, 1000) != 0) return false;
      any = any || ns > 0;
    }
  }
  return any;
}

std::size_t warmup_count(std::size_t executions, const std::optional<std::size_t>& told) {
  if (executions < 2) return 0;
  return told ? std::min(*told, executions - 1) : 1;
}

std::optional<double> recorded_load_ms(const std::vector<TimedRun>& runs) {
  for (const TimedRun& run : runs) {
    for (const TimedEvent& event : run.events) {
      if (event.event->name == "Program::load_method")
        return static_cast<double>(event.duration_ns) / kNsPerMs;
    }
  }
  return std::nullopt;
}

void describe_phases(const std::vector<const TimedRun*>& executions, const ProfileOptions& options,
                     double steady_mean, Profile& profile) {
  if (options.first_untraced_ms && options.untraced_ms) {
    profile.cold_ms = options.first_untraced_ms;
    profile.steady_ms = options.untraced_ms;
  } else if (profile.cold_runs > 0) {
    profile.cold_ms = static_cast<double>(executions.front()->total_ns()) / kNsPerMs;
    profile.steady_ms = steady_mean;
  }
}

// Kernels that our runner tells in the events of delegates. The last execution is as good as any.
std::vector<KernelUse> kernels_in(const std::vector<const TimedRun*>& executions) {
  std::vector<KernelUse> kernels;
  for (const TimedEvent& event : executions.back()->events) {
    const auto& metadata = event.event->delegate_metadata;
    if (!metadata || metadata->empty()) continue;
    KernelUse use;
    use.instruction = event.event->instruction_id;
    use.operation = event.name();
    if (read_kernel_metadata(as_text(Bytes(*metadata)), use)) kernels.push_back(std::move(use));
  }
  return kernels;
}

}  // namespace

Result<Profile> make_profile(const EtDump& dump, const SourceMap& sources, const Taxonomy& taxonomy,
                             const ProfileOptions& options) {
  std::vector<TimedRun> runs;
  runs.reserve(dump.runs.size());
  std::vector<const TimedRun*> executions;
  Profile profile;
  for (const auto& run : dump.runs) {
    runs.push_back(time_run(run));
    profile.unusable_events += runs.back().unusable_events;
  }
  for (const TimedRun& run : runs) {
    if (run.is_execution && !run.events.empty()) executions.push_back(&run);
  }
  if (executions.empty()) {
    return invalid_input("the recording holds no execution; run the model with tracing on");
  }
  profile.cold_runs = warmup_count(executions.size(), options.warmup_runs);
  profile.steady_runs = executions.size() - profile.cold_runs;
  EventTable table;
  double total_ms = 0;
  for (std::size_t i = profile.cold_runs; i < executions.size(); ++i) {
    table.add(*executions[i]);
    total_ms += static_cast<double>(executions[i]->total_ns()) / kNsPerMs;
  }
  const double recorded_ms = total_ms / static_cast<double>(profile.steady_runs);
  Parts parts = split_parts(table, sources, taxonomy);
  // A runner's own clock includes what lies around Method::execute; a smaller value cannot be of these runs.
  const double traced_ms = std::max(recorded_ms, options.traced_ms.value_or(recorded_ms));
  profile.accounting = settle(parts, traced_ms, options);
  profile.event_rows = table.rows().size();
  profile.operators = std::move(parts.operators);
  std::stable_sort(profile.operators.begin(), profile.operators.end(),
                   [](const OperatorRow& a, const OperatorRow& b) { return a.avg_ms > b.avg_ms; });
  profile.categories = make_categories(profile.operators, profile.accounting.end_to_end_ms);
  profile.has_record = !sources.empty();
  profile.microsecond_events = in_whole_microseconds(table);
  profile.load_ms = options.load_ms ? options.load_ms : recorded_load_ms(runs);
  describe_phases(executions, options, recorded_ms, profile);
  attach_kernels(kernels_in(executions), profile);
  return profile;
}

std::vector<TimelineRow> make_timeline(const EtDump& dump, const SourceMap& sources) {
  std::vector<TimedRun> runs;
  runs.reserve(dump.runs.size());
  for (const auto& run : dump.runs) runs.push_back(time_run(run));
  EventTable table;
  std::map<std::string_view, std::size_t> seen;  // runs per block
  std::vector<TimelineRow> rows;
  for (const TimedRun& run : runs) {
    const std::size_t run_index = seen[run.run->name]++;
    const double total = static_cast<double>(run.total_ns());
    for (const TimedEvent& event : run.events) {
      TimelineRow row;
      row.name = event.name();
      row.type = without_occurrence(row.name);
      row.backend = backend_of(*event.event, sources);
      row.block = run.run->name;
      row.start_us = static_cast<double>(event.start_ns) / 1e3;
      row.duration_ms = static_cast<double>(event.duration_ns) / kNsPerMs;
      row.end_us = row.start_us + row.duration_ms * 1e3;
      row.exclusive_ms = static_cast<double>(event.exclusive_ns) / kNsPerMs;
      row.percent_of_run = total > 0 ? 100 * static_cast<double>(event.exclusive_ns) / total : 0;
      row.node_id = table.row_of(run, event);
      row.run_index = run_index;
      rows.push_back(std::move(row));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const TimelineRow& a, const TimelineRow& b) {
    return a.node_id != b.node_id ? a.node_id < b.node_id : a.run_index < b.run_index;
  });
  return rows;
}

}  // namespace etalon::analysis
