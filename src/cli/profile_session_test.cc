// Sessions against a scripted target: order, resuming, failures and what lies in the folder afterwards.
#include "cli/profile_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "analysis/profile_testing.h"
#include "analysis/run_report.h"
#include "analysis/validate.h"
#include "base/file.h"
#include "cli/run_analysis.h"
#include "formats/etdump/etdump.h"
#include "measure/samples.h"

namespace etalon::cli {
namespace {

using analysis::RunResult;
using targets::RunOutcome;
using targets::RunRequest;
using targets::Tracing;
using ::testing::HasSubstr;

class ScriptedTarget final : public targets::Target {
 public:
  Result<RunOutcome> run(const RunRequest& request) override {
    requests.push_back(request);
    RunOutcome outcome;
    if (static_cast<int>(requests.size()) == interrupt_at) return interrupted(outcome);
    const bool due = !crash_of.empty() && request.log_path.find(crash_of) != std::string::npos;
    if ((due && crash_after-- == 0) || request.extra_args == std::vector<std::string>{"crash"}) {
      outcome.error = "crashed with SIGSEGV (11)";
      return outcome;
    }
    outcome.ok = true;
    outcome.runs_ms.assign(request.iterations, request.tracing == Tracing::kOps ? 0.12 : 0.10);
    outcome.first_ms = 0.5;
    outcome.load_ms = 3;
    if (request.tracing == Tracing::kOps) record(request);
    return outcome;
  }
  std::map<std::string, std::string> facts() override { return {{"system", "scripted"}}; }
  std::string system_name() override { return "scripted"; }

  std::vector<RunRequest> requests;
  int interrupt_at = 0;
  std::string crash_of;  // a part of the log's path: that run crashes ...
  int crash_after = 0;   // ... after so many processes

