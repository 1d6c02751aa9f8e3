#include "platform/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#endif

extern char** environ;

namespace etalon::platform {
namespace {

using Clock = std::chrono::steady_clock;

// After the program has ended, background children may still hold the pipe; they get this long.
constexpr int kDrainMilliseconds = 200;

// The leader of the group that run_process() waits for; 0: none. Read by a signal handler.
std::atomic<pid_t> running_child{0};

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return io_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

bool is_executable_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string find_in_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable != nullptr ? variable : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string candidate = fmt::format("{}/{}", rest.substr(0, end), name);
    if (is_executable_file(candidate)) return candidate;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return name;
}

// Everything the child needs, made before fork() because only async-signal-safe calls are allowed after it.
struct Prepared {
  std::string program;
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::uint64_t cpu_mask = 0;
};

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (added.find(std::string(text.substr(0, text.find('=')))) == added.end()) merged.emplace_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(fmt::format("{}={}", name, value));
  return merged;
}

Result<Prepared> prepare(const Command& command) {
  if (command.argv.empty() || command.argv.front().empty()) return invalid_input("no program to run");
  Prepared prepared;
  prepared.program = find_in_path(command.argv.front());
  struct stat info {};
  if (::stat(prepared.program.c_str(), &info) != 0) {
    return not_found(fmt::format("{}: no such program", command.argv.front()));
  }
  if (!is_executable_file(prepared.program)) {
    return invalid_input(fmt::format("{}: is not an executable file; chmod +x it, or name the program itself",
                                     command.argv.front()));
  }
  prepared.environment = merged_environment(command.environment);
  prepared.cpu_mask = command.cpu_mask;
  return prepared;
}

void point_at(Prepared& prepared, const std::vector<std::string>& argv) {
  for (const std::string& argument : argv) prepared.argv.push_back(const_cast<char*>(argument.c_str()));
  prepared.argv.push_back(nullptr);
  for (std::string& entry : prepared.environment) prepared.envp.push_back(entry.data());
  prepared.envp.push_back(nullptr);
}

bool apply_cpu_mask(std::uint64_t mask) {
  if (mask == 0) return true;
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned cpu = 0; cpu < 64; ++cpu) {
    if ((mask >> cpu) & 1U) CPU_SET(cpu, &set);
  }
  return ::sched_setaffinity(0, sizeof(set), &set) == 0;
#else
  return false;
#endif
}

enum class ChildStep : int { kAffinity = 1, kExec = 2 };

struct ChildFailure {
  ChildStep step;
  int code;
};

[[noreturn]] void become(const Prepared& prepared, int output, int failures) {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  for (const int number : {SIGPIPE, SIGXFSZ}) ::signal(number, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ChildFailure failure{ChildStep::kAffinity, 0};
  if (apply_cpu_mask(prepared.cpu_mask)) {
    failure.step = ChildStep::kExec;
    ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.envp.data());
  }
  failure.code = errno;
  [[maybe_unused]] const ssize_t written = ::write(failures, &failure, sizeof(failure));
  ::_exit(127);
}

void append_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a full disk must not stop the measurement; the memory copy remains
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

class Collector {
 public:
  Collector(const Command& command, Fd log, ProcessEnd& end)
      : command_(command), log_(std::move(log)), end_(end) {}

  // False at the end of the stream.
  bool take(int fd) {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) return false;
    const auto size = static_cast<std::size_t>(got);
    if (log_.get() >= 0) append_all(log_.get(), buffer.data(), size);
    const std::size_t room =
        command_.max_captured_bytes - std::min(command_.max_captured_bytes, end_.output.size());
    end_.output.append(buffer.data(), std::min(room, size));
    end_.output_cut = end_.output_cut || size > room;
    return true;
  }

 private:
  const Command& command_;
  Fd log_;
  ProcessEnd& end_;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void record_status(int status, ProcessEnd& end) {
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
}

