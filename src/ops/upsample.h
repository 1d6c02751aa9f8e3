// Sizes and scales of the resizing operators, by torch's rules.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "ops/planes.h"

namespace etalon::ops {

struct Resize {
  std::int64_t height;
  std::int64_t width;
  std::optional<double> scale_y;  // as given by the caller
  std::optional<double> scale_x;
};

// From `output_size` or `scale_factors`, of which exactly one is given, each with two numbers.
Result<Resize> resize_of(const Call& call, std::size_t output_size, std::size_t scale_factors);

// Input pixels per output pixel.
template <class T>
T source_scale(std::int64_t input, std::int64_t output, bool align_corners, std::optional<double> given) {
  if (align_corners) return output > 1 ? static_cast<T>(input - 1) / static_cast<T>(output - 1) : T{0};
  if (given && *given > 0.0) return static_cast<T>(1.0 / *given);
  return static_cast<T>(input) / static_cast<T>(output);
}

// The two input pixels that output pixel `out` lies between, and the share of the second.
template <class T>
struct Neighbours {
  std::int64_t low;
  std::int64_t high;
  T share;

  Neighbours(std::int64_t out, std::int64_t input, std::int64_t output, T scale, bool align_corners) {
    if (input == output) {
      low = high = out;
      share = T{0};
      return;
    }
    const T place = align_corners ? scale * static_cast<T>(out)
                                  : std::max(T{0}, scale * (static_cast<T>(out) + T(0.5)) - T(0.5));
    low = std::min(static_cast<std::int64_t>(place), input - 1);
    high = std::min(low + 1, input - 1);
    share = std::min(std::max(place - static_cast<T>(low), T{0}), T{1});
  }
};

}  // namespace etalon::ops
