#include "cli/console.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cli/streams.h"

namespace etalon::cli {
namespace {

bool environment_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

int terminal_width(int fallback) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) return size.ws_col;
  return fallback;
}

}  // namespace

Console::Console() {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  colour_ = ::isatty(STDOUT_FILENO) == 1 && !dumb && !environment_set("NO_COLOR");
  interactive_ = ::isatty(STDERR_FILENO) == 1 && !dumb;
  width_ = terminal_width(width_);
}

void Console::print(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), stdout); }

void Console::note(std::string_view line) const {
  if (!quiet_) say(line);
}

void Console::detail(std::string_view line) const {
  if (verbose_) say(line);
}

void Console::warn(std::string_view line) const { say(fmt::format("warning: {}", line)); }

void Console::progress(std::string_view label, std::size_t done, std::size_t total) const {
  if (quiet_ || !interactive_ || total == 0) return;
  constexpr std::size_t kCells = 30;
  const std::size_t filled = done * kCells / total;
  const std::string bar = fmt::format("\r\033[K{} [{}{}] {}/{}", label, std::string(filled, '#'),
                                      std::string(kCells - filled, '.'), done, total);
  std::fputs(bar.c_str(), stderr);
  if (done == total) std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

std::string Console::styled(const char* code, std::string_view text) const {
  return colour_ ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

}  // namespace etalon::cli
