#include "analysis/profile_dtype.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace etalon::analysis {
namespace {

// "float16" for "F16", "int8" for "QDU8, F32, QC8W": the type of the activations comes first.
std::string dtype_of_label(std::string_view label) {
  const std::string_view first = label.substr(0, label.find(','));
  if (first.starts_with('Q')) return "int8";
  if (first == "F16") return "float16";
  if (first == "F32") return "float32";
  return "";
}

}  // namespace

std::string dtype_of(const Profile& profile) {
  if (!profile.dtype.empty()) return profile.dtype;
  std::map<std::string, double> times;
  for (const OperatorRow& row : profile.operators) {
    const std::string dtype = dtype_of_label(row.dtype);
    if (!dtype.empty()) times[dtype] += row.avg_ms;
  }
  const auto most = std::max_element(times.begin(), times.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == times.end() ? std::string() : most->first;
}

}  // namespace etalon::analysis
