#include "analysis/profile.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/kernel_evidence.h"
#include "analysis/timed_recording.h"

namespace etalon::analysis {
namespace {

using formats::etdump::EtDump;
using formats::etdump::EtDumpView;
using formats::etdump::ProfileEventView;

constexpr double kNsPerMs = 1e6;

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

std::string backend_of(const ProfileEventView& event, const SourceMap& sources) {
  if (!event.is_delegate_event() && event.name != "DELEGATE_CALL") return "portable";
  const std::string_view known = sources.backend_of(event.instruction_id);
  return known.empty() ? "delegated" : std::string(known);
}

void attach_origin(const ProfileEventView& event, std::string_view label, const SourceMap& sources,
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

OperatorRow operator_row(const EventRow& event_row, const TimedRecording& recording, const RunChoice& choice,
                         const SourceMap& sources, const Taxonomy& taxonomy) {
  const TimedEvent& sample = event_row.sample;
  const ProfileEventView& event = sample.event;
  OperatorRow row;
  const std::string_view label = sample.name();
  row.name = label.empty() ? fmt::format("delegate event {}", event.delegate_debug_id) : std::string(label);
  row.op_type = without_call_prefix(without_occurrence(row.name));
  row.category = taxonomy.category_of(row.name);
  row.instruction = event.instruction_id;
  row.delegated = event.is_delegate_event() || event.name == "DELEGATE_CALL";
  row.backend = backend_of(event, sources);
  if (row.delegated) read_label(row.name, row);
  const std::vector<double>& times = event_row.exclusive_ns;
  row.calls = static_cast<double>(event_row.occurrences) / static_cast<double>(recording.totals_ms.size());
  row.traced_avg_ms = mean_of(times, choice.steady) / kNsPerMs;
  row.avg_ms = mean_of(times, choice.typical) / kNsPerMs;
  row.median_ms = median_of(times, choice.steady) / kNsPerMs;
  for (const auto& launch : choice.launches) row.launch_ms.push_back(median_of(times, launch) / kNsPerMs);
  const std::string by_id = std::to_string(event.delegate_debug_id);
  attach_origin(event, label.empty() ? std::string_view(by_id) : label, sources, row);
  if (row.category == kOtherCategory) row.category = taxonomy.category_of(row.op_type);
  return row;
}

struct Parts {
  std::vector<OperatorRow> operators;  // not scaled yet
  double framework_ms = 0;
};

Parts split_parts(const TimedRecording& recording, const RunChoice& choice, const SourceMap& sources, const Taxonomy& taxonomy) {
  Parts parts;
  for (const EventRow& row : recording.table.rows()) {
    if (row.exclusive_ns.size() <= choice.steady.front()) continue;  // of a cold run only
    if (row.sample.part == Part::kFramework) parts.framework_ms += mean_of(row.exclusive_ns, choice.typical) / kNsPerMs;
    if (row.sample.part != Part::kOperator) continue;
    parts.operators.push_back(operator_row(row, recording, choice, sources, taxonomy));
    parts.operators.back().order = parts.operators.size() - 1;
  }
  return parts;
}

// A runner's own clock includes what lies around Method::execute; a smaller value cannot be of these runs.
double around_execute_ms(const TimedRecording& recording, const RunChoice& choice, const ProfileOptions& options) {
  if (options.traced_median_ms) return std::max(0.0, *options.traced_median_ms - median_of(recording.totals_ms, choice.steady));
  if (options.traced_ms) return std::max(0.0, *options.traced_ms - mean_of(recording.totals_ms, choice.steady));
  return 0;
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
    row.avg_ms *= account.scale;
    row.median_ms *= account.scale;
    for (double& ms : row.launch_ms) ms *= account.scale;
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
    if (!row.sample.event.is_delegate_event()) continue;
    for (const double ns : row.exclusive_ns) {
      if (std::fmod(ns, 1000) != 0) return false;
      any = any || ns > 0;
    }
  }
  return any;
}

// A duration is cut to whole ticks, so what took twenty of them may be told 5 % too short.
void mark_below_resolution(Profile& profile) {
  constexpr double kTickMs = 1e-3;
  constexpr double kTicksToTell = 20;
  for (OperatorRow& row : profile.operators) {
    row.below_resolution = profile.microsecond_events && row.delegated && row.name != "DELEGATE_CALL" &&
                           row.traced_avg_ms < kTicksToTell * kTickMs;
  }
}

std::optional<TraceCost> trace_cost(const TimedRecording& recording, const RunChoice& choice, const ProfileOptions& options) {
  if (!options.untraced_ms || !options.traced_median_ms) return std::nullopt;
  std::size_t events = 0;
  for (const EventRow& row : recording.table.rows()) events += row.occurrences;
  TraceCost cost;
  cost.events = events / std::max<std::size_t>(recording.totals_ms.size(), 1);
  const double extra_ns = (*options.traced_median_ms - *options.untraced_ms) * kNsPerMs;
  // Less than nothing is noise, and then the cost is not known.
  if (cost.events == 0 || choice.steady.size() < 2 || extra_ns <= 0) return std::nullopt;
  cost.ns_per_event = extra_ns / static_cast<double>(cost.events);
  return cost;
}

void describe_phases(const TimedRecording& recording, const RunChoice& choice, const ProfileOptions& options, Profile& profile) {
  if (options.first_untraced_ms && options.untraced_ms) {
    profile.cold_ms = options.first_untraced_ms;
    profile.steady_ms = options.untraced_ms;
  } else if (profile.cold_runs > 0) {
    profile.cold_ms = recording.totals_ms.front();
    profile.steady_ms = mean_of(recording.totals_ms, choice.typical);
  }
}

// Kernels that our runner tells in the events of delegates, the same in every run.
std::vector<KernelUse> kernels_in(const EventTable& table) {
  std::vector<KernelUse> kernels;
  for (const EventRow& row : table.rows()) {
    const auto& metadata = row.sample.event.delegate_metadata;
    if (!metadata || metadata->empty()) continue;
    KernelUse use;
    use.instruction = row.sample.event.instruction_id;
    use.operation = row.sample.name();
    if (read_kernel_metadata(as_text(*metadata), use)) kernels.push_back(std::move(use));
  }
  return kernels;
}

Profile profile_of(const TimedRecording& recording, const SourceMap& sources, const Taxonomy& taxonomy,
                   const ProfileOptions& options) {
  const RunChoice choice = choose_runs(recording.totals_ms, options.launch_runs, options.warmup_runs);
  Profile profile;
  profile.unusable_events = recording.unusable_events;
  profile.cold_runs = choice.cold;
  profile.steady_runs = choice.steady.size();
  for (const auto& launch : choice.launches) profile.launch_runs.push_back(launch.size());
  Parts parts = split_parts(recording, choice, sources, taxonomy);
  const double traced_ms = mean_of(recording.totals_ms, choice.typical) + around_execute_ms(recording, choice, options);
  profile.accounting = settle(parts, traced_ms, options);
  profile.event_rows = recording.table.rows().size();
  profile.operators = std::move(parts.operators);
  std::stable_sort(profile.operators.begin(), profile.operators.end(),
                   [](const OperatorRow& a, const OperatorRow& b) { return a.avg_ms > b.avg_ms; });
  profile.categories = make_categories(profile.operators, profile.accounting.end_to_end_ms);
  profile.has_record = !sources.empty();
  profile.microsecond_events = in_whole_microseconds(recording.table);
  mark_below_resolution(profile);
  profile.trace_cost = trace_cost(recording, choice, options);
  profile.load_ms = options.load_ms ? options.load_ms : recording.load_ms;
  describe_phases(recording, choice, options, profile);
  attach_kernels(kernels_in(recording.table), profile);
  return profile;
}

// Takes one run at a time and keeps only what differs between runs; a table numbers the events and knows the rest.
class TimelineMaker {
 public:
  explicit TimelineMaker(const SourceMap& sources) : sources_(sources) {}

