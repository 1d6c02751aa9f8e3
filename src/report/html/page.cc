#include "report/html/page.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "analysis/taxonomy.h"
#include "report/text.h"

namespace etalon::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the UTF-8 character at the front, 0 when it is none. Overlong forms and surrogates are none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return length;
}

// Marks that turn the direction of the text after them, also of ours: U+202A to U+202E and U+2066 to U+2069.
bool turns_text(std::string_view character) {
  return (character >= "\xE2\x80\xAA" && character <= "\xE2\x80\xAE") || (character >= "\xE2\x81\xA6" && character <= "\xE2\x81\xA9");
}

void put_escaped(std::string& out, std::string_view character) {
  const char c = character.front();
  const auto byte = static_cast<unsigned char>(c);
  if (c == '<') out += "&lt;";
  else if (c == '>') out += "&gt;";
  else if (c == '&') out += "&amp;";
  else if (c == '"') out += "&quot;";
  else if (c == '\'') out += "&#39;";
  else if (byte < 0x20 || byte == 0x7F) out += ' ';
  else out += character;
}

}  // namespace

std::string escaped(std::string_view text, std::size_t width) {
  std::string out;
  for (std::size_t characters = 0; !text.empty(); ++characters) {
    if (characters == width) {
      out += "\u2026";
      break;
    }
    const std::size_t length = character_length(text);
    if (length == 0 || turns_text(text.substr(0, length))) out += kReplacement;
    else put_escaped(out, text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string optional_ms(const std::optional<double>& ms) { return ms ? milliseconds(*ms) : "-"; }

std::string ratio_text(double ratio) { return std::isfinite(ratio) ? fmt::format("{:.3f}", ratio) : "unbounded"; }

std::string sort_value(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{:.9g}", *value) : "";
}

std::string anchor(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 60)) {
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  }
  return out;
}

void Page::number(const std::optional<double>& value, std::string_view shown) {
  line("<td class=n data-v=\"{}\">{}</td>", sort_value(value), shown);
}

Scale::Scale(double low, double high, bool logarithmic, double room)
    : low_(low), high_(high), from_(low), to_(high), room_(room), logarithmic_(logarithmic) {
  if (logarithmic_) {
    from_ = std::log(std::max(low, 1e-300));
    to_ = std::log(std::max(high, 1e-300));
  }
}

double Scale::at(double value) const {
  if (std::isnan(value)) return 0;
  const double place = logarithmic_ ? std::log(std::max(value, 1e-300)) : value;
  const double share = to_ > from_ ? (place - from_) / (to_ - from_) : 0.5;
  return std::clamp(room_ + share * (100 - 2 * room_), 0.0, 100.0);
}

std::string category_class(std::string_view category) {
  if (category == "framework") return "cf";
  if (category == "residual") return "cr";
  if (category == analysis::kOtherCategory) return "c9";
  const auto& names = analysis::builtin_categories();
  const auto place = std::find(names.begin(), names.end(), category);
  if (place != names.end()) return fmt::format("c{}", std::min<std::ptrdiff_t>(place - names.begin(), 9));
  // A category of the user's: by its name, so that it keeps its colour from report to report.
  std::size_t sum = 0;
  for (const char c : category) sum += static_cast<unsigned char>(c);
  return fmt::format("c{}", 4 + sum % 5);
}

}  // namespace etalon::report
