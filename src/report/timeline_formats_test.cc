#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "analysis/profile_testing.h"
#include "report/report_testing.h"
#include "report/slices.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Recording;
using analysis::Report;
using nlohmann::json;

// A delegate's events in whole microseconds, laid end to end: the last one passes the end of its call.
formats::etdump::RunData delegate_run(std::uint64_t at) {
  return Recording("Execute")
      .delegate("Convolution (NHWC, F32) IGEMM #1", 0, at + 1'000, at + 5'000)
      .delegate("Clamp (NC, F32) #1", 0, at + 5'000, at + 7'000)
      .event("DELEGATE_CALL", 0, at + 900, at + 6'700)
      .execute(at, at + 7'100)
      .run();
}

Report delegated() {
  Report report;
  const auto dump = analysis::dump_of({delegate_run(1'000), delegate_run(8'000)});
  report.timelines.push_back({"fast, 1 thread", analysis::make_timeline(dump, {})});
  return report;
}

TEST(Slices, are_cut_so_that_they_nest) {
  const Report report = delegated();
  const auto runs = slice_runs(report.timelines[0].rows);
  ASSERT_EQ(runs.size(), 2U);
  for (const SlicedRun& run : runs) {
    EXPECT_TRUE(slices_nest(run.slices));
    ASSERT_EQ(run.slices.size(), 4U);
    EXPECT_EQ(run.slices[0].row->name, "Method::execute");
    EXPECT_EQ(run.slices[1].row->name, "DELEGATE_CALL");
    EXPECT_EQ(run.slices[2].depth, 2U);
    EXPECT_DOUBLE_EQ(run.slices[3].end_us, 6.7);
    EXPECT_DOUBLE_EQ(run.slices[3].row->duration_ms, 0.002);
  }
}

TEST(Slices, overlap_is_noticed) {
  EXPECT_TRUE(slices_nest({{nullptr, 0, 10, 0}, {nullptr, 2, 5, 1}, {nullptr, 5, 10, 1}}));
  EXPECT_FALSE(slices_nest({{nullptr, 0, 10, 0}, {nullptr, 5, 11, 1}}));
  EXPECT_FALSE(slices_nest({{nullptr, 4, 10, 0}, {nullptr, 2, 3, 0}}));
}

// Slices of one track, as a viewer sees them: in nanoseconds.
std::map<std::pair<int, int>, std::vector<Slice>> tracks_of(const json& root) {
  std::map<std::pair<int, int>, std::vector<Slice>> tracks;
  for (const json& event : root["traceEvents"]) {
    if (event["ph"] != "X") continue;
    const double start = std::round(event["ts"].get<double>() * 1000);
    tracks[{event["pid"], event["tid"]}].push_back({nullptr, start, start + std::round(event["dur"].get<double>() * 1000), 0});
  }
  return tracks;
}

TEST(Perfetto, slices_of_every_track_nest) {
  for (const Report& report : {delegated(), rich_report(), hostile_report()}) {
    const json root = json::parse(write_perfetto(report));
    const auto tracks = tracks_of(root);
    EXPECT_FALSE(tracks.empty());
    for (const auto& [track, slices] : tracks) EXPECT_TRUE(slices_nest(slices)) << track.first << " " << track.second;
  }
}

TEST(Perfetto, names_its_tracks_and_keeps_the_recorded_time) {
  const json root = json::parse(write_perfetto(delegated()));
  const json& events = root["traceEvents"];
  EXPECT_EQ(events[0]["name"], "process_name");
  EXPECT_EQ(events[0]["args"]["name"], "fast, 1 thread");
  const json& last = events.back();
  EXPECT_EQ(last["name"], "Clamp (NC, F32) #1");
  EXPECT_DOUBLE_EQ(last["args"]["recorded_ms"].get<double>(), 0.002);
  EXPECT_EQ(last["args"]["run"], 1);
}

// Opening and closing as the format demands: in order of time, like brackets.
void expect_evented(const json& profile, std::size_t frames) {
  std::vector<std::size_t> open;
  double now = profile["startValue"];
  for (const json& event : profile["events"]) {
    ASSERT_GE(event["at"].get<double>(), now);
    now = event["at"];
    const auto frame = event["frame"].get<std::size_t>();
    ASSERT_LT(frame, frames);
    if (event["type"] == "O") {
      open.push_back(frame);
      continue;
    }
    ASSERT_EQ(event["type"], "C");
    ASSERT_FALSE(open.empty());
    ASSERT_EQ(open.back(), frame);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
  EXPECT_LE(now, profile["endValue"].get<double>());
}

TEST(Speedscope, frames_open_and_close_like_brackets) {
  for (const Report& report : {delegated(), rich_report(), hostile_report(), empty_report()}) {
    const json root = json::parse(write_speedscope(report));
    EXPECT_EQ(root["$schema"], "https://www.speedscope.app/file-format-schema.json");
    ASSERT_EQ(root["profiles"].size(), report.timelines.size());
    for (const json& profile : root["profiles"]) expect_evented(profile, root["shared"]["frames"].size());
  }
  EXPECT_EQ(json::parse(write_speedscope(delegated()))["profiles"][0]["events"].size(), 16U);
}

}  // namespace
}  // namespace etalon::report