  void add(const TimedRun& run) {
    const std::size_t run_index = seen_[run.name]++;
    const double total = static_cast<double>(run.total_ns());
    for (const TimedEvent& event : run.events) {
      const std::size_t node = table_.row_of(run.name, event);
      if (node == blocks_.size()) blocks_.push_back(run.name);
      counts_.resize(blocks_.size());
      ++counts_[node];
      times_.push_back({node, run_index, event.start_ns, event.duration_ns, event.exclusive_ns, total});
    }
  }

  // Ordered by node, then run; those of one node and run as they were recorded.
  std::vector<TimelineRow> take() const {
    std::vector<std::size_t> next(counts_.size(), 0);
    for (std::size_t node = 1; node < next.size(); ++node) next[node] = next[node - 1] + counts_[node - 1];
    std::vector<TimelineRow> rows(times_.size());
    for (const Times& times : times_) fill(times, rows[next[times.node]++]);
    return rows;
  }

 private:
  struct Times {
    std::size_t node;
    std::size_t run_index;
    std::uint64_t start_ns;
    std::int64_t duration_ns;
    std::int64_t exclusive_ns;
    double total_ns;
  };

  void fill(const Times& times, TimelineRow& row) const {
    const TimedEvent& event = table_.rows()[times.node].sample;
    row.name = event.name();
    row.type = without_occurrence(row.name);
    row.backend = backend_of(event.event, sources_);
    row.block = blocks_[times.node];
    row.start_us = static_cast<double>(times.start_ns) / 1e3;
    row.duration_ms = static_cast<double>(times.duration_ns) / kNsPerMs;
    row.end_us = row.start_us + row.duration_ms * 1e3;
    row.exclusive_ms = static_cast<double>(times.exclusive_ns) / kNsPerMs;
    row.percent_of_run = times.total_ns > 0 ? 100 * static_cast<double>(times.exclusive_ns) / times.total_ns : 0;
    row.node_id = times.node;
    row.run_index = times.run_index;
  }

