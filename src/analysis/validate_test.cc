#include "analysis/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "analysis/content_hash.h"
#include "analysis/manifest.h"
#include "analysis/profile_testing.h"
#include "analysis/run_report.h"
#include "base/file.h"

namespace etalon::analysis {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTimeline =
    "model_id,name,type,delegate_backend,start_us,end_us,duration_ms,pct_total,node_id,run_index,block,"
    "exclusive_ms\n";
constexpr const char* kStats =
    "model_id,name,type,delegate_backend,count,total_ms,avg_ms,pct_total,category\n";

class Validate : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_validate_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(make_directories(folder_ + "/fast").ok());
    put("../" + model_, "model");
    manifest_.model.path = folder_ + "/../" + model_;
    manifest_.model.hash = *hash_file(manifest_.model.path);
    manifest_.status = "complete";
    RunResult result;
    result.experiment = "fast";
    result.status = "ok";
    result.runs = 3;
    result.latency_ms = {1, 2, 4};
    result.median_ms = 2;
    result.etdump = "fast/net_fast_t1.etdump";
    result.log = "fast/net_fast_t1.log";
    result.samples = "fast/net_fast_t1_samples.json";
    manifest_.results = {result};
    put_manifest();
    put(result.log, "log\n");
    put(result.samples,
        R"({"schema": "etalon.samples/1", "launches": [{"runs_ms": [1, 2]}, {"runs_ms": [4]}]})");
    const auto bytes = formats::etdump::encode(dump_of({portable_run()}));
    ASSERT_TRUE(bytes.ok());
    ASSERT_TRUE(write_file(folder_ + "/" + result.etdump, *bytes).ok());
    put("fast/net_fast_t1_exec_all_runs_timeline.csv", kTimeline);
    put("fast/net_fast_t1_exec_run0_timeline.csv", kTimeline);
    put("fast/net_fast_t1_exec_ops_stats.csv", kStats);
    put("analysis_summary.json", summary(1, 0.5));
    put("report.md", "# report\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string summary(int count, double residual) {
    return R"({"schema": "etalon.analysis_summary/1", "etdump_count": )" + std::to_string(count) +
           R"(, "per_etdump": [{"accounting": {"run": "fast", "operators_ms": 1, "framework_ms": 0.5, "residual_ms": )" +
           std::to_string(residual) + R"(, "end_to_end_ms": 2}}]})";
  }
  void put(const std::string& file, const std::string& text) {
    ASSERT_TRUE(write_file(folder_ + "/" + file, text).ok());
  }
  void put_manifest() {
    put("manifest.json", manifest_json(manifest_, folder_));
    put("metrics.json", metrics_json(manifest_, folder_));
  }
  std::vector<Defect> defects() {
    const auto validation = validate_run_folder(folder_);
    EXPECT_TRUE(validation.ok());
    return validation.ok() ? validation->defects : std::vector<Defect>();
  }
  // The one defect, as "file: what".
  std::string only_defect() {
    const std::vector<Defect> found = defects();
    std::string text;
    for (const Defect& defect : found) text += (text.empty() ? "" : "\n") + defect.file + ": " + defect.what;
    return text;
  }

  std::string model_ = "etalon_validate_model_" + std::to_string(::getpid()) + ".pte";
  std::string folder_;
  Manifest manifest_;
};

TEST_F(Validate, a_whole_folder_has_no_defect) { EXPECT_EQ(only_defect(), ""); }

TEST_F(Validate, each_missing_file_is_named) {
  for (const char* file :
       {"metrics.json", "report.md", "analysis_summary.json", "fast/net_fast_t1.etdump",
        "fast/net_fast_t1.log", "fast/net_fast_t1_samples.json",
        "fast/net_fast_t1_exec_all_runs_timeline.csv", "fast/net_fast_t1_exec_run0_timeline.csv",
        "fast/net_fast_t1_exec_ops_stats.csv"}) {
    const std::string path = folder_ + "/" + file;
    const std::string kept = *read_text_file(path);
    std::filesystem::remove(path);
    EXPECT_EQ(only_defect(), std::string(file) + ": missing");
    put(file, kept);
  }
  std::filesystem::remove(folder_ + "/manifest.json");
  EXPECT_EQ(only_defect(), "manifest.json: missing");
}

