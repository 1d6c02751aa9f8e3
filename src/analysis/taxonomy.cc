#include "analysis/taxonomy.h"

#include <cctype>
#include <unordered_map>

namespace etalon::analysis {
namespace {

using Table = std::unordered_map<std::string_view, std::string_view>;

template <class... Names>
void add_category(Table& table, std::string_view category, Names... names) {
  (table.emplace(std::string_view(names), category), ...);
}

const Table& builtin_table() {
  static const Table table = [] {
    Table made;
#define ETALON_CATEGORY(category, ...) add_category(made, category, __VA_ARGS__);
#include "analysis/taxonomy.def"
#undef ETALON_CATEGORY
    return made;
  }();
  return table;
}

std::string_view before(std::string_view text, std::string_view mark) {
  return text.substr(0, text.find(mark));
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string lower_with_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out.push_back(c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return out;
}

}  // namespace

const std::vector<std::string_view>& builtin_categories() {
  static const std::vector<std::string_view> names = {
#define ETALON_CATEGORY(category, ...) category,
#include "analysis/taxonomy.def"
#undef ETALON_CATEGORY
      kOtherCategory};
  return names;
}

std::string operator_base_name(std::string_view name) {
  name = before(name, " #");
  name = before(name, " (");
  name = without_prefix(name, "native_call_");
  const std::size_t scope = name.rfind("::");
  if (scope != std::string_view::npos) name.remove_prefix(scope + 2);
  name = without_prefix(name, "aten.");
  return lower_with_underscores(before(name, "."));
}

Taxonomy::Taxonomy(const std::map<std::string, std::vector<std::string>>& user) {
  for (const auto& [category, names] : user) {
    for (const std::string& name : names) user_[operator_base_name(name)] = category;
  }
}

std::string_view Taxonomy::category_of(std::string_view event_name) const {
  const std::string base = operator_base_name(event_name);
  if (const auto found = user_.find(base); found != user_.end()) return found->second;
  const auto found = builtin_table().find(base);
  return found == builtin_table().end() ? kOtherCategory : found->second;
}

}  // namespace etalon::analysis