  const SourceMap& sources_;
  EventTable table_;
  std::map<std::string_view, std::size_t> seen_;  // runs per block
  std::vector<std::string_view> blocks_;          // of each node
  std::vector<std::size_t> counts_;               // of each node's events
  std::vector<Times> times_;
};

}  // namespace

Result<Profile> make_profile(const EtDump& dump, const SourceMap& sources, const Taxonomy& taxonomy,
                             const ProfileOptions& options) {
  ETALON_TRY(const TimedRecording recording, time_recording(dump));
  return profile_of(recording, sources, taxonomy, options);
}

Result<Profile> make_profile(const EtDumpView& dump, const SourceMap& sources, const Taxonomy& taxonomy,
                             const ProfileOptions& options) {
  ETALON_TRY(const TimedRecording recording, time_recording(dump));
  return profile_of(recording, sources, taxonomy, options);
}

std::vector<TimelineRow> make_timeline(const EtDump& dump, const SourceMap& sources) {
  TimelineMaker maker(sources);
  for (const auto& run : dump.runs) maker.add(time_run(run));
  return maker.take();
}

Result<std::vector<TimelineRow>> make_timeline(const EtDumpView& dump, const SourceMap& sources) {
  TimelineMaker maker(sources);
  std::vector<ProfileEventView> events;
  TimedRun run;
  for (std::size_t i = 0; i < dump.run_count(); ++i) {
    ETALON_CHECKED(dump.read_events(i, events));
    time_run(dump.run_name(i), events, run);
    maker.add(run);
  }
  return maker.take();
}

}  // namespace etalon::analysis
