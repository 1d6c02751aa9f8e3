#include "cli/streams.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace etalon::cli {
namespace {

bool reader_left(int fd) {
  pollfd state{fd, POLLOUT, 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void prepare_streams() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) ::close(fd);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void say(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void say_error(std::string_view program, const Error& error) {
  std::string text = error.message();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  say(fmt::format("{}: {}", program, text));
  if (error.code() == ErrorCode::kInternal) say(fmt::format("{}: this is a defect, please report it", program));
}

Status finish_stdout() {
  const bool flushed = std::fflush(stdout) == 0;
  if ((flushed && std::ferror(stdout) == 0) || reader_left(STDOUT_FILENO)) return {};
  return io_error("standard output: cannot be written; is the disk full?");
}

}  // namespace etalon::cli
