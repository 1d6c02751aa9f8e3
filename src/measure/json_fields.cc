#include "measure/json_fields.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace etalon::measure {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// nlohmann keeps the last of two equal keys silently; this notices the first repetition.
class RepetitionCheck {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) too_deep = true;
    if (event == json::parse_event_t::object_start) open_.emplace_back();
    if (event == json::parse_event_t::object_end && !open_.empty()) open_.pop_back();
    if (event == json::parse_event_t::key && !open_.empty()) {
      const std::string name = parsed.get<std::string>();
      if (!open_.back().insert(name).second && repeated.empty()) repeated = name;
    }
    return true;
  }
  std::string repeated;
  bool too_deep = false;

 private:
  std::vector<std::set<std::string>> open_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 5: ..." without the library's own tag.
std::string plain_message(std::string_view text) {
  const std::size_t end = text.find("] ");
  return std::string(end == std::string_view::npos ? text : text.substr(end + 2));
}

}  // namespace

Result<json> parse_strict_json(std::string_view text) {
  RepetitionCheck check;
  json value;
  try {
    value = json::parse(
        text.begin(), text.end(),
        [&check](int depth, json::parse_event_t event, json& parsed) { return check(depth, event, parsed); });
  } catch (const json::exception& error) {
    return invalid_input(fmt::format("not valid JSON: {}", plain_message(error.what())));
  }
  if (check.too_deep) return invalid_input(fmt::format("JSON is nested deeper than {} levels", kMaxDepth));
  if (!check.repeated.empty()) return invalid_input(fmt::format("field '{}' is given twice", check.repeated));
  return value;
}

std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& known) {
  const std::string_view shown = name.substr(0, 64);  // a hostile name must not cost quadratic time
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, shown.size() / 2);
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(shown, candidate);
    if (distance < best_distance || (distance == best_distance && best.empty())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string describe(const json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string Fields::at(std::string_view name) const {
  return where_.empty() ? std::string(name) : fmt::format("{}.{}", where_, name);
}

Status Fields::check_names(std::initializer_list<std::string_view> known) const {
  if (!object_.is_object()) {
    return invalid_input(fmt::format("{}: found {}, want an object",
                                     where_.empty() ? "configuration" : where_, describe(object_)));
  }
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string_view near = nearest_name(name, known);
    const std::string hint = near.empty() ? fmt::format("known fields: {}", fmt::join(known, ", "))
                                          : fmt::format("did you mean '{}'?", near);
    return invalid_input(fmt::format("unknown field '{}'; {}", at(name.substr(0, 64)), hint));
  }
  return {};
}

const json* Fields::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> Fields::text(const char* name, std::string fallback) const {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_string())
    return invalid_input(fmt::format("{}: found {}, want text", at(name), describe(*value)));
  return value->get<std::string>();
}

Result<std::uint32_t> count_value(const json& value, const std::string& where, std::uint32_t low,
                                  std::uint32_t high) {
  const bool whole =
      value.is_number_integer() && (value.is_number_unsigned() || value.get<std::int64_t>() >= 0);
  if (!whole || value.get<std::uint64_t>() < low || value.get<std::uint64_t>() > high) {
    return invalid_input(
        fmt::format("{}: found {}, want a whole number from {} to {}", where, describe(value), low, high));
  }
  return value.get<std::uint32_t>();
}

Result<std::uint32_t> Fields::count(const char* name, std::uint32_t fallback, std::uint32_t low,
                                    std::uint32_t high) const {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  return count_value(*value, at(name), low, high);
}

Result<std::vector<std::string>> Fields::texts(const char* name) const {
  std::vector<std::string> out;
  const json* value = find(name);
  if (value == nullptr) return out;
  if (!value->is_array()) {
    return invalid_input(fmt::format("{}: found {}, want a list of texts", at(name), describe(*value)));
  }
  for (const json& item : *value) {
    if (!item.is_string()) {
      return invalid_input(fmt::format("{}[{}]: found {}, want text", at(name), out.size(), describe(item)));
    }
    out.push_back(item.get<std::string>());
  }
  return out;
}

Result<std::map<std::string, std::string>> Fields::text_map(const char* name) const {
  std::map<std::string, std::string> out;
  const json* value = find(name);
  if (value == nullptr) return out;
  if (!value->is_object()) {
    return invalid_input(fmt::format("{}: found {}, want an object of texts", at(name), describe(*value)));
  }
  for (const auto& [key, item] : value->items()) {
    if (!item.is_string() && !item.is_number()) {
      return invalid_input(fmt::format("{}.{}: found {}, want text", at(name), key, describe(item)));
    }
    out[key] = item.is_string() ? item.get<std::string>() : item.dump();
  }
  return out;
}

}  // namespace etalon::measure
