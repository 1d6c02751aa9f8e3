#include "cli/advise/track_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/json_reading.h"
#include "base/file.h"
#include "cli/user_cache.h"

namespace etalon::cli {
namespace {

using analysis::AdviceOutcome;
using analysis::VerifiedAdvice;
using nlohmann::json;

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

Result<std::string> record_path() {
  ETALON_TRY(const std::string folder, user_cache_folder());
  return folder + "/advice_history.jsonl";
}

json line_of(const VerifiedAdvice& advice, std::string_view model, std::string_view when) {
  json line = {{"rule", advice.rule},
               {"model", model},
               {"when", when},
               {"remedy", analysis::remedy_kind_name(advice.remedy.kind)},
               {"value", advice.remedy.value},
               {"outcome", analysis::advice_outcome_name(advice.outcome)},
               {"ratio", advice.verdict->ratio},
               {"baseline_ms", advice.baseline_ms}};
  if (const auto held = prediction_held(advice)) line["prediction_held"] = *held;
  return line;
}

// One write of whole lines, so that two processes cannot mix theirs.
Status append(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return io_error(path + ": cannot be opened for writing");
  const ssize_t written = ::write(file, text.data(), text.size());
  const bool closed = ::close(file) == 0;
  if (written != static_cast<ssize_t>(text.size()) || !closed) return io_error(path + ": could not be written");
  return {};
}

void count(const json& line, std::vector<RuleRecord>& records) {
  const std::string rule = analysis::text_member(line, "rule");
  if (rule.empty()) return;
  auto found = std::find_if(records.begin(), records.end(), [&](const RuleRecord& r) { return r.rule == rule; });
  if (found == records.end()) found = records.insert(records.end(), RuleRecord{rule});
  ++found->tried;
  if (analysis::text_member(line, "outcome") == analysis::advice_outcome_name(AdviceOutcome::kKept)) ++found->kept;
  const json* held = analysis::member(line, "prediction_held");
  if (held == nullptr || !held->is_boolean()) return;
  ++found->predicted;
  if (held->get<bool>()) ++found->inside;
}

}  // namespace

std::optional<bool> prediction_held(const VerifiedAdvice& advice) {
  if (!advice.verdict || !advice.predicted_low_ms || !advice.predicted_high_ms) return std::nullopt;
  const double low = advice.baseline_ms * (1 - advice.verdict->interval.high);
  const double high = advice.baseline_ms * (1 - advice.verdict->interval.low);
  return low <= *advice.predicted_high_ms && high >= *advice.predicted_low_ms;
}

Status append_track_record(const std::vector<VerifiedAdvice>& advice, std::string_view model, std::string_view when) {
  std::string text;
  for (const VerifiedAdvice& item : advice) {
    if (!item.verdict) continue;
    text += line_of(item, model, when).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  }
  if (text.empty()) return {};
  ETALON_TRY(const std::string folder, user_cache_folder());
  ETALON_CHECKED(make_directories(folder));
  ETALON_TRY(const std::string path, record_path());
  return append(path, text);
}

Result<std::vector<RuleRecord>> read_track_record() {
  std::vector<RuleRecord> records;
  ETALON_TRY(const std::string path, record_path());
  if (!file_exists(path)) return records;
  ETALON_TRY(const std::string text, read_text_file(path, kMaxBytes));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const json line = json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                  text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (line.is_object()) count(line, records);
    begin = end + 1;
  }
  std::stable_sort(records.begin(), records.end(), [](const RuleRecord& a, const RuleRecord& b) { return a.tried > b.tried; });
  return records;
}

}  // namespace etalon::cli
