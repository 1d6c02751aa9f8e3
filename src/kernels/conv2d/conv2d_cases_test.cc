#include "kernels/conv2d/conv2d_cases_test.h"

namespace etalon::kernels::testing {
namespace {

Conv2dShape conv(std::int64_t in_h, std::int64_t in_w, std::int64_t in_c, std::int64_t out_c, std::int64_t kernel,
                 std::int64_t stride = 1, std::int64_t pad = 0, std::int64_t groups = 1, std::int64_t dilation = 1) {
  Conv2dShape s;
  s.in_h = in_h, s.in_w = in_w, s.in_c = in_c, s.out_c = out_c, s.groups = groups;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = pad;
  s.out_h = out_size(in_h, kernel, stride, dilation, pad, pad);
  s.out_w = out_size(in_w, kernel, stride, dilation, pad, pad);
  s.in_pixel_stride = in_c, s.out_pixel_stride = out_c;
  return s;
}

Conv2dShape matmul(std::int64_t rows, std::int64_t k, std::int64_t n) { return conv(rows, 1, k, n, 1); }

class List {
 public:
  std::vector<Conv2dCase> cases;
  Conv2dCase& add(std::string name, const Conv2dShape& shape) {
    cases.push_back({std::move(name) + " #" + std::to_string(cases.size()), shape, {}});
    return cases.back();
  }
};

void add_matmuls(List& list) {
  for (const std::int64_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 27, 49, 70}) {
    for (const std::int64_t n : {1, 8, 17, 24, 40, 96}) list.add("matmul", matmul(rows, 1 + (rows * n) % 23, n));
  }
  for (std::int64_t n = 1; n <= 70; n += 3) list.add("matmul n", matmul(10, 19, n));
  for (std::int64_t k = 1; k <= 40; ++k) list.add("matmul k", matmul(9, k, 33));
  list.add("matmul deep", matmul(3, 3000, 40));
  list.add("matmul wide", matmul(1, 260, 1000));
  list.add("matmul tall", matmul(2100, 5, 9));
}

void add_convolutions(List& list) {
  for (const std::int64_t kernel : {1, 2, 3, 4, 5, 7}) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const std::int64_t size : {1, 4, 7, 11}) {
        const std::int64_t pad = kernel / 2;
        if (size + 2 * pad < kernel) continue;
        list.add("convolution", conv(size, size + 1, 5, 19, kernel, stride, pad));
      }
    }
  }
  for (const std::int64_t channels : {1, 3, 4, 8, 16, 17, 32, 64}) {
    list.add("3x3", conv(9, 8, channels, 37, 3, 1, 1));
    list.add("3x3 strided", conv(12, 12, channels, 16, 3, 2, 1));
    list.add("3x3 of few", conv(10, 10, 6, channels, 3, 1, 1));
  }
  list.add("3x3 of a small map", conv(7, 7, 70, 66, 3, 1, 1));
  list.add("3x3 of a map of 14", conv(14, 14, 24, 40, 3, 1, 1));
  list.add("3x3 of a large map", conv(40, 37, 4, 8, 3, 1, 1));
  list.add("3x3 of many channels", conv(5, 5, 300, 34, 3, 1, 1));
  list.add("3x3 unpadded", conv(9, 11, 12, 20, 3));
  list.add("dilated", conv(12, 12, 6, 18, 3, 1, 2, 1, 2));
  list.add("dilated beyond the map", conv(7, 7, 6, 18, 3, 1, 6, 1, 6));
  list.add("dilated and strided", conv(15, 14, 6, 18, 3, 2, 3, 1, 3));
  list.add("padded more than the kernel", conv(5, 6, 4, 9, 3, 1, 4));
  list.add("first layer", conv(32, 32, 3, 32, 3, 2, 1));
  list.add("first layer 7x7", conv(28, 28, 3, 64, 7, 2, 3));
  list.add("patches", conv(32, 32, 3, 48, 8, 8));
  for (auto& [name, shape] : {std::pair{"1x3", std::pair{1, 3}}, std::pair{"7x1", std::pair{7, 1}}}) {
    Conv2dShape s = conv(10, 9, 7, 21, 1);
    s.kernel_h = shape.first, s.kernel_w = shape.second;
    s.pad_top = shape.first / 2, s.pad_left = shape.second / 2;
    list.add(name, s);
  }
  Conv2dShape uneven = conv(9, 9, 7, 21, 3, 2);
  uneven.out_h = uneven.out_w = 5;  // padded below and on the right only
  list.add("padded below", uneven);
}

