// Reading JSON objects strictly: every field is named, typed and ranged, and unknown ones are errors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::measure {

// Text -> value; errors: not JSON (with line and column), a field given twice in one object.
Result<nlohmann::json> parse_strict_json(std::string_view text);

// The one of `known` closest to `name`; empty when none is near enough to be a slip of the pen.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& known);

// A borrowed JSON object; `where` names it in messages ("experiments[0]"). An absent field and null are
// alike.
class Fields {
 public:
  Fields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {}

  // Must hold before anything else is read; errors name the field and the nearest known one.
  Status check_names(std::initializer_list<std::string_view> known) const;

  const nlohmann::json* find(const char* name) const;
  Result<std::string> text(const char* name, std::string fallback) const;
  Result<std::uint32_t> count(const char* name, std::uint32_t fallback, std::uint32_t low,
                              std::uint32_t high) const;
  Result<std::vector<std::string>> texts(const char* name) const;
  Result<std::map<std::string, std::string>> text_map(const char* name) const;

  std::string at(std::string_view name) const;  // "experiments[0].runs"
  const std::string& where() const { return where_; }

 private:
  const nlohmann::json& object_;
  std::string where_;
};

// "7", "\"seven\"", "a list": what was found, for messages.
std::string describe(const nlohmann::json& value);
Result<std::uint32_t> count_value(const nlohmann::json& value, const std::string& where, std::uint32_t low,
                                  std::uint32_t high);

}  // namespace etalon::measure
