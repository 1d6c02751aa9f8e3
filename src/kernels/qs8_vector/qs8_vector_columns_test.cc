// Pooling and transposition of int8.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/qs8_vector/qs8_vector_test.h"

namespace etalon::kernels {
namespace {

class Qs8VectorColumnsTest : public Qs8VectorOnIsa {};

std::vector<PoolShape> pool_shapes() {
  std::vector<PoolShape> out;
  for (std::int64_t channels : {1, 3, 8, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 100, 128, 144, 256, 300}) {
    PoolShape s;
    s.in_h = 7, s.in_w = 9, s.channels = channels;
    s.kernel_h = s.kernel_w = 3, s.stride_h = s.stride_w = 2, s.pad_top = s.pad_left = 1, s.out_h = 4, s.out_w = 5;
    out.push_back(s);
    s.kernel_h = 2, s.kernel_w = 4, s.stride_h = 1, s.stride_w = 3, s.pad_left = 2, s.dilation_h = 3, s.dilation_w = 2;
    s.out_h = 6, s.out_w = 3;
    out.push_back(s);
    s = {};
    s.in_h = s.in_w = 4, s.channels = channels, s.kernel_h = s.kernel_w = 2, s.stride_h = s.stride_w = 2;
    s.out_h = s.out_w = 4;  // the last windows see nothing but padding
    out.push_back(s);
  }
  return out;
}

int expected_maximum(const PoolShape& s, const std::int8_t* x, std::int64_t oh, std::int64_t ow, std::int64_t c,
                     int low) {
  int largest = low;
  for (std::int64_t i = 0; i < s.kernel_h; ++i) {
    for (std::int64_t j = 0; j < s.kernel_w; ++j) {
      const std::int64_t h = oh * s.stride_h - s.pad_top + i * s.dilation_h;
      const std::int64_t w = ow * s.stride_w - s.pad_left + j * s.dilation_w;
      if (h < 0 || h >= s.in_h || w < 0 || w >= s.in_w) continue;
      largest = std::max<int>(largest, x[(h * s.in_w + w) * s.channels + c]);
    }
  }
  return largest;
}

TEST_P(Qs8VectorColumnsTest, maxima_of_windows_leave_padding_out) {
  for (const PoolShape& s : pool_shapes()) {
    const auto in = static_cast<std::size_t>(s.in_h * s.in_w * s.channels);
    const auto n = static_cast<std::size_t>(s.out_h * s.out_w * s.channels);
    std::int8_t *x = a_.last(in), *out = fresh_output(n);
    fill(x, in);
    for (const auto& [low, high] : {std::pair{-128, 127}, std::pair{-128, 20}, std::pair{100, 120}}) {
      const auto min = static_cast<std::int8_t>(low), max = static_cast<std::int8_t>(high);
      kernels().max_pool_rows(s, x, out, 0, 2, min, max);
      kernels().max_pool_rows(s, x, out, 2, s.out_h, min, max);
      for (std::size_t i = 0; i < n; ++i) {
        const auto at = static_cast<std::int64_t>(i), pixel = at / s.channels;
        const int want = expected_maximum(s, x, pixel / s.out_w, pixel % s.out_w, at % s.channels, low);
        ASSERT_EQ(int{out[i]}, std::min(want, high)) << "channels " << s.channels;
      }
    }
    expect_nothing_before(n);
  }
}

int expected_mean(const std::int8_t* x, std::size_t rows, std::size_t stride, const Qs8Mean& m) {
  std::int64_t sum = -static_cast<std::int64_t>(rows) * m.input_zero;
  for (std::size_t r = 0; r < rows; ++r) sum += x[r * stride];
  const float scaled = static_cast<float>(sum) * m.scale;
  const float moved = scaled + static_cast<float>(m.zero_point);
  return rounded_within(moved, m.min, m.max);
}

std::vector<Qs8Mean> means_over(std::size_t rows) {
  const float share = 1.0f / static_cast<float>(rows);
  return {{.scale = share},
          {.input_zero = -128, .scale = 0.7f * share, .zero_point = -128},
          {.input_zero = 127, .scale = 60 * share, .zero_point = 50, .min = -20, .max = 77}};
}

TEST_P(Qs8VectorColumnsTest, means_of_columns_are_exact_sums_scaled_once) {
  for (std::size_t rows : {0u, 1u, 2u, 3u, 5u, 49u, 130u, 255u, 256u, 257u, 515u, 1031u}) {
    for (std::size_t columns : {0u, 1u, 2u, 7u, 8u, 15u, 16u, 17u, 24u, 31u, 32u, 33u, 63u, 64u, 65u, 96u, 128u,
                                200u}) {
      for (std::size_t gap : {0u, 3u}) {
        const std::size_t stride = columns + gap, n = rows == 0 ? 0 : (rows - 1) * stride + columns;
        std::int8_t* x = a_.last(n);
        fill(x, n);
        for (const Qs8Mean& m : means_over(rows)) {
          std::int8_t* out = fresh_output(columns);
          kernels().mean_columns(x, rows, stride, columns, m, out);
          for (std::size_t c = 0; c < columns; ++c) {
            ASSERT_EQ(int{out[c]}, expected_mean(x + c, rows, stride, m)) << rows << " x " << columns << " + " << gap;
          }
          expect_nothing_before(columns);
        }
      }
    }
  }
}

TEST_P(Qs8VectorColumnsTest, sums_of_many_extreme_bytes_do_not_overflow) {
  for (int value : {-128, 127}) {
    const std::vector<std::int8_t> x(70001 * 20, static_cast<std::int8_t>(value));
    for (int zero : {-128, 127}) {
      const Qs8Mean m{.input_zero = zero, .scale = 0.25f / 70001, .zero_point = 3};
      std::int8_t out[20];
      kernels().mean_columns(x.data(), 70001, 20, 20, m, out);
      for (std::int8_t got : out) ASSERT_EQ(int{got}, expected_mean(x.data(), 70001, 20, m));
    }
  }
}

TEST_P(Qs8VectorColumnsTest, transposition_keeps_every_byte_for_every_size) {
  const std::size_t sizes[] = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 49, 63, 64, 65, 80,
                               96, 127, 128, 130};
  for (std::size_t rows : sizes) {
    for (std::size_t columns : sizes) {
      const std::size_t stride = columns + rows % 3, out_stride = rows + columns % 2;
      const std::size_t in = rows == 0 ? 0 : (rows - 1) * stride + columns;
      const std::size_t n = columns == 0 ? 0 : (columns - 1) * out_stride + rows;
      std::int8_t *x = a_.last(in), *out = fresh_output(n);
      fill(x, in);
      kernels().transpose_x8(x, stride, out, out_stride, rows, columns);
      for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t r = 0; r < rows; ++r) {
          ASSERT_EQ(out[c * out_stride + r], x[r * stride + c]) << rows << " x " << columns << " at " << r << ", " << c;
        }
        if (out_stride > rows && c + 1 < columns) {
          ASSERT_EQ(out[c * out_stride + rows], 0x5a) << "wrote between the rows";
        }
      }
      expect_nothing_before(n);
    }
  }
}

TEST_P(Qs8VectorColumnsTest, images_are_transposed_both_ways) {
  for (const auto& [pixels, channels] : {std::pair{3136u, 24u}, std::pair{784u, 120u}, std::pair{12544u, 3u}}) {
    const std::size_t n = std::size_t{pixels} * channels;
    std::vector<std::int8_t> x(n), there(n), back(n);
    fill(x.data(), n);
    kernels().transpose_x8(x.data(), channels, there.data(), pixels, pixels, channels);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(there[i % channels * pixels + i / channels], x[i]);
    kernels().transpose_x8(there.data(), pixels, back.data(), channels, channels, pixels);
    EXPECT_EQ(back, x);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Qs8VectorColumnsTest, ::testing::ValuesIn(isas_with_qs8_vectors()),
                         [](const auto& instance) { return std::string(info_of(instance.param).name); });

}  // namespace
}  // namespace etalon::kernels
