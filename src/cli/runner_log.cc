#include "cli/runner_log.h"

#include <fmt/core.h>

#include <cstring>

#include "cli/streams.h"
#include "platform/clock.h"

namespace etalon::cli {
namespace {

std::uint64_t microseconds_since_start() {
  static const std::uint64_t start = platform::now_ns();
  return (platform::now_ns() - start) / 1000;
}

}  // namespace

void log_line(char level, const char* file, int line, std::string_view message) {
  const char* slash = std::strrchr(file, '/');
  const std::uint64_t time = microseconds_since_start();
  const std::uint64_t seconds = time / 1'000'000;
  say(fmt::format("{} {:02}:{:02}:{:02}.{:06} executorch:{}:{}] {}", level, seconds / 3600, seconds / 60 % 60,
             seconds % 60, time % 1'000'000, slash == nullptr ? file : slash + 1, line, message));
}

}  // namespace etalon::cli
