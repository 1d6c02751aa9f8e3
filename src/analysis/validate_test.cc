#include "analysis/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "analysis/content_hash.h"
#include "analysis/manifest.h"
#include "analysis/profile_testing.h"
#include "analysis/run_report.h"
#include "analysis/validate_check.h"
#include "base/file.h"
#include "measure/samples.h"
#include "measure/statistics.h"

namespace etalon::analysis {
namespace {

using ::testing::HasSubstr;

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kTimeline =
    "model_id,name,type,delegate_backend,start_us,end_us,duration_ms,pct_total,node_id,run_index,block,"
    "exclusive_ms\n";
constexpr const char* kStats =
    "model_id,name,type,delegate_backend,count,total_ms,avg_ms,pct_total,category\n";
constexpr const char* kKernels = "model_id,kernel_name,category,count,dtype\n";
constexpr const char* kPageOpen = "<script type=\"application/json\" id=etalon-bundle>";

measure::ArmSamples arm_of(const std::string& experiment, double ms) {
  measure::ArmSamples arm;
  arm.name = experiment;
  arm.key = "key of " + experiment;
  for (std::uint32_t l = 0; l < 6; ++l) {
    measure::LaunchRecord launch;
    launch.index = l;
    launch.started_at = "2026-01-01T00:00:0" + std::to_string(l) + "Z";
    measure::Block block;
    for (int i = 0; i < 5; ++i) block.runs_ms.push_back(ms * (1 + 0.001 * (l + i % 3)));
    launch.blocks = {block};
    arm.launches.push_back(launch);
  }
  return arm;
}

// Two runs of one session, "off" and "on", as a session and its analysis leave them.
class Validate : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_validate_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(make_directories(folder_).ok());
    put_model("model");
    manifest_ = Manifest();
    manifest_.generated_at = "2026-01-01T00:00:00Z";
    manifest_.model.path = folder_ + "/../" + model_;
    manifest_.model.hash = *hash_file(manifest_.model.path);
    manifest_.status = "complete";
    manifest_.compare_pairs = {{"off and on", "off", 1, "on", 1}};
    for (const auto& [name, ms] : {std::pair("off", 2.0), std::pair("on", 1.0)}) add_run(name, ms);
    put_manifest();
    put_analysis();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void add_run(const std::string& name, double ms) {
    ASSERT_TRUE(make_directories(folder_ + "/" + name).ok());
    const std::string stem = name + "/net_" + name + "_t1";
    measure::Recording samples;
    samples.session = "s1";
    samples.arms = {arm_of(name, ms)};
    RunResult result;
    result.experiment = name;
    result.key = "key of " + name;
    result.session = "s1";
    result.latency_ms = samples.arms[0].runs_ms();
    const measure::Summary summary = measure::summarize(result.latency_ms);
    result.median_ms = summary.median;
    result.mean_ms = summary.mean;
    result.min_ms = summary.min;
    result.max_ms = summary.max;
    result.p95_ms = summary.p95;
    result.stdev_ms = summary.stdev;
    result.cv_percent = summary.cv_percent;
    result.etdump = stem + ".etdump";
    result.log = stem + ".log";
    result.samples = stem + "_samples.json";
    result.kernels = stem + "_kernels.csv";
    result.control = "off/net_off_t1_control.json";
    result.traced_launch_runs = {2};
    manifest_.results.push_back(result);
    put(result.log, "log\n");
    put(result.kernels, kKernels);
    ASSERT_TRUE(measure::write_recording(folder_ + "/" + result.samples, samples).ok());
    measure::Recording control;
    control.session = "s1";
    control.control = {arm_of("off", 2), arm_of("off", 2)};
    ASSERT_TRUE(measure::write_recording(folder_ + "/" + result.control, control).ok());
    const auto bytes = formats::etdump::encode(dump_of({portable_run(), portable_run()}));
    ASSERT_TRUE(bytes.ok());
    ASSERT_TRUE(write_file(folder_ + "/" + result.etdump, *bytes).ok());
    put(stem + "_exec_all_runs_timeline.csv", rows(10));
    put(stem + "_exec_run0_timeline.csv", rows(5));
    put(stem + "_exec_ops_stats.csv", kStats);
  }
  static std::string rows(int count) {
    std::string text = kTimeline;
    for (int i = 0; i < count; ++i) text += "net,\"a, b\",a,portable,0,1,1,1,0,0,Execute,1\n";
    return text;
  }
  // What `etalon analyze` writes, as far as it is checked.
  void put_analysis() {
    const auto report = report_on_folder(folder_, {});
    ASSERT_TRUE(report.ok()) << report.error().message();
    summary_ = {{"schema", kSummarySchema}, {"etdump_count", report->profiles.size()}};
    for (const Profile& profile : report->profiles) {
      ordered_json categories;
      for (const CategoryRow& row : profile.categories) categories[row.name] = row.ms;
      const Accounting& account = profile.accounting;
      summary_["per_etdump"].push_back({{"categories_ms", categories},
                                        {"accounting",
                                         {{"run", profile.name},
                                          {"operators_ms", account.operators_ms},
                                          {"framework_ms", account.framework_ms},
                                          {"residual_ms", account.residual_ms},
                                          {"end_to_end_ms", account.end_to_end_ms}}}});
    }
    for (const Comparison& row : report->comparisons) {
      ordered_json item = {{"baseline_ms", row.baseline_ms}, {"candidate_ms", row.candidate_ms}, {"ratio", row.ratio}};
      if (row.verdict) item["verdict"] = {{"claim", measure::claim_name(row.verdict->claim)}};
      summary_["comparisons"].push_back(item);
    }
    put_summary();
    put("report.md", "# report\n");
  }
  void put_summary() {
    put("analysis_summary.json", summary_.dump());
    put("report.html", std::string("<p>") + kPageOpen + R"({"report": )" + summary_.dump() + "}</script>");
  }
  void put(const std::string& file, const std::string& text) { ASSERT_TRUE(write_file(folder_ + "/" + file, text).ok()); }
  void put_model(const std::string& text) { ASSERT_TRUE(write_file(::testing::TempDir() + model_, text).ok()); }
  void put_manifest() {
    put("manifest.json", manifest_json(manifest_, folder_));
    put("metrics.json", metrics_json(manifest_, folder_));
  }
  std::string read(const std::string& file) { return *read_text_file(folder_ + "/" + file); }
  // All defects, one per line, as "file: what".
  std::string defects() {
    const auto validation = validate_run_folder(folder_);
    if (!validation.ok()) return validation.error().message();
    std::string text;
    for (const Defect& defect : validation->defects) text += (text.empty() ? "" : "\n") + defect.file + ": " + defect.what;
    return text;
  }
  void change_samples(const std::function<void(measure::Recording&)>& change) {
    const std::string path = folder_ + "/on/net_on_t1_samples.json";
    auto recording = measure::read_recording(path);
    ASSERT_TRUE(recording.ok());
    change(*recording);
    ASSERT_TRUE(measure::write_recording(path, *recording).ok());
  }

