// speedscope's own format: evented profiles, in which frames open and close like brackets.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "report/json_parts.h"
#include "report/slices.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Profile;
using analysis::Timeline;

double in_nanoseconds(double us) { return std::round(us * 1000) / 1000; }

// All names of a file, each once.
class Frames {
 public:
  std::size_t index_of(const std::string& name, const std::optional<analysis::Source>& source) {
    const auto [place, added] = indices_.try_emplace(name, indices_.size());
    if (added) {
      Json frame = {{"name", name}};
      if (source) {
        frame["file"] = source->file;
        frame["line"] = source->line;
      }
      frames_.push_back(std::move(frame));
    }
    return place->second;
  }
  Json take() { return std::move(frames_); }

 private:
  std::map<std::string, std::size_t> indices_;
  Json frames_ = Json::array();
};

std::optional<analysis::Source> source_of(const Profile* profile, const std::string& name) {
  if (profile == nullptr) return std::nullopt;
  for (const analysis::OperatorRow& row : profile->operators) {
    if (row.name == name) return row.source;
  }
  return std::nullopt;
}

struct Open {
  std::size_t frame;
  double end;
};

Json event_of(const char* type, std::size_t frame, double at) { return {{"type", type}, {"frame", frame}, {"at", at}}; }

void close_until(double time, std::vector<Open>& open, Json& events) {
  while (!open.empty() && open.back().end <= time) {
    events.push_back(event_of("C", open.back().frame, open.back().end));
    open.pop_back();
  }
}

Json evented(const Timeline& timeline, const Profile* profile, Frames& frames) {
  Json events = Json::array();
  double now = 0;
  double first = 0;
  for (const SlicedRun& run : slice_runs(timeline.rows)) {
    if (run.block != "Execute") continue;
    if (events.empty()) first = in_nanoseconds(run.start_us);
    const double begin = std::max(in_nanoseconds(run.start_us) - first, now);
    std::vector<Open> open;
    for (const Slice& slice : run.slices) {
      const double start = in_nanoseconds(begin + in_nanoseconds(slice.start_us));
      const double end = in_nanoseconds(begin + in_nanoseconds(slice.end_us));
      close_until(start, open, events);
      const std::size_t frame = frames.index_of(slice.row->name, source_of(profile, slice.row->name));
      events.push_back(event_of("O", frame, start));
      open.push_back({frame, end});
      now = std::max(now, end);
    }
    close_until(std::numeric_limits<double>::infinity(), open, events);
  }
  return {{"type", "evented"}, {"name", timeline.profile}, {"unit", "microseconds"}, {"startValue", 0}, {"endValue", now}, {"events", std::move(events)}};
}

}  // namespace

std::string write_speedscope(const analysis::Report& report) {
  Frames frames;
  Json profiles = Json::array();
  for (const Timeline& timeline : report.timelines) {
    const Profile* found = nullptr;
    for (const Profile& profile : report.profiles) {
      if (profile.name == timeline.profile) found = &profile;
    }
    profiles.push_back(evented(timeline, found, frames));
  }
  Json root = {{"$schema", "https://www.speedscope.app/file-format-schema.json"},
               {"name", report.model.empty() ? std::string("etalon") : report.model},
               {"exporter", report.manifest.tool.empty() ? std::string("etalon") : report.manifest.tool},
               {"activeProfileIndex", 0},
               {"shared", {{"frames", frames.take()}}},
               {"profiles", std::move(profiles)}};
  return root.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::report
