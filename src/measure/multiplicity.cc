#include "measure/multiplicity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace etalon::measure {
namespace {

double valid_p(double p_value) { return std::isnan(p_value) ? 1.0 : std::clamp(p_value, 0.0, 1.0); }

void adjust_holm(std::span<const std::size_t> ascending, std::vector<double>& p_values) {
  double largest = 0;
  for (std::size_t rank = 0; rank < ascending.size(); ++rank) {
    double& p_value = p_values[ascending[rank]];
    largest = std::max(largest, std::min(1.0, p_value * static_cast<double>(ascending.size() - rank)));
    p_value = largest;
  }
}

void adjust_benjamini_hochberg(std::span<const std::size_t> ascending, std::vector<double>& p_values) {
  const auto count = static_cast<double>(ascending.size());
  double smallest = 1;
  for (std::size_t rank = ascending.size(); rank > 0; --rank) {
    double& p_value = p_values[ascending[rank - 1]];
    smallest = std::min(smallest, p_value * (count / static_cast<double>(rank)));
    p_value = smallest;
  }
}

}  // namespace

std::vector<double> adjusted_p_values(std::span<const double> p_values, Family family) {
  std::vector<double> adjusted(p_values.size());
  std::transform(p_values.begin(), p_values.end(), adjusted.begin(), valid_p);
  std::vector<std::size_t> ascending(p_values.size());
  std::iota(ascending.begin(), ascending.end(), std::size_t{0});
  std::stable_sort(ascending.begin(), ascending.end(),
                   [&](std::size_t a, std::size_t b) { return adjusted[a] < adjusted[b]; });
  if (family == Family::kHolm) adjust_holm(ascending, adjusted);
  if (family == Family::kBenjaminiHochberg) adjust_benjamini_hochberg(ascending, adjusted);
  return adjusted;
}

double family_confidence(double confidence, std::size_t claims, std::size_t comparisons, Family family) {
  if (comparisons < 2) return confidence;
  const double share =
      family == Family::kHolm ? 1.0 : static_cast<double>(std::clamp<std::size_t>(claims, 1, comparisons));
  return 1 - (1 - confidence) * share / static_cast<double>(comparisons);
}

}  // namespace etalon::measure