TEST_F(Validate, damage_is_found_in_each_kind_of_file) {
  put("fast/net_fast_t1.etdump", "not a recording");
  EXPECT_THAT(only_defect(), HasSubstr("net_fast_t1.etdump: damaged"));
  SetUp();
  put("fast/net_fast_t1_exec_ops_stats.csv", "a,b\n");
  EXPECT_THAT(only_defect(), HasSubstr("columns: found \"a,b\""));
  SetUp();
  put("fast/net_fast_t1_exec_run0_timeline.csv", std::string(kTimeline) + "net,cut");
  EXPECT_THAT(only_defect(), HasSubstr("ends within a line"));
  SetUp();
  put("analysis_summary.json", "{");
  EXPECT_THAT(only_defect(), HasSubstr("analysis_summary.json: cannot be read"));
  SetUp();
  put("manifest.json", "[]");
  EXPECT_THAT(only_defect(), HasSubstr("manifest.json: cannot be read"));
}

TEST_F(Validate, contradictions_are_found) {
  put("analysis_summary.json", summary(2, 0.5));
  EXPECT_THAT(only_defect(), HasSubstr("etdump_count is 2, manifest.json names 1"));
  put("analysis_summary.json", summary(1, 0.1));
  EXPECT_THAT(only_defect(), HasSubstr("do not add up"));
  SetUp();
  put("metrics.json", R"({"schema": "etalon.metrics/1", "results": []})");
  EXPECT_THAT(only_defect(), HasSubstr("results differ from those of manifest.json"));
  SetUp();
  put("fast/net_fast_t1_samples.json",
      R"({"schema": "etalon.samples/1", "launches": [{"runs_ms": [1, 2, 5]}]})");
  EXPECT_THAT(only_defect(), HasSubstr("its times differ from latency_ms"));
  SetUp();
  manifest_.results[0].median_ms = 3;
  put_manifest();
  EXPECT_THAT(only_defect(), HasSubstr("median_ms is 3, the median of latency_ms is 2"));
}

TEST_F(Validate, a_changed_model_an_interrupted_session_and_a_failed_run_are_found) {
  put("../" + model_, "another model");
  EXPECT_THAT(only_defect(), HasSubstr("has changed since the run"));
  SetUp();
  manifest_.status = "running";
  put_manifest();
  EXPECT_THAT(only_defect(), HasSubstr("the session was interrupted"));
  SetUp();
  manifest_.results[0].status = "failed";
  manifest_.results[0].error = "crashed with SIGSEGV (11)";
  put_manifest();
  EXPECT_THAT(only_defect(), HasSubstr("fast, 1 thread: failed: crashed with SIGSEGV (11)"));
}

TEST_F(Validate, leftovers_of_interrupted_writes_are_found) {
  put("fast/net.csv.tmp-12", "x");
  EXPECT_THAT(only_defect(), HasSubstr("fast/net.csv.tmp-12: left over"));
}

TEST_F(Validate, a_folder_that_is_not_there_is_an_error) {
  EXPECT_EQ(validate_run_folder(folder_ + "/none").error().code(), ErrorCode::kNotFound);
}

TEST_F(Validate, the_folder_can_be_reported_on) {
  const auto report = report_on_folder(folder_, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_EQ(report->profiles.size(), 1U);
  EXPECT_EQ(report->profiles[0].name, "fast, 1 thread");
  EXPECT_DOUBLE_EQ(*report->profiles[0].accounting.untraced_ms, 2);
}

TEST_F(Validate, without_a_manifest_recordings_are_found_by_name) {
  std::filesystem::remove(folder_ + "/manifest.json");
  const auto report = report_on_folder(folder_, {});
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->profiles.size(), 1U);
  EXPECT_EQ(report->profiles[0].name, "net_fast, 1 thread");
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
