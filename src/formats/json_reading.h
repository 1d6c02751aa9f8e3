// Checked access to parsed JSON. Only for .cc files of this layer.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fmt/format.h"
#include "simdjson.h"

namespace etalon::formats::json {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// Python's json module writes Infinity, -Infinity and NaN bare, which is no JSON. The text with them as strings; nothing
// where it has none.
inline std::optional<std::string> with_quoted_nonfinite(std::string_view text) {
  constexpr std::array<std::string_view, 3> kWords = {"-Infinity", "Infinity", "NaN"};
  std::string out;
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
      out += text.substr(i, end - i);
      i = end;
      continue;
    }
    const auto word = std::find_if(kWords.begin(), kWords.end(),
                                   [&](std::string_view known) { return text.substr(i, known.size()) == known; });
    if (word == kWords.end()) {
      out += text[i++];
      continue;
    }
    any = true;
    out.append("\"").append(*word).append("\"");
    i += word->size();
  }
  if (!any) return std::nullopt;
  return out;
}

// A document; elements are valid as long as it lives. Nesting is limited, because readers of it recurse.
class Document {
 public:
  static constexpr std::size_t kMaxDepth = 512;

  Status parse(Bytes text) {
    if (text.size() > simdjson::SIMDJSON_MAXSIZE_BYTES) return resource_error("more than 4 GiB of JSON");
    if (const auto code = parser_.allocate(text.size(), kMaxDepth); code != simdjson::SUCCESS) {
      return resource_error(simdjson::error_message(code));
    }
    auto code = parse_text(as_text(text));
    if (code == simdjson::SUCCESS) return {};
    if (const auto quoted = with_quoted_nonfinite(as_text(text))) code = parse_text(*quoted);
    if (code == simdjson::SUCCESS) return {};
    return invalid_input(fmt::format("damaged JSON: {}", simdjson::error_message(code)));
  }
  element root() const { return root_; }

 private:
  simdjson::error_code parse_text(std::string_view text) {
    return parser_.parse(text.data(), text.size()).get(root_);
  }

  simdjson::dom::parser parser_;
  element root_;
};

inline Error wrong(std::string_view what, std::string_view wanted) {
  return invalid_input(fmt::format("{} is not {}", what, wanted));
}

inline Result<object> to_object(element value, std::string_view what) {
  object out;
  if (value.get(out) != simdjson::SUCCESS) return wrong(what, "an object");
  return out;
}
inline Result<array> to_array(element value, std::string_view what) {
  array out;
  if (value.get(out) != simdjson::SUCCESS) return wrong(what, "a list");
  return out;
}
inline Result<std::string> to_text(element value, std::string_view what) {
  std::string_view out;
  if (value.get(out) != simdjson::SUCCESS) return wrong(what, "a string");
  return std::string(out);
}
inline Result<std::int64_t> to_int(element value, std::string_view what) {
  std::int64_t out = 0;
  if (value.get(out) != simdjson::SUCCESS) return wrong(what, "an integer");
  return out;
}
inline Result<bool> to_bool(element value, std::string_view what) {
  bool out = false;
  if (value.get(out) != simdjson::SUCCESS) return wrong(what, "true or false");
  return out;
}
// torch writes what JSON cannot say as strings.
inline Result<double> to_double(element value, std::string_view what) {
  double out = 0;
  if (value.get(out) == simdjson::SUCCESS) return out;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  }
  return wrong(what, "a number");
}

// A member that is there and not null.
inline std::optional<element> find(object from, std::string_view key) {
  element out;
  if (from.at_key(key).get(out) != simdjson::SUCCESS || out.is_null()) return std::nullopt;
  return out;
}
inline Result<element> require(object from, std::string_view key) {
  if (const auto out = find(from, key)) return *out;
  return invalid_input(fmt::format("'{}' is missing", key));
}
inline Result<std::string> require_text(object from, std::string_view key) {
  ETALON_TRY(const element value, require(from, key));
  return to_text(value, key);
}
inline Result<std::int64_t> require_int(object from, std::string_view key) {
  ETALON_TRY(const element value, require(from, key));
  return to_int(value, key);
}
inline Result<object> require_object(object from, std::string_view key) {
  ETALON_TRY(const element value, require(from, key));
  return to_object(value, key);
}
inline Result<std::string> text_or_empty(object from, std::string_view key) {
  const auto value = find(from, key);
  return value ? to_text(*value, key) : Result<std::string>(std::string());
}
inline Result<bool> bool_or(object from, std::string_view key, bool otherwise) {
  const auto value = find(from, key);
  return value ? to_bool(*value, key) : Result<bool>(otherwise);
}
inline Result<std::int64_t> int_or(object from, std::string_view key, std::int64_t otherwise) {
  const auto value = find(from, key);
  return value ? to_int(*value, key) : Result<std::int64_t>(otherwise);
}

// Converts each item with convert(element) -> Result<T>.
template <class T, class Convert>
Result<std::vector<T>> to_list(element value, std::string_view what, Convert&& convert) {
  ETALON_TRY(const array items, to_array(value, what));
  std::vector<T> out;
  out.reserve(items.size());
  for (const element item : items) {
    Result<T> converted = convert(item);
    if (!converted.ok()) return converted.take_error().with_context(fmt::format("{} {}", what, out.size()));
    out.push_back(std::move(converted).value());
  }
  return out;
}
// The same for a member; an empty list if it is missing.
template <class T, class Convert>
Result<std::vector<T>> list_or_empty(object from, std::string_view key, Convert&& convert) {
  const auto value = find(from, key);
  return value ? to_list<T>(*value, key, convert) : Result<std::vector<T>>(std::vector<T>());
}
// Members of an object, converted; an empty map if it is missing.
template <class T, class Convert>
Result<std::map<std::string, T>> map_or_empty(object from, std::string_view key, Convert&& convert) {
  std::map<std::string, T> out;
  const auto value = find(from, key);
  if (!value) return out;
  ETALON_TRY(const object members, to_object(*value, key));
  for (const auto member : members) {
    Result<T> converted = convert(member.value);
    if (!converted.ok()) return converted.take_error().with_context(fmt::format("{} '{}'", key, member.key));
    out.emplace(member.key, std::move(converted).value());
  }
  return out;
}

// The one member of a union, as torch writes it. Older ExecuTorch lists all members, the inactive ones null.
struct Member {
  std::string_view name;
  element value;
};
inline Result<Member> active_member(element value, std::string_view what) {
  ETALON_TRY(const object members, to_object(value, what));
  std::optional<Member> out;
  for (const auto member : members) {
    if (member.value.is_null()) continue;
    if (out) return invalid_input(fmt::format("{} has both '{}' and '{}'", what, out->name, member.key));
    out = Member{member.key, member.value};
  }
  if (!out) return invalid_input(fmt::format("{} has no member", what));
  return *out;
}

}  // namespace etalon::formats::json
