#include "measure/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace etalon::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

WorkerCommand shell(const std::string& script) {
  WorkerCommand command;
  command.argv = {"/bin/sh", "-c", script};
  command.load_timeout_seconds = 20;
  command.run_timeout_seconds = 20;
  return command;
}

std::string launch_error(const WorkerCommand& command) {
  const auto worker = launch_worker_process(command);
  return worker.ok() ? "(launched)" : worker.error().message();
}

std::string run_error(const std::string& after_ready, double timeout = 20) {
  WorkerCommand command = shell("echo ready; read line; " + after_ready);
  command.run_timeout_seconds = timeout;
  const auto worker = launch_worker_process(command);
  if (!worker.ok()) return worker.error().message();
  const auto times = (*worker)->run(2);
  return times.ok() ? "(ran)" : times.error().message();
}

TEST(WorkerProcess, is_asked_for_runs_and_answers_with_times) {
  const auto worker =
      launch_worker_process(shell("echo loading; echo ready; while read word count; do [ $word = run ] && "
                                  "echo \"ns 5 6.5 $count\"; done"));
  ASSERT_TRUE(worker.ok()) << worker.error().message();
  for (int i = 0; i < 3; ++i) {
    const auto times = (*worker)->run(3);
    ASSERT_TRUE(times.ok()) << times.error().message();
    EXPECT_THAT(*times, ElementsAre(5, 6.5, 3));
  }
}

TEST(WorkerProcess, gets_its_environment) {
  WorkerCommand command = shell("echo ready; read line; echo \"ns $FIRST 2\"");
  command.environment = {{"FIRST", "41"}};
  const auto worker = launch_worker_process(command);
  ASSERT_TRUE(worker.ok());
  EXPECT_THAT(*(*worker)->run(2), ElementsAre(41, 2));
}

TEST(WorkerProcess, figures_come_with_ready_and_with_times_and_the_last_counts) {
  const auto worker = launch_worker_process(
      shell("echo ready load_ms=2.5 peak=10; read line; echo 'ns 5 first_ms=7 6 peak=12'; read line"));
  ASSERT_TRUE(worker.ok()) << worker.error().message();
  EXPECT_EQ((*worker)->figures(), (Figures{{"load_ms", 2.5}, {"peak", 10}}));
  EXPECT_THAT(*(*worker)->run(2), ElementsAre(5, 6));
  EXPECT_EQ((*worker)->figures(), (Figures{{"load_ms", 2.5}, {"first_ms", 7}, {"peak", 12}}));
  EXPECT_EQ(launch_error(shell("echo ready load_ms=fast")), "/bin/sh: found \"load_ms=fast\", want name=number");
  EXPECT_EQ(launch_error(shell("echo ready 5")), "/bin/sh: told times before it was asked for any");
  EXPECT_EQ(run_error("echo ns 1 =2; read line"), "/bin/sh: found \"=2\", want nanoseconds");
}

TEST(WorkerProcess, its_errors_are_appended_to_a_file) {
  const std::string path = ::testing::TempDir() + "etalon_worker_" + std::to_string(::getpid());
  WorkerCommand command = shell("echo loading >&2; echo ready; read line");
  command.error_path = path;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(launch_worker_process(command).ok());
  EXPECT_EQ(*read_text_file(path), "loading\nloading\n");
  ::unlink(path.c_str());
}

TEST(WorkerProcess, a_worker_that_writes_before_it_ends_gets_the_time_it_needs) {
  const std::string path = ::testing::TempDir() + "etalon_worker_end_" + std::to_string(::getpid());
  WorkerCommand command = shell("echo ready; read line; sleep 0.7; echo whole >" + path);
  command.quit_timeout_seconds = 20;
  ASSERT_TRUE(launch_worker_process(command).ok());
  EXPECT_TRUE(file_exists(path));
  ::unlink(path.c_str());
}