  std::string model_ = "etalon_validate_model_" + std::to_string(::getpid()) + ".pte";
  std::string folder_;
  Manifest manifest_;
  ordered_json summary_;
};

const std::vector<std::string> kArtefacts = {"metrics.json",
                                             "report.md",
                                             "report.html",
                                             "analysis_summary.json",
                                             "on/net_on_t1.etdump",
                                             "on/net_on_t1.log",
                                             "on/net_on_t1_samples.json",
                                             "on/net_on_t1_kernels.csv",
                                             "off/net_off_t1_control.json",
                                             "on/net_on_t1_exec_all_runs_timeline.csv",
                                             "on/net_on_t1_exec_run0_timeline.csv",
                                             "on/net_on_t1_exec_ops_stats.csv"};

TEST_F(Validate, a_whole_folder_has_no_defect) { EXPECT_EQ(defects(), ""); }

TEST_F(Validate, each_missing_file_is_named) {
  for (const std::string& file : kArtefacts) {
    const std::string kept = read(file);
    std::filesystem::remove(folder_ + "/" + file);
    EXPECT_THAT(defects(), HasSubstr(file + ": missing"));
    put(file, kept);
  }
  EXPECT_EQ(defects(), "");
  std::filesystem::remove(folder_ + "/manifest.json");
  EXPECT_EQ(defects(), "manifest.json: missing");
}

TEST_F(Validate, each_file_that_was_cut_is_named) {
  for (const std::string& file : kArtefacts) {
    if (file.ends_with(".log") || file.ends_with(".md")) continue;  // any text is a log
    const std::string kept = read(file);
    put(file, kept.substr(0, file.ends_with(".etdump") ? kept.size() / 2 : kept.size() - 2));
    // What stays of a table whose last line is cut is a table with a bad line, never a good one.
    EXPECT_THAT(defects(), HasSubstr(file + ": ")) << file;
    put(file, "");
    EXPECT_THAT(defects(), HasSubstr(file + ": empty")) << file;
    put(file, kept);
  }
  put("manifest.json", "[]");
  EXPECT_THAT(defects(), HasSubstr("manifest.json: cannot be read"));
}

TEST_F(Validate, tables_must_hold_the_events_of_the_recording) {
  put("on/net_on_t1_exec_all_runs_timeline.csv", rows(9));
  EXPECT_EQ(defects(), "on/net_on_t1_exec_all_runs_timeline.csv: holds 9 rows, the recording 10 events; run 'etalon analyze' again");
  SetUp();
  put("on/net_on_t1_exec_run0_timeline.csv", rows(4) + "net,a\n");
  EXPECT_EQ(defects(), "on/net_on_t1_exec_run0_timeline.csv: line 6: found 2 cells, want 12");
  SetUp();
  put("on/net_on_t1_exec_ops_stats.csv", "a,b\n");
  EXPECT_THAT(defects(), HasSubstr("columns: found \"a,b\""));
  SetUp();
  manifest_.results[1].traced_launch_runs = {2, 3};
  put_manifest();
  EXPECT_THAT(defects(), HasSubstr("on/net_on_t1.etdump: holds 2 executions, manifest.json says 5"));
}

TEST_F(Validate, every_statistic_is_computed_again) {
  using Field = std::optional<double> RunResult::*;
  const std::vector<std::pair<const char*, Field>> fields = {{"median_ms", &RunResult::median_ms}, {"mean_ms", &RunResult::mean_ms},
                                                             {"min_ms", &RunResult::min_ms},       {"max_ms", &RunResult::max_ms},
                                                             {"p95_ms", &RunResult::p95_ms},       {"stdev_ms", &RunResult::stdev_ms},
                                                             {"cv_percent", &RunResult::cv_percent}};
  for (const auto& [name, field] : fields) {
    const auto kept = manifest_.results[1].*field;
    manifest_.results[1].*field = *kept * 1.01;
    put_manifest();
    EXPECT_THAT(defects(), HasSubstr(std::string("on, 1 thread: ") + name + " is")) << name;
    manifest_.results[1].*field = kept;
  }
  put_manifest();
  EXPECT_EQ(defects(), "");
}

TEST_F(Validate, samples_must_be_those_of_the_manifest) {
  const auto change_and_expect = [&](const std::function<void(measure::Recording&)>& change, const char* what) {
    change_samples(change);
    EXPECT_THAT(defects(), HasSubstr(std::string("on/net_on_t1_samples.json: ") + what));
    SetUp();
  };
  change_and_expect([](auto& r) { r.arms[0].launches[2].blocks[0].runs_ms[0] *= 2; }, "its times differ from latency_ms");
  change_and_expect([](auto& r) { r.arms[0].name = "other"; }, "is of the experiment other");
  change_and_expect([](auto& r) { r.arms[0].threads = 2; }, "was measured with 2 threads");
  change_and_expect([](auto& r) { r.arms[0].key = "x"; }, "is of another run");
  change_and_expect([](auto& r) { r.arms[0].traced = true; }, "was recorded with tracing on");
  change_and_expect([](auto& r) { r.session = "s2"; }, "is of session \"s2\"");
  change_and_expect([](auto& r) { r.arms[0].launches.pop_back(); }, "holds 5 launches, off, 1 thread of the same session 6");
  change_and_expect([](auto& r) { r.arms[0].launches[1].started_at = "2025-01-01T00:00:00Z"; }, "launch 1 started before the one in front of it");
  change_and_expect([](auto& r) { r.arms[0].launches[1].index = 0; }, "launch 0 stands there twice");
  change_and_expect([](auto& r) { r.arms[0].launches[3].blocks[0].voided = true; }, "launch 3 holds no run that counts");
}

TEST_F(Validate, the_analysis_is_computed_again) {
  summary_["etdump_count"] = 3;
  put_summary();
  EXPECT_EQ(defects(), "analysis_summary.json: etdump_count is 3, manifest.json names 2 recordings; run 'etalon analyze' again");
  SetUp();
  summary_["per_etdump"][0]["accounting"]["residual_ms"] = 7;
  put_summary();
  EXPECT_THAT(defects(), HasSubstr("do not add up"));
  SetUp();
  summary_["per_etdump"][0]["categories_ms"]["Convolution"] = 7;
  put_summary();
  EXPECT_THAT(defects(), HasSubstr("off, 1 thread: the categories add up to"));
  EXPECT_THAT(defects(), HasSubstr("off, 1 thread, Convolution: Convolution is 7, computed again it is"));
  SetUp();
  summary_["comparisons"][0]["candidate_ms"] = 3;
  put_summary();
  EXPECT_THAT(defects(), HasSubstr("off and on: candidate_ms is 3, computed again it is"));
  SetUp();
  ASSERT_EQ(summary_["comparisons"][0]["verdict"]["claim"], "faster");
  summary_["comparisons"][0]["verdict"]["claim"] = "equivalent";
  put_summary();
  EXPECT_EQ(defects(), "analysis_summary.json: off and on: the verdict is \"equivalent\", the samples give \"faster\"; run 'etalon analyze' again");
  summary_["comparisons"][0].erase("verdict");
  put_summary();
  EXPECT_THAT(defects(), HasSubstr("lacks the verdict that the samples give"));
  summary_["comparisons"] = json::array();
  put_summary();
  EXPECT_THAT(defects(), HasSubstr("holds 0 comparisons, computed again there are 1"));
}

TEST_F(Validate, the_page_must_show_the_analysis_of_the_folder) {
  put("report.html", std::string(kPageOpen) + R"({"report": {"schema": "x"}}</script>)");
  EXPECT_EQ(defects(), "report.html: shows another analysis than analysis_summary.json; run 'etalon analyze' again");
  put("report.html", std::string(kPageOpen) + "{</script>");
  EXPECT_EQ(defects(), "report.html: its data are damaged");
}

TEST_F(Validate, contradictions_of_the_manifest_are_found) {
  put("metrics.json", R"({"schema": "etalon.metrics/1", "results": []})");
  EXPECT_EQ(defects(), "metrics.json: results differ from those of manifest.json");
  SetUp();
  manifest_.generated_at = "yesterday";
  manifest_.compare_pairs[0].candidate_experiment = "none";
  put_manifest();
  EXPECT_THAT(defects(), HasSubstr("generated_at: found \"yesterday\""));
  EXPECT_THAT(defects(), HasSubstr("the comparison off and on names none, 1 thread, which has no result"));
  SetUp();
  manifest_.results.push_back(manifest_.results[0]);
  put_manifest();
  EXPECT_THAT(defects(), HasSubstr("off, 1 thread: stands there twice"));
  SetUp();
  manifest_.model.hash.clear();
  put_manifest();
  EXPECT_EQ(defects(), "manifest.json: has no hash of the model");
}

TEST_F(Validate, a_changed_model_an_interrupted_session_and_a_failed_run_are_found) {
  put_model("another model");
  EXPECT_THAT(defects(), HasSubstr("has changed since the run"));
  SetUp();
  manifest_.status = "running";
  put_manifest();
  EXPECT_THAT(defects(), HasSubstr("the session was interrupted"));
  SetUp();
  manifest_.results[0].status = "failed";
  manifest_.results[0].error = "crashed with SIGSEGV (11)";
  put_manifest();
  EXPECT_THAT(defects(), HasSubstr("off, 1 thread: failed: crashed with SIGSEGV (11)"));
}

TEST_F(Validate, each_schema_of_another_version_is_named) {
  for (const char* file : {"manifest.json", "metrics.json", "analysis_summary.json"}) {
    const std::string kept = read(file);
    json root = json::parse(kept);
    root["schema"] = "etalon.other/9";
    put(file, root.dump());
    EXPECT_THAT(defects(), HasSubstr(std::string(file) + ": schema: found \"etalon.other/9\"")) << file;
    put(file, kept);
  }
}

TEST_F(Validate, leftovers_of_interrupted_writes_are_found) {
  put("on/net.csv.tmp-12", "x");
  EXPECT_THAT(defects(), HasSubstr("on/net.csv.tmp-12: left over"));
}

TEST_F(Validate, a_folder_that_is_not_there_is_an_error) {
  EXPECT_EQ(validate_run_folder(folder_ + "/none").error().code(), ErrorCode::kNotFound);
}

// The Arm kit's folders: no schema, no samples, no hashes, no page.
TEST_F(Validate, folders_of_another_tool_are_checked_as_far_as_they_go) {
  std::filesystem::remove_all(folder_ + "/off");
  for (const char* file : {"metrics.json", "report.md", "report.html", "analysis_summary.json"}) std::filesystem::remove(folder_ + "/" + file);
  const std::string result = R"({"model": "m.pte", "results": [{"experiment": "on", "mode": "timing", "metrics":
      {"threads": 1, "latency_ms": [1, 2, 4], "median_ms": MEDIAN, "etdump": "on/net_on_t1.etdump"}}]})";
  std::string good = result;
  put("manifest.json", good.replace(good.find("MEDIAN"), 6, "2"));
  EXPECT_EQ(defects(), "");
  std::string bad = result;
  put("manifest.json", bad.replace(bad.find("MEDIAN"), 6, "3"));
  EXPECT_EQ(defects(), "manifest.json: on, 1 thread: median_ms is 3, the median of latency_ms is 2");
  put("manifest.json", good);
  put("on/net_on_t1.etdump", "not a recording");
  EXPECT_THAT(defects(), HasSubstr("on/net_on_t1.etdump: damaged"));
}

