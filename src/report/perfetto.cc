// Chrome's trace event format (complete events), which ui.perfetto.dev and chrome://tracing open.
#include <algorithm>
#include <cmath>

#include "report/json_parts.h"
#include "report/slices.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Profile;
using analysis::Timeline;

// Viewers count nanoseconds: rounding both ends, and not the length, keeps slices nested.
double in_nanoseconds(double us) { return std::round(us * 1000) / 1000; }

Json named(const char* what, std::size_t process, int thread, std::string_view name) {
  Json event = {{"ph", "M"}, {"name", what}, {"pid", process}, {"args", {{"name", name}}}};
  if (thread > 0) event["tid"] = thread;
  return event;
}

const Profile* profile_of(const analysis::Report& report, const Timeline& timeline) {
  for (const Profile& profile : report.profiles) {
    if (profile.name == timeline.profile) return &profile;
  }
  return nullptr;
}

const analysis::OperatorRow* operator_of(const Profile* profile, const std::string& name) {
  if (profile == nullptr) return nullptr;
  for (const analysis::OperatorRow& row : profile->operators) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Json arguments(const Slice& slice, const analysis::OperatorRow* row) {
  Json args = {{"run", slice.row->run_index}, {"recorded_ms", slice.row->duration_ms}, {"exclusive_ms", slice.row->exclusive_ms}};
  put(args, "backend", slice.row->backend);
  if (row == nullptr) return args;
  put(args, "kernel", row->kernel_hint);
  put(args, "isa", row->isa);
  put(args, "dtype", row->dtype);
  put(args, "shape", row->shape);
  if (row->source) args["source"] = row->source->text();
  return args;
}

void add_timeline(const Timeline& timeline, const Profile* profile, std::size_t process, Json& events) {
  constexpr int kRuns = 1;
  constexpr int kLoading = 2;
  events.push_back(named("process_name", process, 0, timeline.profile));
  events.push_back(named("thread_name", process, kRuns, "runs"));
  events.push_back(named("thread_name", process, kLoading, "loading"));
  double free_from[3] = {0, 0, 0};  // per track: a run may not begin in the one before it
  for (const SlicedRun& run : slice_runs(timeline.rows)) {
    const int track = run.block == "Execute" ? kRuns : kLoading;
    const double begin = std::max(in_nanoseconds(run.start_us), free_from[track]);
    for (const Slice& slice : run.slices) {
      const double start = in_nanoseconds(slice.start_us);
      const double end = in_nanoseconds(slice.end_us);
      const analysis::OperatorRow* row = operator_of(profile, slice.row->name);
      events.push_back({{"ph", "X"},
                        {"name", slice.row->name},
                        {"cat", row == nullptr ? std::string("framework") : row->category},
                        {"pid", process},
                        {"tid", track},
                        {"ts", in_nanoseconds(begin + start)},
                        {"dur", in_nanoseconds(end - start)},
                        {"args", arguments(slice, row)}});
      free_from[track] = std::max(free_from[track], in_nanoseconds(begin + end));
    }
  }
}

}  // namespace

std::string write_perfetto(const analysis::Report& report) {
  Json events = Json::array();
  for (std::size_t i = 0; i < report.timelines.size(); ++i) {
    add_timeline(report.timelines[i], profile_of(report, report.timelines[i]), i + 1, events);
  }
  Json root = {{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}};
  Json about = Json::object();
  put(about, "model", report.model);
  put(about, "tool", report.manifest.tool);
  put(about, "measured", report.manifest.generated_at);
  root["otherData"] = std::move(about);
  return root.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::report