TEST(WorkerProcess, every_way_to_fail_before_it_is_ready_is_told) {
  EXPECT_THAT(launch_error({}), HasSubstr("no program to run"));
  WorkerCommand missing;
  missing.argv = {"/nonexistent/worker"};
  EXPECT_EQ(launch_error(missing), "/nonexistent/worker: no such program");
  EXPECT_EQ(launch_error(shell("exit 3")), "/bin/sh: exited with 3");
  EXPECT_EQ(launch_error(shell("echo error no such model")), "/bin/sh: no such model");
  WorkerCommand silent = shell("sleep 30");
  silent.load_timeout_seconds = 0.1;
  EXPECT_THAT(launch_error(silent), HasSubstr("no answer within 0.1 s"));
}

TEST(WorkerProcess, every_way_to_fail_a_run_is_told) {
  EXPECT_THAT(run_error("kill -SEGV $$"), HasSubstr("/bin/sh: crashed with signal 11"));
  EXPECT_EQ(run_error("exit 4"), "/bin/sh: exited with 4");
  EXPECT_EQ(run_error("echo error out of memory; read line"), "/bin/sh: out of memory");
  EXPECT_EQ(run_error("echo hello; read line"), "/bin/sh: found \"hello\", want \"ns\" and times");
  EXPECT_EQ(run_error("echo ns 1 x; read line"), "/bin/sh: found \"x\", want nanoseconds");
  EXPECT_EQ(run_error("echo ns 1; read line"), "/bin/sh: found 1 times, want 2");
  EXPECT_THAT(run_error("sleep 30", 0.1), HasSubstr("no answer within 0.1 s"));
}

// Serves on one end of a socket while `talk` uses the other; what serve_worker() returned.
template <class Talk>
Status served(Talk talk) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Status status;
  std::thread server([&] {
    status = serve_worker(ends[1], ends[1], [](std::uint32_t runs) -> Result<std::vector<double>> {
      if (runs == 13) return run_failed("bad\nluck");
      return std::vector<double>(runs, 1234.4);
    });
    ::shutdown(ends[1], SHUT_RDWR);
  });
  talk(ends[0]);
  server.join();
  ::close(ends[0]);
  ::close(ends[1]);
  return status;
}

std::string all_of(int fd) {
  std::string text;
  char buffer[256];
  for (ssize_t got = ::read(fd, buffer, sizeof(buffer)); got > 0; got = ::read(fd, buffer, sizeof(buffer))) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

TEST(WorkerProcess, the_other_side_answers_until_it_is_told_to_quit) {
  std::string said;
  const Status status = served([&](int fd) {
    const std::string_view request = "run 2\nrun 13\nrun 1\nquit\n";
    ASSERT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    said = all_of(fd);
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(said, "ready\nns 1234 1234\nerror bad luck\nns 1234\n");
}

TEST(WorkerProcess, the_other_side_tells_figures_when_they_change) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const std::string_view request = "run 1\nrun 1\nrun 1\nquit\n";
  ASSERT_EQ(::write(ends[0], request.data(), request.size()), static_cast<ssize_t>(request.size()));
  int runs = 0;
  const Status served = serve_worker(
      ends[1], ends[1],
      [&](std::uint32_t) -> Result<std::vector<double>> {
        ++runs;
        return std::vector<double>{10};
      },
      [&] { return Figures{{"load_ms", 1.5}, {"late", runs >= 2 ? 4 : 0}}; });
  ::close(ends[1]);
  EXPECT_TRUE(served.ok());
  EXPECT_EQ(all_of(ends[0]), "ready late=0 load_ms=1.5\nns 10\nns 10 late=4\nns 10\n");
  ::close(ends[0]);
}

TEST(WorkerProcess, a_line_that_is_no_request_is_an_error) {
  for (const std::string request : {"jump\n", "run\n", "run 0\n", "run 5x\n", "run 99999999\n"}) {
    const Status status = served([&](int fd) {
      ASSERT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
      static_cast<void>(all_of(fd));
    });
    ASSERT_FALSE(status.ok()) << request;
    EXPECT_THAT(status.error().message(), HasSubstr("want \"run N\""));
  }
}

}  // namespace
}  // namespace etalon::measure