TEST(CsvRecords, quoted_cells_may_hold_anything) {
  const auto records = csv_records("a,b\n\"x, \"\"y\"\"\nz\",2\n\"cut");
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1][0], "x, \"y\"\nz");
  EXPECT_EQ(records[1].size(), 2U);
  EXPECT_EQ(records[2][0], "cut");
}

TEST_F(Validate, the_folder_can_be_reported_on) {
  const auto report = report_on_folder(folder_, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_EQ(report->profiles.size(), 2U);
  EXPECT_EQ(report->profiles[0].name, "off, 1 thread");
  EXPECT_DOUBLE_EQ(*report->profiles[0].accounting.untraced_ms, *manifest_.results[0].median_ms);
}

TEST_F(Validate, without_a_manifest_recordings_are_found_by_name) {
  std::filesystem::remove(folder_ + "/manifest.json");
  const auto report = report_on_folder(folder_, {});
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->profiles.size(), 2U);
  EXPECT_EQ(report->profiles[0].name, "net_off, 1 thread");
  EXPECT_FALSE(report->profiles[0].accounting.untraced_ms.has_value());
}

TEST(Manifest, takes_the_arm_kits_file_where_model_is_a_path) {
  const std::string folder = ::testing::TempDir() + "etalon_manifest_" + std::to_string(::getpid());
  ASSERT_TRUE(make_directories(folder).ok());
  ASSERT_TRUE(write_file(folder + "/manifest.json",
                         std::string_view(R"({"config": "c.json", "model": "m.pte", "results":
      [{"experiment": "on", "metrics": {"runs": 3, "threads": 2, "latency_ms": [1, 2], "median_ms": 1.5, "etdump": "on/x.etdump"}}]})"))
                  .ok());
  const auto manifest = read_manifest(folder);
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->model.path, "m.pte");
  EXPECT_EQ(manifest->results[0].threads, 2U);
  EXPECT_EQ(manifest->results[0].etdump, "on/x.etdump");
  EXPECT_FALSE(manifest->results[0].p95_ms.has_value());
}

TEST(Manifest, what_was_not_measured_is_absent) {
  Manifest manifest;
  RunResult result;
  result.experiment = "a";
  manifest.results = {result};
  const std::string text = metrics_json(manifest, "runs");
  for (const char* name : {"median_ms", "latency_ms", "load_ms", "etdump", "first_ms", "null"}) {
    EXPECT_EQ(text.find(name), std::string::npos) << name;
  }
}

TEST(ContentHash, agrees_with_the_standards_examples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

}  // namespace
}  // namespace etalon::analysis