void add_groups(List& list) {
  for (const std::int64_t groups : {2, 3, 8}) {
    list.add("grouped", conv(9, 9, groups * 4, groups * 9, 3, 1, 1, groups));
    list.add("grouped 1x1", conv(9, 9, groups * 5, groups * 20, 1, 1, 0, groups));
    list.add("grouped strided", conv(9, 9, groups * 3, groups * 2, 5, 2, 2, groups));
  }
  list.add("grouped of one each way", conv(6, 6, 4, 2, 3, 1, 1, 2));
}

void add_depthwise(List& list) {
  for (const std::int64_t channels : {2, 3, 8, 15, 16, 17, 24, 40, 72, 130}) {
    for (const std::int64_t kernel : {3, 5, 7}) {
      for (const std::int64_t stride : {1, 2}) {
        list.add("depthwise", conv(8 + channels % 5, 9, channels, channels, kernel, stride, kernel / 2, channels));
      }
    }
  }
  for (const std::int64_t size : {1, 2, 3, 4, 5, 6, 7, 14, 28}) {
    list.add("depthwise", conv(size, size, 20, 20, 3, 1, 1, 20));
    list.add("depthwise strided", conv(size, size, 20, 20, 3, 2, 1, 20));
  }
  list.add("depthwise dilated", conv(11, 11, 18, 18, 3, 1, 2, 18, 2));
  list.add("depthwise with a multiplier", conv(8, 8, 6, 18, 3, 1, 1, 6));
  list.add("depthwise unpadded", conv(8, 8, 33, 33, 3, 1, 0, 33));
  list.add("depthwise 4x4", conv(8, 8, 33, 33, 4, 3, 1, 33));
  list.add("depthwise 9x9", conv(10, 10, 12, 12, 9, 1, 4, 12));
}

void add_inputs(List& list) {
  for (Conv2dShape s : {conv(9, 8, 10, 20, 1), conv(9, 8, 10, 20, 3, 1, 1), conv(9, 8, 10, 20, 3, 2, 1, 2),
                        conv(9, 8, 20, 20, 3, 1, 1, 20), conv(1, 1, 33, 65, 1), conv(7, 7, 96, 24, 1)}) {
    s.batch = 3;
    list.add("batch", s);
    Conv2dShape spaced = s;
    spaced.in_pixel_stride += 7, spaced.out_pixel_stride += 5;
    list.add("spaced", spaced);
    s.has_input_scale = true;
    list.add("scaled", s);
    spaced.has_input_scale = true;
    list.add("scaled and spaced", spaced);
  }
  for (const std::int64_t channels : {1, 3, 4}) {
    for (const std::int64_t stride : {1, 2, 4}) {
      for (const std::int64_t kernel : {1, 3, 7}) {
        Conv2dShape s = conv(17, 19, channels, 24, kernel, stride, kernel / 2);
        s.batch = 2, s.input_is_nchw = true;
        list.add("planes", s);
      }
    }
  }
}

void add_epilogues(List& list) {
  const Conv2dShape shapes[] = {conv(7, 7, 40, 50, 1), conv(9, 9, 8, 24, 3, 1, 1), conv(6, 6, 18, 18, 3, 1, 1, 18),
                                conv(10, 10, 3, 16, 3, 2, 1), matmul(1, 33, 70)};
  for (const Conv2dShape& s : shapes) {
    for (int activation = 0; activation <= static_cast<int>(Activation::kElu); ++activation) {
      for (int residual = 0; residual < 3; ++residual) {
        Conv2dCase& c = list.add("epilogue " + std::to_string(activation) + " " + std::to_string(residual), s);
        c.epilogue.activation = static_cast<Activation>(activation);
        c.epilogue.alpha = 0.3f;
        c.epilogue.residual = static_cast<Epilogue::Residual>(residual);
        if (activation % 2 == 0) c.epilogue.min = -0.5f, c.epilogue.max = 0.75f;
      }
    }
    Conv2dCase& relu = list.add("relu", s);
    relu.epilogue.min = 0;
    Conv2dCase& relu6 = list.add("relu6", s);
    relu6.epilogue.min = 0, relu6.epilogue.max = 6;
  }
}

}  // namespace

std::vector<Conv2dCase> conv2d_cases() {
  List list;
  add_matmuls(list);
  add_convolutions(list);
  add_groups(list);
  add_depthwise(list);
  add_inputs(list);
  add_epilogues(list);
  return std::move(list.cases);
}

}  // namespace etalon::kernels::testing