// Reads until the program has ended (or was killed) and its pipe is drained.
void supervise(pid_t child, int output, const Command& command, Collector& collector, Clock::time_point start,
               ProcessEnd& end) {
  bool open = true;
  bool running = true;
  Clock::time_point ended;
  while (running || open) {
    if (running && command.timeout_seconds > 0 && seconds_since(start) > command.timeout_seconds) {
      end.timed_out = true;
      ::kill(-child, SIGKILL);
    }
    if (open) {
      pollfd waiting{output, POLLIN, 0};
      const int ready = ::poll(&waiting, 1, 20);
      if (ready > 0) open = collector.take(output);
    } else {
      ::usleep(2000);
    }
    int status = 0;
    if (running && ::waitpid(child, &status, WNOHANG) == child) {
      record_status(status, end);
      end.wall_seconds = seconds_since(start);
      running = false;
      ended = Clock::now();
    }
    if (!running && open && seconds_since(ended) * 1000 > kDrainMilliseconds) break;
  }
  ::kill(-child, SIGKILL);  // what it left behind in its group
}

Result<Fd> open_log(const std::string& path) {
  if (path.empty()) return Fd();
  Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (log.get() < 0) return io_error(fmt::format("{}: cannot write the log: {}", path, std::strerror(errno)));
  return log;
}

Status child_started(const Fd& failures, const Command& command) {
  ChildFailure failure{};
  ssize_t got = 0;
  do {
    got = ::read(failures.get(), &failure, sizeof(failure));
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof(failure))) return {};
  if (failure.step == ChildStep::kAffinity) {
    return invalid_input(fmt::format("CPU mask {:#x} cannot be applied here: {}; name CPUs that exist",
                                     command.cpu_mask, std::strerror(failure.code)));
  }
  return invalid_input(
      fmt::format("{}: cannot be executed: {}", command.argv.front(), std::strerror(failure.code)));
}

std::string signal_name(int number) {
  const char* name = ::strsignal(number);
  switch (number) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGABRT:
      return "SIGABRT";
    case SIGILL:
      return "SIGILL";
    case SIGFPE:
      return "SIGFPE";
    case SIGBUS:
      return "SIGBUS";
    case SIGKILL:
      return "SIGKILL";
    case SIGTERM:
      return "SIGTERM";
    default:
      return name != nullptr ? name : "signal";
  }
}

// An interrupt between fork() and the note of the child would leave the child running.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    ::sigemptyset(&held);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&held, number);
    ::pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  void release() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }  // async-signal-safe

 private:
  sigset_t before_;
};

pid_t start_child(const Prepared& prepared, const Pipe& output, const Pipe& failures) {
  const HeldSignals held;
  const pid_t child = ::fork();
  if (child == 0) {
    held.release();
    become(prepared, output.write.get(), failures.write.get());
  }
  if (child < 0) return child;
  ::setpgid(child, child);  // both sides do it, so that an early kill finds the group
  running_child = child;
  return child;
}

}  // namespace

std::string ProcessEnd::describe() const {
  if (timed_out) return fmt::format("timed out after {:.1f} s", wall_seconds);
  if (signal) return fmt::format("crashed with {} ({})", signal_name(*signal), *signal);
  return fmt::format("exited with {}", exit_code.value_or(-1));
}

Result<ProcessEnd> run_process(const Command& command) {
  ETALON_TRY(Prepared prepared, prepare(command));
  point_at(prepared, command.argv);
  ETALON_TRY(Fd log, open_log(command.log_path));
  ETALON_TRY(Pipe output, make_pipe());
  ETALON_TRY(Pipe failures, make_pipe());
  const Clock::time_point start = Clock::now();
  const pid_t child = start_child(prepared, output, failures);
  if (child < 0) return io_error(fmt::format("cannot start a process: {}", std::strerror(errno)));
  output.write.close();
  failures.write.close();
  const Status started = child_started(failures.read, command);
  ProcessEnd end;
  Collector collector(command, std::move(log), end);
  supervise(child, output.read.get(), command, collector, start, end);
  running_child = 0;
  if (!started.ok()) return started.error();
  return end;
}

void end_running_process() noexcept {
  const pid_t child = running_child;
  if (child > 0) ::kill(-child, SIGKILL);
}

Result<std::string> own_executable() {
#ifdef __linux__
  std::string path(PATH_MAX, '\0');
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return io_error(fmt::format("cannot find the running program: {}", std::strerror(errno)));
  path.resize(static_cast<std::size_t>(size));
  return path;
#else
  return io_error("cannot find the running program on this system; name the runner");
#endif
}

bool is_executable(const std::string& path) { return is_executable_file(find_in_path(path)); }

}  // namespace etalon::platform
