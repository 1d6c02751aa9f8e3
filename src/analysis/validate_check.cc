#include "analysis/validate_check.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "analysis/json_reading.h"

namespace etalon::analysis {

bool Check::present(const std::string& file) {
  ++validation_.files_checked;
  std::error_code error;
  const auto size = std::filesystem::file_size(path_of(file), error);
  if (error) {
    defect(file, "missing");
    return false;
  }
  if (size == 0) defect(file, "empty");
  return size > 0;
}

bool Check::expected(const std::string& file) { return foreign_ && !file_exists(path_of(file)) ? false : present(file); }

std::optional<std::string> Check::text(const std::string& file) {
  auto read = read_text_file(path_of(file), kMaxJsonBytes);
  if (read.ok()) return std::move(read).value();
  defect(file, "cannot be read: {}", read.error().message());
  return std::nullopt;
}

std::optional<nlohmann::json> Check::object(const std::string& file, std::string_view schema) {
  if (!expected(file)) return std::nullopt;
  auto root = read_json_file(path_of(file));
  if (!root.ok()) {
    defect(file, "cannot be read: {}", root.error().message());
    return std::nullopt;
  }
  const std::string found = text_member(*root, "schema");
  if (found != schema && !(foreign_ && found.empty())) defect(file, "schema: found \"{}\", want \"{}\"", found.substr(0, 60), schema);
  return std::move(root).value();
}

bool nearly_equal(double a, double b) { return std::fabs(a - b) <= 1e-6 * std::max(std::fabs(a), std::fabs(b)) + 1e-9; }

std::vector<std::vector<std::string>> csv_records(std::string_view text) {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> record(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') record.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"') record.back() += text[++i];
      else quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      record.emplace_back();
    } else if (c == '\n') {
      records.push_back(std::move(record));
      record.assign(1, "");
    } else if (c != '\r') {
      record.back() += c;
    }
  }
  if (record.size() > 1 || !record.front().empty()) records.push_back(std::move(record));
  return records;
}

}  // namespace etalon::analysis
