#include "measure/worker_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

extern char** environ;

namespace etalon::measure {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;
constexpr std::uint32_t kMaxRuns = 1'000'000;
constexpr int kGraceMilliseconds = 500;  // for a process that has closed its output to be gone

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

// Lines from a descriptor, with a time limit; what is left over waits for the next call.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  // Nothing at the end of the stream. Errors: kRunFailed (time is up), kResource (a line without end), kIo.
  Result<std::optional<std::string>> next(double timeout_seconds) {
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
    while (true) {
      const std::size_t end = buffer_.find('\n', searched_);
      if (end != std::string::npos) return take(end);
      searched_ = buffer_.size();
      if (buffer_.size() > kMaxLineBytes) return resource_error("a line of more than 64 MiB");
      const double left = std::chrono::duration<double>(deadline - Clock::now()).count();
      if (timeout_seconds > 0 && left <= 0) {
        return run_failed(fmt::format("no answer within {:.1f} s", timeout_seconds));
      }
      ETALON_TRY(const bool open, read_some(timeout_seconds > 0 ? left : 3600.0));
      if (!open) return std::optional<std::string>();
    }
  }

 private:
  std::optional<std::string> take(std::size_t end) {
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    searched_ = 0;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }

  Result<bool> read_some(double seconds) {
    pollfd waiting{fd_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(std::ceil(seconds * 1000), 1e6)));
    if (ready == 0 || (ready < 0 && errno == EINTR)) return true;
    std::array<char, 65536> chunk;
    const ssize_t got = ::read(fd_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) return true;
    if (got < 0) return io_error(fmt::format("cannot read: {}", std::strerror(errno)));
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
  std::string buffer_;
  std::size_t searched_ = 0;
};

// A socket's send() can be told not to raise SIGPIPE, a pipe's write() cannot: so the two sides talk over a
// socket, and plain descriptors (the worker's standard output) are written with write().
Status write_all(int fd, std::string_view text, bool is_socket) {
  while (!text.empty()) {
    const ssize_t put = is_socket ? ::send(fd, text.data(), text.size(), MSG_NOSIGNAL)
                                  : ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error(fmt::format("cannot write: {}", std::strerror(errno)));
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

std::optional<double> number_in(std::string_view word) {
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(number) || number < 0) {
    return std::nullopt;
  }
  return number;
}

// "12.5 13 first_ms=4": what is no figure is a time.
Status parse_answer(std::string_view text, std::vector<double>& times, Figures& figures) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    const bool is_figure = equals != std::string_view::npos && equals > 0;
    const auto number = number_in(is_figure ? word.substr(equals + 1) : word);
    if (!number) {
      return run_failed(fmt::format("found \"{}\", want {}", word.substr(0, 40),
                                    is_figure ? "name=number" : "nanoseconds"));
    }
    if (is_figure) {
      figures[std::string(word.substr(0, equals))] = *number;
    } else {
      times.push_back(*number);
    }
  }
  return {};
}

std::string end_of(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::strsignal(WTERMSIG(status));
    return fmt::format("crashed with signal {} ({})", WTERMSIG(status), name != nullptr ? name : "unknown");
  }
  return fmt::format("exited with {}", WEXITSTATUS(status));
}

class ProcessWorker : public Worker {
 public:
  ProcessWorker(pid_t child, Fd channel, const WorkerCommand& command)
      : child_(child),
        channel_(std::move(channel)),
        reader_(channel_.get()),
        name_(command.argv.front()),
        run_timeout_(command.run_timeout_seconds),
        quit_milliseconds_(static_cast<int>(std::clamp(command.quit_timeout_seconds, 0.0, 1e6) * 1000)) {}

  ~ProcessWorker() override {
    if (child_ <= 0) return;
    static_cast<void>(write_all(channel_.get(), "quit\n", true).ok());
    ::shutdown(channel_.get(), SHUT_WR);
    if (!reap(quit_milliseconds_)) {
      ::kill(-child_, SIGKILL);
      reap(-1);
    }
  }

  Status wait_until_ready(double timeout) {
    while (true) {
      ETALON_TRY(const std::string line, answer(timeout));
      if (line == "ready") return {};
      if (line.rfind("ready ", 0) == 0) return take_figures(std::string_view(line).substr(6));
      if (line.rfind("error ", 0) == 0) return run_failed(fmt::format("{}: {}", name_, line.substr(6)));
    }
  }

  Result<std::vector<double>> run(std::uint32_t runs) override {
    if (const Status asked = write_all(channel_.get(), fmt::format("run {}\n", runs), true); !asked.ok()) {
      return ended("the worker is gone");
    }
    ETALON_TRY(const std::string line, answer(run_timeout_));
    if (line.rfind("error ", 0) == 0) return run_failed(fmt::format("{}: {}", name_, line.substr(6, 2000)));
    if (line.rfind("ns ", 0) != 0) {
      return run_failed(fmt::format("{}: found \"{}\", want \"ns\" and times", name_, line.substr(0, 60)));
    }
    std::vector<double> times;
    ETALON_CHECKED(parse_answer(std::string_view(line).substr(3), times, figures_), name_);
    if (times.size() == runs) return times;
    return run_failed(fmt::format("{}: found {} times, want {}", name_, times.size(), runs));
  }

