#include "targets/runner_output.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace etalon::targets {
namespace {

using nlohmann::json;

// The number at the start of `text`, which moves past it.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// From `mark` on, past it; nothing when the line does not hold it.
std::optional<std::string_view> after(std::string_view line, std::string_view mark) {
  const std::size_t at = line.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return line.substr(at + mark.size());
}

void read_iteration(std::string_view line, RunnerLog& log) {
  auto rest = after(line, "Iteration ");
  if (!rest || !take_number(*rest) || !take(*rest, " of ") || !take_number(*rest) || !take(*rest, ": "))
    return;
  const auto ms = take_number(*rest);
  if (ms && rest->starts_with(" ms")) log.iteration_ms.push_back(*ms);
}

void read_total(std::string_view line, RunnerLog& log) {
  auto rest = after(line, "Model executed successfully ");
  if (!rest) return;
  const auto count = take_number(*rest);
  if (!count || !take(*rest, " time(s) in ")) return;
  const auto total = take_number(*rest);
  if (!total || *count < 1 || *count > 1e9) return;
  log.executions = static_cast<std::uint64_t>(*count);
  log.total_ms = *total;
}

void read_load(std::string_view line, RunnerLog& log) {
  auto rest = after(line, "Model loaded in ");
  if (!rest) return;
  if (const auto ms = take_number(*rest)) log.load_ms = *ms;
}

// "E 00:00:00.001234 executorch:file.cpp:12] message"
void read_error(std::string_view line, RunnerLog& log) {
  if (line.size() < 4 || (line[0] != 'E' && line[0] != 'F') || line[1] != ' ') return;
  if (std::isdigit(static_cast<unsigned char>(line[2])) == 0) return;
  const std::size_t end = line.find("] ");
  log.last_error = end == std::string_view::npos ? line : line.substr(end + 2);
}

std::optional<double> number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

std::string text(const json& object, const char* name) {
  if (!object.is_object()) return "";
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

KernelUse kernel_use(const json& item) {
  KernelUse use;
  if (!item.is_object()) return use;
  use.instruction = static_cast<std::int64_t>(number(item, "instruction").value_or(-1));
  use.operation = text(item, "operator");
  use.kernel = text(item, "kernel");
  use.isa = text(item, "isa");
  use.wanted_isa = text(item, "isa_wanted");
  use.reason = text(item, "reason");
  use.tile = text(item, "tile");
  use.shape = text(item, "shape");
  const double threads = number(item, "threads").value_or(1);
  use.threads = threads >= 1 && threads <= 4096 ? static_cast<std::uint32_t>(threads) : 1;
  return use;
}

}  // namespace

RunnerLog parse_runner_log(std::string_view text_of_log) {
  RunnerLog log;
  while (!text_of_log.empty()) {
    const std::size_t end = text_of_log.find('\n');
    const std::string_view line = text_of_log.substr(0, end);
    read_iteration(line, log);
    read_total(line, log);
    read_load(line, log);
    read_error(line, log);
    if (end == std::string_view::npos) break;
    text_of_log.remove_prefix(end + 1);
  }
  return log;
}

Result<RunnerReport> parse_runner_report(std::string_view source) {
  const json root = json::parse(source.begin(), source.end(), nullptr, false);
  if (root.is_discarded() || !root.is_object())
    return invalid_input("the runner's report is not a JSON object");
  const auto runs = root.find("runs_ms");
  if (runs == root.end() || !runs->is_array())
    return invalid_input("the runner's report has no list runs_ms");
  RunnerReport report;
  for (const json& item : *runs) {
    if (!item.is_number() || !std::isfinite(item.get<double>()) || item.get<double>() < 0) {
      return invalid_input("the runner's report has a time in runs_ms that is not a number of milliseconds");
    }
    report.runs_ms.push_back(item.get<double>());
  }
  report.first_ms = number(root, "first_ms");
  report.load_ms = number(root, "load_ms");
  report.peak_rss_bytes = number(root, "peak_rss_bytes");
  report.engine = text(root, "engine");
  report.engine_version = text(root, "engine_version");
  report.engine_revision = text(root, "engine_revision");
  report.isa = text(root, "isa");
  const auto kernels = root.find("kernels");
  if (kernels == root.end() || !kernels->is_array()) return report;
  for (const json& item : *kernels) report.kernels.push_back(kernel_use(item));
  return report;
}

}  // namespace etalon::targets
