#include "kernels/qs8_conv2d/qs8_conv2d_cases_test.h"

namespace etalon::kernels::testing {
namespace {

struct Window {
  std::int64_t h, w, kernel, stride = 1, pad = 0, dilation = 1;
};

std::int64_t outputs(std::int64_t in, const Window& w) { return (in + 2 * w.pad - (w.kernel - 1) * w.dilation - 1) / w.stride + 1; }

Conv2dShape image(const Window& w, std::int64_t in_c, std::int64_t out_c, std::int64_t groups = 1) {
  Conv2dShape s;
  s.in_h = w.h, s.in_w = w.w;
  s.in_c = s.in_pixel_stride = in_c;
  s.out_c = s.out_pixel_stride = out_c;
  s.kernel_h = s.kernel_w = w.kernel;
  s.stride_h = s.stride_w = w.stride;
  s.dilation_h = s.dilation_w = w.dilation;
  s.pad_top = s.pad_left = w.pad;
  s.out_h = outputs(w.h, w), s.out_w = outputs(w.w, w);
  s.groups = groups;
  return s;
}

Conv2dShape rows(std::int64_t m, std::int64_t k, std::int64_t n) { return image({m, 1, 1}, k, n); }

// Zero points, limits, tables and kinds of scales take turns, so that all meet all kinds of shapes.
class Cases {
 public:
  void add(const std::string& name, const Conv2dShape& shape) {
    constexpr std::int32_t kInputZeros[] = {0, -128, 127, 5, -3}, kOutputZeros[] = {-128, 0, 3, 127, -11, -128, 20};
    const std::size_t i = all.size();
    Qs8Case c{name, shape, {}};
    c.params.input_zero_point = kInputZeros[i % 5], c.params.output_zero_point = kOutputZeros[i % 7];
    if (i % 3 == 1) c.params.min = c.params.output_zero_point, c.params.max = std::min(127, c.params.min + 90);
    if (i % 4 == 2) c.params.table = reinterpret_cast<const std::uint8_t*>("a table");  // make_tensors() makes one
    c.scale_is_per_channel = i % 6 != 5;
    c.has_bias = i % 5 != 4;
    c.is_extreme = i % 8 == 7;
    all.push_back(c);
  }
  // With gaps between pixels.
  void add_strided(const std::string& name, Conv2dShape shape) {
    shape.in_pixel_stride += 5, shape.out_pixel_stride += 3;
    add(name, shape);
  }
  std::vector<Qs8Case> all;
};

void add_matrices(Cases& cases) {
  for (std::int64_t k = 1; k <= 70; ++k) cases.add("rows of " + std::to_string(k), rows(1 + k % 19, k, 1 + k * 7 % 67));
  for (std::int64_t n = 1; n <= 70; ++n) cases.add(std::to_string(n) + " columns", rows(1 + n * 5 % 23, 12 + n % 9, n));
  for (std::int64_t m = 1; m <= 26; ++m) cases.add(std::to_string(m) + " rows", rows(m, 32, 40));
  cases.add("classifier", rows(1, 1280, 1000));
  cases.add("long sums", rows(5, 2050, 33));
  cases.add("long sums again", rows(9, 4096, 17));
  cases.add_strided("strided rows", rows(17, 24, 40));
  cases.add_strided("strided odd rows", rows(17, 23, 41));
}

void add_images(Cases& cases) {
  for (std::int64_t c : {1, 2, 3, 4, 5, 8, 16, 17, 24, 65}) {
    const std::string channels = " of " + std::to_string(c);
    cases.add("3x3" + channels, image({7, 9, 3, 1, 1}, c, 33));
    cases.add("3x3 stride 2" + channels, image({8, 11, 3, 2, 1}, c, 20));
    cases.add("5x5" + channels, image({6, 7, 5, 1, 2}, c, 16));
    cases.add("7x7 stride 2" + channels, image({17, 15, 7, 2, 3}, c, 31));
    cases.add("dilated" + channels, image({9, 9, 3, 1, 2, 2}, c, 9));
    cases.add("1x1 stride 2" + channels, image({7, 8, 1, 2}, c, 48));
    cases.add("unpadded" + channels, image({6, 8, 3}, c, 10));
    cases.add("mostly padding" + channels, image({1, 2, 5, 1, 2}, c, 7));
    cases.add_strided("strided pixels" + channels, image({5, 6, 3, 1, 1}, c, 12));
    Conv2dShape batch = image({5, 4, 3, 1, 1}, c, 18);
    batch.batch = 3;
    cases.add("batch" + channels, batch);
    Conv2dShape uneven = image({6, 9, 3, 1, 1}, c, 34);
    uneven.kernel_w = 1, uneven.pad_left = 0, uneven.stride_w = 2, uneven.out_w = 5;
    cases.add("3x1" + channels, uneven);
  }
}

void add_groups(Cases& cases) {
  cases.add("2 groups", image({5, 6, 3, 1, 1}, 8, 12, 2));
  cases.add("3 groups of odd channels", image({5, 6, 3, 2, 1}, 15, 9, 3));
  cases.add("4 groups of 1x1", image({5, 6, 1}, 16, 160, 4));
  cases.add("32 groups", image({7, 7, 3, 1, 1}, 128, 128, 32));
  cases.add_strided("5 strided groups", image({4, 5, 3, 1, 1}, 20, 25, 5));
}

void add_depthwise(Cases& cases) {
  for (std::int64_t c : {2, 3, 8, 16, 31, 32, 33, 63, 64, 65, 96, 144}) {
    const std::string channels = " depthwise " + std::to_string(c);
    for (std::int64_t kernel : {1, 2, 3, 5, 7}) {
      for (std::int64_t stride : {1, 2, 3}) {
        const std::string name = std::to_string(kernel) + "x" + std::to_string(kernel) + "s" + std::to_string(stride);
        cases.add(name + channels, image({7 + c % 5, 6 + c % 7, kernel, stride, kernel / 2}, c, c, c));
      }
    }
    cases.add("unpadded" + channels, image({9, 8, 3}, c, c, c));
    cases.add("dilated" + channels, image({9, 8, 3, 1, 2, 2}, c, c, c));
    cases.add("narrow" + channels, image({5, 1, 3, 1, 1}, c, c, c));
    cases.add("flat" + channels, image({1, 13, 5, 1, 2}, c, c, c));
    cases.add("two per channel" + channels, image({6, 5, 3, 1, 1}, c, 2 * c, c));
    cases.add_strided("strided" + channels, image({6, 5, 3, 2, 1}, c, c, c));
    Conv2dShape batch = image({5, 4, 5, 1, 2}, c, c, c);
    batch.batch = 2;
    cases.add("batch" + channels, batch);
    Conv2dShape uneven = image({7, 9, 3, 1, 1}, c, c, c);  // padding of the right and bottom alone
    uneven.pad_top = uneven.pad_left = 0;
    cases.add("uneven padding" + channels, uneven);
  }
}

// First layers: few channels, of rows that are shorter and longer than what is computed at once.
void add_first_layers(Cases& cases, bool in_planes) {
  const auto add = [&](const std::string& name, Conv2dShape shape) {
    shape.input_is_nchw = in_planes;
    cases.add(name + (in_planes ? " of planes " : " of few channels ") + std::to_string(shape.in_c), shape);
  };
  for (std::int64_t c : {1, 2, 3, 4}) {
    for (std::int64_t kernel : {1, 2, 3, 4, 5, 6, 7}) {
      for (std::int64_t stride : {1, 2}) {
        const std::string name = std::to_string(kernel) + "x" + std::to_string(kernel) + "s" + std::to_string(stride);
        add(name, image({3 + c, 17 * stride + 7 * kernel % 16, kernel, stride, kernel / 2}, c, 16 * (kernel % 5) + 3 * c + 1));
      }
    }
    add("2x2s3", image({7, 50, 2, 3}, c, 9));
    add("3x3s2", image({12, 64, 3, 2, 1}, c, 32));
    add("3x3s2, 16 channels", image({11, 65, 3, 2, 1}, c, 16));
    add("narrow 3x3", image({9, 5, 3, 1, 1}, c, 70));
    add("wide 3x3s2", image({2, 287, 3, 2, 1}, c, 12));
    add("wide 3x3", image({2, 129, 3, 1, 1}, c, 17));
    add("very wide 2x2", image({2, 401, 2, 1, 1}, c, 3));
    Conv2dShape batch = image({5, 37, 3, 2, 1}, c, 64);
    batch.batch = 3;
    add("batch", batch);
    Conv2dShape uneven = image({7, 39, 3, 2, 1}, c, 34);  // padding of the right and bottom alone
    uneven.pad_top = uneven.pad_left = 0;
    add("uneven padding", uneven);
    Conv2dShape apart = image({6, 39, 5, 1, 2}, c, 40);
    apart.kernel_h = 1, apart.pad_top = 0, apart.stride_h = 2, apart.out_h = 3;
    apart.out_pixel_stride += 5;
    add("1x5, outputs apart", apart);
  }
}

// Many rows of few taps, with widths around those of registers.
void add_thin_matrices(Cases& cases) {
  for (std::int64_t n = 3; n <= 145; n += 5 + n % 3) {
    cases.add("thin, " + std::to_string(n) + " columns", rows(33 + n % 16, 16 + n / 20 * 4, n));
  }
  for (std::int64_t n : {16, 32, 48, 64, 96, 128}) {
    cases.add("thin, " + std::to_string(n) + " columns", rows(200 + n, 24, n));
    Conv2dShape apart = rows(77, 16, n);
    apart.out_pixel_stride += 7;
    cases.add("thin, outputs apart", apart);
  }
}

}  // namespace

std::vector<Qs8Case> qs8_cases() {
  Cases cases;
  add_matrices(cases);
  add_images(cases);
  add_groups(cases);
  add_depthwise(cases);
  add_first_layers(cases, false);
  add_thin_matrices(cases);
  return std::move(cases.all);
}

std::vector<Qs8Case> qs8_plane_cases() {
  Cases cases;
  add_first_layers(cases, true);
  return std::move(cases.all);
}

}  // namespace etalon::kernels::testing