  Figures figures() const override { return figures_; }

 private:
  Status take_figures(std::string_view text) {
    std::vector<double> times;
    ETALON_CHECKED(parse_answer(text, times, figures_), name_);
    return times.empty() ? Status() : run_failed(name_ + ": told times before it was asked for any");
  }

  Result<std::string> answer(double timeout) {
    auto line = reader_.next(timeout);
    if (!line.ok()) return line.take_error().with_context(name_);
    if (!line->has_value()) return ended("closed its output");
    return **std::move(line);
  }

  Error ended(std::string_view otherwise) {
    if (!reap(kGraceMilliseconds)) return run_failed(fmt::format("{}: {}", name_, otherwise));
    return run_failed(fmt::format("{}: {}", name_, end_of(status_)));
  }

  // Waits at most so long, or for ever if negative; true once the process is gone.
  bool reap(int milliseconds) {
    for (int waited = 0; child_ > 0; ++waited) {
      const pid_t found = ::waitpid(child_, &status_, milliseconds < 0 ? 0 : WNOHANG);
      if (found == child_ || (found < 0 && errno != EINTR)) {
        ::kill(-child_, SIGKILL);  // what it left behind in its group
        child_ = 0;
      } else if (milliseconds >= 0 && waited >= milliseconds) {
        return false;
      } else if (found == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    return true;
  }

  pid_t child_;
  Fd channel_;
  LineReader reader_;
  std::string name_;
  double run_timeout_;
  int quit_milliseconds_;
  Figures figures_;
  int status_ = 0;
};

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (added.count(std::string(text.substr(0, text.find('=')))) == 0) merged.emplace_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(fmt::format("{}={}", name, value));
  return merged;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> spawn(const WorkerCommand& command, int channel) {
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> environment = merged_environment(command.environment);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  if (!command.error_path.empty()) {
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, command.error_path.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0666);
  }
  ::posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, channel, STDOUT_FILENO);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, arguments.front().c_str(), &actions, &attributes,
                                     pointers_to(arguments).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failure == ENOENT) return not_found(fmt::format("{}: no such program", command.argv.front()));
  if (failure != 0) {
    return run_failed(fmt::format("{}: cannot be started: {}", command.argv.front(), std::strerror(failure)));
  }
  return child;
}

Result<std::uint32_t> requested_runs(std::string_view line) {
  std::uint32_t runs = 0;
  if (line.substr(0, 4) == "run ") {
    const auto [end, error] = std::from_chars(line.data() + 4, line.data() + line.size(), runs);
    if (error == std::errc() && end == line.data() + line.size() && runs > 0 && runs <= kMaxRuns) return runs;
  }
  return invalid_input(fmt::format("found \"{}\", want \"run N\" with N from 1 to {}, or \"quit\"",
                                   line.substr(0, 60), kMaxRuns));
}

std::string one_line(std::string text) {
  for (char& letter : text) {
    if (letter == '\n' || letter == '\r') letter = ' ';
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<Worker>> launch_worker_process(const WorkerCommand& command) {
  if (command.argv.empty() || command.argv.front().empty()) return invalid_input("no program to run");
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return io_error(fmt::format("cannot make a socket: {}", std::strerror(errno)));
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  ETALON_TRY(const pid_t child, spawn(command, theirs.get()));
  theirs.reset();
  auto worker = std::make_unique<ProcessWorker>(child, std::move(ours), command);
  ETALON_CHECKED(worker->wait_until_ready(command.load_timeout_seconds));
  return std::unique_ptr<Worker>(std::move(worker));
}

namespace {

// " name=value" of each that changed since it was last told.
std::string news(const std::function<Figures()>& figures, Figures& told) {
  if (!figures) return "";
  std::string text;
  for (const auto& [name, value] : figures()) {
    const auto known = told.find(name);
    if (known != told.end() && known->second == value) continue;
    told[name] = value;
    text += fmt::format(" {}={}", name, value);
  }
  return text;
}

}  // namespace

Status serve_worker(int input, int output,
                    const std::function<Result<std::vector<double>>(std::uint32_t runs)>& run,
                    const std::function<Figures()>& figures) {
#ifdef __linux__
  // Nobody reads what a worker measures after the one who asked is gone, and it would disturb what comes next.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  LineReader reader(input);
  Figures told;
  ETALON_CHECKED(write_all(output, "ready" + news(figures, told) + "\n", false));
  while (true) {
    ETALON_TRY(const std::optional<std::string> line, reader.next(0));
    if (!line || *line == "quit") return {};
    ETALON_TRY(const std::uint32_t runs, requested_runs(*line));
    const Result<std::vector<double>> times = run(runs);
    std::string reply = times.ok() ? "ns" : "error " + one_line(times.error().message());
    if (times.ok()) {
      for (const double time : *times) reply += fmt::format(" {:.0f}", time);
      reply += news(figures, told);
    }
    reply += '\n';
    ETALON_CHECKED(write_all(output, reply, false));
  }
}

}  // namespace etalon::measure
