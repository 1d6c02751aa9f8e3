#include "cli/runner_worker.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "platform/memory.h"

namespace etalon::cli {

Result<int> take_stdout() {
  std::fflush(stdout);
  const int channel = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (channel < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return io_error("standard output: cannot be used");
  return channel;
}

void tell_failure(int channel, const Error& error) {
  std::string line = "error " + error.message();
  for (char& letter : line) {
    if (letter == '\n' || letter == '\r') letter = ' ';
  }
  line += '\n';
  [[maybe_unused]] const auto written = ::write(channel, line.data(), line.size());
}

measure::Figures worker_figures(const RunReport& report, const RunnerEngine& engine,
                                const std::optional<std::uint64_t>& baseline_rss) {
  measure::Figures out = {{"load_ms", report.load_ms}};
  const auto put = [&out](const char* name, const std::optional<std::uint64_t>& bytes) {
    if (bytes) out[name] = static_cast<double>(*bytes);
  };
  if (report.first_ms) out["first_ms"] = *report.first_ms;
  put("baseline_rss_bytes", baseline_rss);
  put("peak_rss_bytes", platform::peak_rss_bytes());
  std::uint64_t planned = 0;
  for (const std::int64_t size : engine.planned_buffer_sizes()) planned += static_cast<std::uint64_t>(size);
  put("planned_bytes", planned);
  const auto packed = engine.packed_bytes();
  if (!packed) return out;
  put("packed_weights_bytes", packed);
  const std::uint64_t known = planned + *packed;
  put("workspace_bytes", engine.memory_bytes() > known ? engine.memory_bytes() - known : 0);
  return out;
}

}  // namespace etalon::cli
