#include "platform/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/file.h"

namespace etalon::platform {
namespace {

using ::testing::HasSubstr;

Command shell(const std::string& script) {
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  return command;
}

std::string temporary_file(const std::string& name) {
  return ::testing::TempDir() + "etalon_process_" + std::to_string(::getpid()) + "_" + name;
}

TEST(Process, merges_output_in_the_order_written) {
  const auto end = run_process(shell("echo one; echo two >&2; echo three"));
  ASSERT_TRUE(end.ok()) << end.error().message();
  EXPECT_TRUE(end->succeeded());
  EXPECT_EQ(end->output, "one\ntwo\nthree\n");
  EXPECT_EQ(end->describe(), "exited with 0");
}

TEST(Process, reports_the_exit_code) {
  const auto end = run_process(shell("exit 7"));
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->succeeded());
  EXPECT_EQ(end->exit_code, 7);
  EXPECT_FALSE(end->signal.has_value());
}

TEST(Process, reports_the_signal_of_a_crash) {
  const auto end = run_process(shell("echo before; kill -SEGV $$"));
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->exit_code.has_value());
  EXPECT_EQ(end->signal, SIGSEGV);
  EXPECT_EQ(end->output, "before\n");
  EXPECT_EQ(end->describe(), "crashed with SIGSEGV (11)");
}

TEST(Process, kills_the_whole_group_on_a_timeout) {
  const std::string marker = temporary_file("survivor");
  Command command = shell("(sleep 1; echo alive > '" + marker + "') & echo started; sleep 20");
  command.timeout_seconds = 0.3;
  const auto end = run_process(command);
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->timed_out);
  EXPECT_FALSE(end->succeeded());
  EXPECT_LT(end->wall_seconds, 10);
  EXPECT_EQ(end->output, "started\n");
  EXPECT_THAT(end->describe(), HasSubstr("timed out after"));
  ::usleep(1200 * 1000);
  EXPECT_FALSE(file_exists(marker));
}

TEST(Process, does_not_wait_for_children_left_in_the_background) {
  const auto end = run_process(shell("sleep 30 & echo done"));
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->succeeded());
  EXPECT_LT(end->wall_seconds, 10);
  EXPECT_EQ(end->output, "done\n");
}

TEST(Process, keeps_the_log_of_a_failed_run_and_appends_the_next) {
  const std::string log = temporary_file("log");
  Command command = shell("echo first; kill -ABRT $$");
  command.log_path = log;
  ASSERT_TRUE(run_process(command).ok());
  command.argv[2] = "echo second";
  ASSERT_TRUE(run_process(command).ok());
  const auto text = read_text_file(log);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "first\nsecond\n");
  ::unlink(log.c_str());
}

TEST(Process, captures_no_more_than_asked_but_logs_everything) {
  const std::string log = temporary_file("long");
  Command command = shell("head -c 300000 /dev/zero | tr '\\0' x");
  command.max_captured_bytes = 1000;
  command.log_path = log;
  const auto end = run_process(command);
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->output.size(), 1000U);
  EXPECT_TRUE(end->output_cut);
  EXPECT_EQ(read_text_file(log)->size(), 300000U);
  ::unlink(log.c_str());
}

TEST(Process, adds_environment_and_keeps_ours) {
  Command command = shell("echo $ETALON_PROCESS_TEST; test -n \"$PATH\"");
  command.environment["ETALON_PROCESS_TEST"] = "a b=c";
  const auto end = run_process(command);
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->succeeded());
  EXPECT_EQ(end->output, "a b=c\n");
}

TEST(Process, gives_no_standard_input) {
  const auto end = run_process(shell("cat; echo end"));
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->output, "end\n");
}

TEST(Process, names_a_program_that_does_not_exist) {
  Command command;
  command.argv = {"/nonexistent/runner"};
  const auto end = run_process(command);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(end.error().message(), HasSubstr("/nonexistent/runner"));
}

TEST(Process, refuses_a_file_that_is_not_executable) {
  const std::string path = temporary_file("plain");
  ASSERT_TRUE(write_file(path, "text").ok());
  Command command;
  command.argv = {path};
  const auto end = run_process(command);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), ErrorCode::kInvalidInput);
  EXPECT_FALSE(is_executable(path));
  EXPECT_TRUE(is_executable("sh"));
  ::unlink(path.c_str());
}

#ifdef __linux__
TEST(Process, applies_the_cpu_mask) {
  Command command = shell("grep Cpus_allowed: /proc/self/status");
  command.cpu_mask = 1;
  const auto end = run_process(command);
  ASSERT_TRUE(end.ok()) << end.error().message();
  const std::string digits = end->output.substr(end->output.find_last_of(" \t,") + 1);
  EXPECT_EQ(std::strtoul(digits.c_str(), nullptr, 16), 1UL);
}

TEST(Process, refuses_a_cpu_mask_without_cpus_of_this_machine) {
  if (::sysconf(_SC_NPROCESSORS_CONF) >= 64) GTEST_SKIP() << "this machine has every CPU of the mask";
  Command command = shell("true");
  command.cpu_mask = std::uint64_t{1} << 63;
  const auto end = run_process(command);
  ASSERT_FALSE(end.ok());
  EXPECT_THAT(end.error().message(), HasSubstr("0x8000000000000000"));
}
#endif

}  // namespace
}  // namespace etalon::platform
