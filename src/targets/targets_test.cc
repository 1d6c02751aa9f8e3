#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "targets/runner_output.h"
#include "targets/target.h"

namespace etalon::targets {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kLog =
    "I 00:00:00.000100 executorch:executor_runner.cpp:10] Model file m.pte is loaded.\n"
    "I 00:00:00.000200 executorch:executor_runner.cpp:20] Model loaded in 3.250000 ms.\n"
    "I 00:00:00.000300 executorch:executor_runner.cpp:30] Iteration 1 of 3: 5.000000 ms\n"
    "I 00:00:00.000400 executorch:executor_runner.cpp:30] Iteration 2 of 3: 2.000000 ms\n"
    "I 00:00:00.000500 executorch:executor_runner.cpp:30] Iteration 3 of 3: 1.500000 ms\n"
    "I 00:00:00.000600 executorch:executor_runner.cpp:40] Model executed successfully 3 time(s) in 8.500000 "
    "ms.\n";

TEST(RunnerLog, reads_the_lines_of_executor_runner) {
  const RunnerLog log = parse_runner_log(kLog);
  EXPECT_THAT(log.iteration_ms, ElementsAre(5.0, 2.0, 1.5));
  EXPECT_EQ(log.load_ms, 3.25);
  EXPECT_EQ(log.executions, 3U);
  EXPECT_EQ(log.total_ms, 8.5);
  EXPECT_EQ(log.last_error, "");
}

TEST(RunnerLog, keeps_the_last_error) {
  const RunnerLog log = parse_runner_log(
      "E 00:00:00.1 executorch:a.cpp:1] first\nF 00:00:00.2 executorch:b.cpp:2] Missing operator: [3] x\nEnd "
      "of it\n");
  EXPECT_EQ(log.last_error, "Missing operator: [3] x");
}

TEST(RunnerLog, takes_nothing_from_lines_that_only_look_alike) {
  const RunnerLog log = parse_runner_log(
      "Iteration x of 3: 5 ms\nIteration 1 of 3: nan ms\nIteration 1 of 3: -1 ms\nIteration 1 of 3: 1e999 "
      "ms\n"
      "Model executed successfully 0 time(s) in 1 ms.\nModel loaded in ms\nIteration 1 of");
  EXPECT_TRUE(log.iteration_ms.empty());
  EXPECT_FALSE(log.executions.has_value());
  EXPECT_FALSE(log.load_ms.has_value());
}

TEST(RunnerReport, reads_ours_and_refuses_others) {
  const auto report = parse_runner_report(
      R"({"runs_ms": [1.5, 2], "first_ms": 9, "isa": "avx2", "kernels": [{"operator": "aten::add.out", "kernel": "k", "isa": "sse"}]})");
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->runs_ms, ElementsAre(1.5, 2.0));
  EXPECT_EQ(report->first_ms, 9);
  EXPECT_FALSE(report->load_ms.has_value());
  ASSERT_EQ(report->kernels.size(), 1U);
  EXPECT_EQ(report->kernels[0].kernel, "k");
  for (const char* bad :
       {"", "{", "[]", "{}", R"({"runs_ms": 3})", R"({"runs_ms": ["x"]})", R"({"runs_ms": [-1]})"}) {
    EXPECT_FALSE(parse_runner_report(bad).ok()) << bad;
  }
}

class Host : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_targets_" + std::to_string(::getpid());
    ASSERT_TRUE(make_directories(folder_).ok());
    request_.runner = folder_ + "/runner";
    request_.own_runner = false;
    request_.model = "m.pte";
    request_.etdump_path = folder_ + "/x.etdump";
    request_.scratch_path = folder_ + "/scratch";
    request_.log_path = folder_ + "/run.log";
    ::unlink(request_.log_path.c_str());
  }
  void runner(const std::string& body) {
    ASSERT_TRUE(write_file(request_.runner, "#!/bin/sh\n" + body).ok());
    ::chmod(request_.runner.c_str(), 0755);
  }
  RunOutcome run() {
    auto outcome = HostTarget().run(request_);
    EXPECT_TRUE(outcome.ok());
    return outcome.ok() ? *outcome : RunOutcome();
  }
  std::string folder_;
  RunRequest request_;
};

