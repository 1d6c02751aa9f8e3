#include "quantize/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace etalon::quantize {

void Agreement::add(std::span<const float> reference, std::span<const float> actual) {
  for (std::size_t i = 0; i < reference.size() && i < actual.size(); ++i) {
    const double wanted = static_cast<double>(reference[i]);
    const double found = static_cast<double>(actual[i]);
    const double error = found - wanted;
    signal_ += wanted * wanted;
    actual_ += found * found;
    product_ += wanted * found;
    noise_ += error * error;
    // A NaN must not vanish in a comparison, and stays.
    if (!std::isnan(max_error_) && !(std::abs(error) <= max_error_)) max_error_ = std::abs(error);
    ++count_;
  }
}

std::optional<double> Agreement::snr_db() const {
  if (signal_ == 0) return std::nullopt;
  if (noise_ == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_ / noise_);
}

std::optional<double> Agreement::cosine() const {
  if (signal_ == 0 || actual_ == 0) return std::nullopt;
  return product_ / std::sqrt(signal_ * actual_);
}

std::size_t top1(std::span<const float> scores) {
  return static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
}

}  // namespace etalon::quantize
