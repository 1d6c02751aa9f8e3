// Which kind of work an operator does: one table for kernels and delegate events, which users extend.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace etalon::analysis {

inline constexpr std::string_view kOtherCategory = "Other";
inline constexpr std::string_view kDataMovement = "Data Movement";

// The built-in categories in the order in which reports list them; `Other` is last.
const std::vector<std::string_view>& builtin_categories();

// "convolution" for "native_call_convolution.out", "aten::convolution.out", "aten.convolution.default",
// "Convolution (NHWC, F32) IGEMM #1".
std::string operator_base_name(std::string_view event_name);

// Read-only after construction, so thread-safe.
class Taxonomy {
 public:
  // `user` maps a category (known or new) to operator names, which win over the built-in table.
  explicit Taxonomy(const std::map<std::string, std::vector<std::string>>& user = {});
  std::string_view category_of(std::string_view event_name) const;

 private:
  std::map<std::string, std::string, std::less<>> user_;
};

}  // namespace etalon::analysis
