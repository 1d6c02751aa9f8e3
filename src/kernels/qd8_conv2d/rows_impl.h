// Which Qd8Row an output pixel's taps are scaled by.
#pragma once

#include "kernels/qd8_conv2d/qd8_conv2d.h"

namespace etalon::kernels {
namespace {

inline bool has_one_tap(const Conv2dShape& s) {
  return s.kernel_h == 1 && s.kernel_w == 1 && s.pad_top == 0 && s.pad_left == 0;
}

inline const char* refusal_of_rows(const Conv2dShape& s, const Qd8Conv2dParams& p) {
  const bool is_per_image = p.pixels_per_row > 0 && p.pixels_per_row % (s.in_h * s.in_w) == 0;
  const bool is_per_pixel = p.pixels_per_row > 0 && has_one_tap(s);
  return is_per_image || is_per_pixel ? nullptr : "wants windows to lie in one row of scales";
}

// The row of the output pixel (y, x) of an image.
inline std::int64_t row_of(const Conv2dShape& s, const Qd8Conv2dParams& p, std::int64_t image, std::int64_t y,
                           std::int64_t x) {
  const std::int64_t first = image * s.in_h * s.in_w;
  return (has_one_tap(s) ? first + y * s.stride_h * s.in_w + x * s.stride_w : first) / p.pixels_per_row;
}

// The rows of `count` output pixels from the `pixel`-th on: in place if they lie like that, else written to `scratch`.
inline const Qd8Row* rows_of_pixels(const Conv2dShape& s, const Qd8Conv2dParams& p, const Qd8Row* rows,
                                    std::int64_t pixel, std::int64_t count, Qd8Row* scratch) {
  const bool same_pixels = s.in_h == s.out_h && s.in_w == s.out_w && s.stride_h == 1 && s.stride_w == 1;
  if (p.pixels_per_row == 1 && same_pixels && has_one_tap(s)) return rows + pixel;
  const std::int64_t pixels = s.out_h * s.out_w;
  if (p.pixels_per_row % (s.in_h * s.in_w) != 0) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = pixel + i;
      scratch[i] = rows[row_of(s, p, at / pixels, at % pixels / s.out_w, at % s.out_w)];
    }
    return scratch;
  }
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t image = (pixel + i) / pixels, left = (image + 1) * pixels - pixel;
    const Qd8Row row = rows[row_of(s, p, image, 0, 0)];
    for (const std::int64_t end = left < count ? left : count; i < end; ++i) scratch[i] = row;
  }
  return scratch;
}

}  // namespace
}  // namespace etalon::kernels
