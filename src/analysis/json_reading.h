// Reading JSON written by tools: what is absent or of another type reads as absent, never as an error.
#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace etalon::analysis {

inline constexpr std::size_t kMaxJsonBytes = std::size_t{256} << 20;

inline Result<nlohmann::json> read_json_file(const std::string& path) {
  ETALON_TRY(const std::string text, read_text_file(path, kMaxJsonBytes));
  nlohmann::json value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded())
    return invalid_input(path + ": not valid JSON; it was cut or edited, make it again");
  if (!value.is_object()) return invalid_input(path + ": found JSON that is not an object");
  return value;
}

inline const nlohmann::json* member(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

inline std::string text_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

inline std::optional<double> number_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json* value = member(object, name);
  if (value == nullptr || !value->is_number() || !std::isfinite(value->get<double>())) return std::nullopt;
  return value->get<double>();
}

inline std::optional<std::uint64_t> count_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json* value = member(object, name);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  return value->get<std::uint64_t>();
}

inline bool flag_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

inline std::vector<double> numbers_member(const nlohmann::json& object, const char* name) {
  std::vector<double> out;
  const nlohmann::json* value = member(object, name);
  if (value == nullptr || !value->is_array()) return out;
  for (const nlohmann::json& item : *value) {
    if (item.is_number() && std::isfinite(item.get<double>())) out.push_back(item.get<double>());
  }
  return out;
}

}  // namespace etalon::analysis