TEST_F(Host, a_foreign_runner_gets_its_own_flags_only_and_warms_up_in_process) {
  request_.iterations = 10;
  request_.warmup = 3;
  request_.threads = 2;
  request_.inputs = {"a.bin", "b.bin"};
  EXPECT_THAT(command_line(request_),
              ElementsAre(request_.runner, "--model_path=m.pte", "--num_executions=13", "--cpu_threads=2",
                          "--etdump_path=" + folder_ + "/x.etdump", "--inputs=a.bin,b.bin"));
}

TEST_F(Host, our_runner_is_told_warmup_and_tracing) {
  request_.own_runner = true;
  request_.iterations = 10;
  request_.warmup = 3;
  request_.isa = "avx2";
  EXPECT_THAT(command_line(request_), Contains("--num_executions=10"));
  EXPECT_THAT(command_line(request_), Contains("--warmup=3"));
  EXPECT_THAT(command_line(request_), Contains("--trace=off"));
  EXPECT_THAT(command_line(request_), Contains("--isa=avx2"));
  EXPECT_THAT(command_line(request_), Not(Contains(HasSubstr("--etdump_path"))));
  request_.tracing = Tracing::kOps;
  EXPECT_THAT(command_line(request_), Contains(HasSubstr("--etdump_path")));
}

TEST_F(Host, sets_the_warmup_iterations_apart) {
  runner("cat >&2 <<'END'\n" + std::string(kLog) + "END\n");
  request_.iterations = 2;
  request_.warmup = 1;
  const RunOutcome outcome = run();
  EXPECT_TRUE(outcome.ok);
  EXPECT_THAT(outcome.warmup_ms, ElementsAre(5.0));
  EXPECT_THAT(outcome.runs_ms, ElementsAre(2.0, 1.5));
  EXPECT_EQ(outcome.first_ms, 5.0);
  EXPECT_EQ(outcome.load_ms, 3.25);
}

TEST_F(Host, an_old_runner_that_prints_a_total_gives_one_mean) {
  runner("echo 'I 00:00:00.1 executorch:r.cpp:1] Model executed successfully 4 time(s) in 8.0 ms.'\n");
  const RunOutcome outcome = run();
  EXPECT_THAT(outcome.runs_ms, ElementsAre(2.0));
  EXPECT_TRUE(outcome.runs_are_means);
  EXPECT_FALSE(outcome.first_ms.has_value());
}

TEST_F(Host, a_crash_says_how_it_ended_and_what_was_said_last_and_keeps_the_log) {
  runner("echo 'E 00:00:00.1 executorch:m.cpp:1] Backend X is not registered.' >&2\nkill -ABRT $$\n");
  const RunOutcome outcome = run();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.error, "crashed with SIGABRT (6): Backend X is not registered.");
  EXPECT_THAT(*read_text_file(request_.log_path), HasSubstr("Backend X"));
}

TEST_F(Host, a_hang_ends_at_the_time_limit) {
  runner("sleep 30\n");
  request_.timeout_seconds = 0.2;
  const RunOutcome outcome = run();
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("timed out"));
}

TEST_F(Host, our_runner_without_a_report_is_a_failed_run) {
  runner("exit 0\n");
  request_.own_runner = true;
  const RunOutcome outcome = run();
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("scratch.json"));
}

TEST_F(Host, facts_are_of_this_machine) {
  const auto facts = HostTarget().facts();
  EXPECT_TRUE(facts.count("system") == 1 && facts.count("architecture") == 1 &&
              facts.count("logical_cpus") == 1);
}

}  // namespace
}  // namespace etalon::targets