 private:
  struct Interrupted {};
  [[noreturn]] static Result<RunOutcome> interrupted(const RunOutcome&) { throw Interrupted(); }
  static void record(const RunRequest& request) {
    std::vector<formats::etdump::RunData> runs(request.iterations, analysis::portable_run(1'200));
    const auto bytes = formats::etdump::encode(analysis::dump_of(runs));
    ASSERT_TRUE(bytes.ok());
    ASSERT_TRUE(write_file(request.etdump_path, *bytes).ok());
  }
};

class ProfileSession : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_session_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(make_directories(folder_).ok());
    ASSERT_TRUE(write_file(folder_ + "/net.pte", std::string_view("model")).ok());
    config_.model = folder_ + "/net.pte";
    config_.output_root = folder_ + "/runs";
    options_.sentinel_tolerance = 0;  // the machine may be busy with other tests, and launches are counted here
    add("a");
    add("b");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void add(const std::string& name) {
    measure::Experiment experiment;
    experiment.name = name;
    experiment.runner_path = "/bin/true";  // never started: the target is scripted
    experiment.runs = 10;
    config_.experiments.push_back(experiment);
  }
  SessionOutcome run() {
    auto outcome = run_session(config_, options_, target_, {});
    EXPECT_TRUE(outcome.ok()) << outcome.error().message();
    return outcome.ok() ? *outcome : SessionOutcome();
  }
  std::size_t timing_launches() const {
    return static_cast<std::size_t>(
        std::count_if(target_.requests.begin(), target_.requests.end(),
                      [](const RunRequest& r) { return r.tracing == Tracing::kOff; }));
  }

  std::string folder_;
  measure::Config config_;
  SessionOptions options_;
  ScriptedTarget target_;
};

TEST_F(ProfileSession, timing_and_tracing_are_separate_processes_and_timing_comes_first) {
  const SessionOutcome outcome = run();
  ASSERT_EQ(target_.requests.size(), 12U);  // two runs of three launches, timed and traced
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_EQ(target_.requests[i].tracing, i < 6 ? Tracing::kOff : Tracing::kOps);
  EXPECT_EQ(outcome.manifest.status, "complete");
  EXPECT_EQ(outcome.manifest.results[0].latency_ms.size(), 10U);
  EXPECT_DOUBLE_EQ(*outcome.manifest.results[0].median_ms, 0.10);
  EXPECT_DOUBLE_EQ(*outcome.manifest.results[0].cold_ms, 3.5);
  EXPECT_FALSE(outcome.manifest.results[0].packed_weights_bytes.has_value()) << "nobody told it";
}

TEST_F(ProfileSession, exactly_as_many_runs_are_measured_as_were_asked_for) {
  for (const std::uint32_t runs : {1U, 2U, 7U, 13U, 59U, 101U}) {
    config_.experiments[0].runs = runs;
    config_.experiments[1].runs = 100;
    const SessionOutcome outcome = run();
    EXPECT_EQ(outcome.manifest.results[0].latency_ms.size(), runs);
    EXPECT_EQ(outcome.manifest.results[1].latency_ms.size(), 100U);
    const auto recording =
        measure::read_recording(outcome.run_dir + "/" + outcome.manifest.results[0].samples);
    ASSERT_TRUE(recording.ok()) << recording.error().message();
    EXPECT_EQ(recording->arms.at(0).runs_ms(), outcome.manifest.results[0].latency_ms);
  }
}

TEST_F(ProfileSession, experiments_are_interleaved_in_one_session_with_a_control) {
  for (measure::Experiment& experiment : config_.experiments) experiment.runs = 60;
  const SessionOutcome outcome = run();
  const RunResult& a = outcome.manifest.results[0];
  const RunResult& b = outcome.manifest.results[1];
  EXPECT_EQ(a.session, b.session);
  EXPECT_EQ(a.control, b.control);
  ASSERT_EQ(timing_launches(), 10U * 2 + 5 * 2);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_THAT(target_.requests[i].log_path, HasSubstr("/a/")) << "control";
  std::size_t a_first = 0;
  for (std::size_t i = 10; i < 30; i += 2) {
    EXPECT_NE(target_.requests[i].log_path, target_.requests[i + 1].log_path);
    a_first += target_.requests[i].log_path.find("/a/") != std::string::npos ? 1U : 0U;
  }
  EXPECT_GT(a_first, 0U);
  EXPECT_LT(a_first, 10U);
  const auto report = analysis::report_on_folder(outcome.run_dir, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_EQ(report->comparisons.size(), 1U);
  const analysis::Comparison& compared = report->comparisons.front();
  EXPECT_TRUE(compared.interleaved);
  ASSERT_TRUE(compared.control && compared.verdict);
  EXPECT_TRUE(compared.control->ran);
  EXPECT_EQ(compared.verdict->claim, measure::Claim::kEquivalent);
  EXPECT_EQ(compared.verdict->launches, 10U);
}

TEST_F(ProfileSession, a_sequential_design_keeps_experiments_apart_and_says_so) {
  config_.design = measure::Design::kSequential;
  for (measure::Experiment& experiment : config_.experiments) experiment.runs = 60;
  const SessionOutcome outcome = run();
  ASSERT_EQ(timing_launches(), 20U);
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_THAT(target_.requests[i].log_path, HasSubstr(i < 10 ? "/a/" : "/b/"));
  const RunResult& a = outcome.manifest.results[0];
  const RunResult& b = outcome.manifest.results[1];
  EXPECT_NE(a.session, b.session);
  const auto report = analysis::report_on_folder(outcome.run_dir, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_EQ(report->comparisons.size(), 1U);
  EXPECT_FALSE(report->comparisons.front().interleaved);
  EXPECT_THAT(outcome.manifest.notes, ::testing::Contains(HasSubstr("one after the other")));
}

TEST_F(ProfileSession, recordings_of_all_traced_processes_are_joined) {
  for (measure::Experiment& experiment : config_.experiments) experiment.runs = 100;
  const SessionOutcome outcome = run();
  const RunResult& a = outcome.manifest.results[0];
  EXPECT_EQ(a.traced_launch_runs, (std::vector<std::uint64_t>(6, 10)));
  EXPECT_EQ(a.traced_warmup, 0U);
  const auto bytes = MappedFile::open(outcome.run_dir + "/" + a.etdump);
  ASSERT_TRUE(bytes.ok());
  const auto dump = formats::etdump::decode(bytes->bytes());
  ASSERT_TRUE(dump.ok()) << dump.error().message();
  EXPECT_EQ(dump->runs.size(), 60U);
}

TEST_F(ProfileSession, the_folder_is_whole_and_times_add_up) {
  const SessionOutcome outcome = run();
  const auto report = analyze_and_write(outcome.run_dir, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  const auto validation = analysis::validate_run_folder(outcome.run_dir);
  ASSERT_TRUE(validation.ok());
  for (const analysis::Defect& defect : validation->defects)
    ADD_FAILURE() << defect.file << ": " << defect.what;
  const analysis::Accounting& account = report->profiles[0].accounting;
  EXPECT_DOUBLE_EQ(account.operators_ms + account.framework_ms + account.residual_ms, 0.10);
  EXPECT_NEAR(*account.trace_overhead, 0.2, 1e-9);
  for (const char* file : {"a/net_a_t1.etdump", "a/net_a_t1.log", "a/net_a_t1_samples.json",
                           "a/net_a_t1_exec_all_runs_timeline.csv", "a/net_a_t1_exec_run0_timeline.csv",
                           "a/net_a_t1_exec_ops_stats.csv", "manifest.json", "metrics.json",
                           "analysis_summary.json", "report.md"}) {
    EXPECT_TRUE(file_exists(outcome.run_dir + "/" + file)) << file;
  }
}

TEST_F(ProfileSession, finished_runs_are_not_run_again_until_asked) {
  run();
  target_.requests.clear();
  EXPECT_EQ(run().reused, 2U);
  EXPECT_TRUE(target_.requests.empty());
  options_.fresh = true;
  EXPECT_EQ(run().reused, 0U);
  EXPECT_EQ(target_.requests.size(), 12U);
}

TEST_F(ProfileSession, a_changed_setting_runs_that_experiment_again) {
  run();
  target_.requests.clear();
  config_.experiments[1].runs = 20;
  EXPECT_EQ(run().reused, 1U);
  for (const RunRequest& request : target_.requests) EXPECT_THAT(request.log_path, HasSubstr("/b/"));
}

TEST_F(ProfileSession, an_interrupted_session_goes_on_where_it_stopped) {
  target_.interrupt_at = 4;
  EXPECT_ANY_THROW((void)run_session(config_, options_, target_, {}));
  target_.interrupt_at = 0;
  target_.requests.clear();
  const SessionOutcome outcome = run();
  EXPECT_EQ(timing_launches(), 4U) << "of three launches of both, one was whole";
  EXPECT_EQ(outcome.manifest.results[0].latency_ms.size(), 10U);
  EXPECT_EQ(outcome.manifest.results[1].latency_ms.size(), 10U);
}

TEST_F(ProfileSession, a_crash_fails_one_run_and_keeps_the_others) {
  config_.experiments[0].extra_args = {"crash"};
  const SessionOutcome outcome = run();
  EXPECT_EQ(outcome.failed, 1U);
  EXPECT_EQ(outcome.manifest.status, "failed");
  EXPECT_EQ(outcome.manifest.results[0].status, "failed");
  EXPECT_THAT(outcome.manifest.results[0].error, HasSubstr("SIGSEGV"));
  EXPECT_FALSE(outcome.manifest.results[0].median_ms.has_value());
  EXPECT_EQ(outcome.manifest.results[1].status, "ok");
  EXPECT_THAT(*read_text_file(outcome.run_dir + "/" + outcome.manifest.results[0].log), HasSubstr("SIGSEGV"));
  target_.requests.clear();
  config_.experiments[0].extra_args.clear();
  EXPECT_EQ(run().reused, 1U);
}

TEST_F(ProfileSession, a_crash_in_the_middle_fails_one_run_and_the_others_go_on) {
  for (measure::Experiment& experiment : config_.experiments) experiment.runs = 60;
  target_.crash_of = "/b/";
  target_.crash_after = 4;
  const SessionOutcome outcome = run();
  const RunResult& a = outcome.manifest.results[0];
  const RunResult& b = outcome.manifest.results[1];
  EXPECT_EQ(a.status, "ok");
  EXPECT_EQ(a.latency_ms.size(), 60U);
  EXPECT_EQ(b.status, "failed");
  EXPECT_THAT(b.error, HasSubstr("SIGSEGV"));
  EXPECT_FALSE(b.median_ms.has_value());
  EXPECT_TRUE(b.etdump.empty());
  const auto kept = measure::read_recording(outcome.run_dir + "/" + b.samples);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_EQ(kept->arms.at(0).launches.size(), 4U) << "what was measured before is kept";

  target_.crash_of.clear();
  const SessionOutcome again = run();
  EXPECT_EQ(again.reused, 1U);
  EXPECT_EQ(again.manifest.results[1].latency_ms.size(), 60U);
  EXPECT_NE(again.manifest.results[0].session, again.manifest.results[1].session)
      << "its partner was measured at another time";
  EXPECT_THAT(again.manifest.notes, ::testing::Contains(HasSubstr("different sessions")));
}

TEST_F(ProfileSession, only_leaves_the_results_of_others_in_place) {
  run();
  options_.only = {"a"};
  options_.fresh = true;
  const SessionOutcome outcome = run();
  ASSERT_EQ(outcome.manifest.results.size(), 2U);
  EXPECT_EQ(outcome.manifest.results[1].experiment, "b");
  options_.only = {"c"};
  EXPECT_FALSE(run_session(config_, options_, target_, {}).ok());
}

TEST_F(ProfileSession, a_kernel_run_gives_kernels_and_no_latency) {
  config_.experiments.resize(1);
  config_.experiments[0].mode = measure::Mode::kXnntrace;
  const SessionOutcome outcome = run();
  ASSERT_EQ(target_.requests.size(), 1U);
  EXPECT_EQ(target_.requests[0].tracing, Tracing::kKernels);
  EXPECT_TRUE(file_exists(outcome.run_dir + "/a/net_a_t1_kernels.csv"));
  EXPECT_FALSE(outcome.manifest.results[0].median_ms.has_value());
}

}  // namespace
}  // namespace etalon::cli
