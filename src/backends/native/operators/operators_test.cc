#include <fmt/core.h>

#include "backends/native/operators/operator_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this test

Value number(double x) { return Value::of_double(x); }
Value whole(std::int64_t x) { return Value::of_int(x); }

TEST(NativeOperators, unary_ones_agree_with_the_reference) {
  for (const char* name : {"aten::abs", "aten::ceil", "aten::cos", "aten::exp", "aten::floor", "aten::neg", "aten::relu",
                           "aten::round", "aten::sigmoid", "aten::sin", "aten::tanh"}) {
    for (const Dims& sizes : {Dims{}, Dims{1}, Dims{3, 5, 7}, Dims{64}, Dims{2, 0, 3}}) {
      Tensor x = random_tensor(sizes, -6, 6);
      OperatorCase(name).arg(x).check();
    }
    Tensor image = random_tensor({2, 5, 3, 4}, kChannelsLast);
    OperatorCase(name).arg(image).check();
    OperatorCase(name).arg(image).out_order(contiguous_order(4)).check("dim order");
    Tensor doubles(DType::kFloat64, {3});
    doubles.set_values({1, 2, 3});
    OperatorCase(name).arg(doubles).check("float32");
  }
  for (const char* name : {"aten::log", "aten::sqrt", "aten::rsqrt"}) {
    Tensor x = random_tensor({3, 50}, 0.01, 9);
    OperatorCase(name).arg(x).check();
  }
}

TEST(NativeOperators, unary_ones_with_parameters_agree_with_the_reference) {
  Tensor x = random_tensor({4, 33}, -8, 8);
  OperatorCase("aten::hardtanh").arg(x).arg(number(-1)).arg(number(6)).check();
  OperatorCase("aten::clamp").arg(x).arg(number(0)).none().check();
  OperatorCase("aten::clamp").arg(x).none().arg(number(0.5)).check();
  OperatorCase("aten::clamp").arg(x).arg(whole(-1)).arg(whole(2)).check();
  OperatorCase("aten::clamp").arg(x).arg(number(NAN)).none().check("numbers");
  OperatorCase("aten::leaky_relu").arg(x).arg(number(0.1)).check();
  OperatorCase("aten::elu").arg(x).arg(number(0.7)).arg(number(1)).arg(number(1)).check();
  OperatorCase("aten::elu").arg(x).arg(number(0.7)).arg(number(2)).arg(number(1)).check("scale");
  OperatorCase("aten::gelu").arg(x).arg(Value::of_string("none")).check();
  OperatorCase("aten::gelu").arg(x).arg(Value::of_string("tanh")).check();
  OperatorCase("aten::pow.Tensor_Scalar").arg(x).arg(number(2)).check();
  OperatorCase("aten::pow.Tensor_Scalar").arg(x).arg(number(3)).check("exponent");
}

TEST(NativeOperators, binary_ones_broadcast_like_the_reference) {
  struct Sizes {
    Dims a, b;
  };
  const Sizes cases[] = {{{3, 70}, {3, 70}}, {{3, 70}, {70}},     {{3, 70}, {}},         {{}, {3, 70}},
                         {{3, 70}, {1, 1}},  {{2, 3, 4, 5}, {3, 1, 1}}, {{2, 3, 1, 1}, {2, 3, 4, 5}}, {{1}, {1}},
                         {{6, 1, 9}, {1, 5, 9}}, {{0, 4}, {1, 4}}};
  for (const char* name : {"aten::mul.Tensor", "aten::div.Tensor", "aten::maximum", "aten::minimum"}) {
    for (const Sizes& sizes : cases) {
      Tensor a = random_tensor(sizes.a), b = random_tensor(sizes.b, 0.5, 2);
      OperatorCase(name).arg(a).arg(b).check();
    }
  }
  for (const char* name : {"aten::add.Tensor", "aten::sub.Tensor"}) {
    for (const Sizes& sizes : cases) {
      Tensor a = random_tensor(sizes.a), b = random_tensor(sizes.b);
      OperatorCase(name).arg(a).arg(b).arg(whole(1)).check();
      OperatorCase(name).arg(a).arg(b).arg(number(0.5)).check("alpha");
    }
  }
}

TEST(NativeOperators, binary_ones_keep_channels_last_images) {
  Tensor a = random_tensor({2, 20, 3, 4}, kChannelsLast), b = random_tensor({2, 20, 3, 4}, kChannelsLast);
  Tensor scale = random_tensor({2, 20, 1, 1}), planar = random_tensor({2, 20, 3, 4});
  OperatorCase("aten::mul.Tensor").arg(a).arg(b).check();
  OperatorCase("aten::mul.Tensor").arg(a).arg(scale).check();
  OperatorCase("aten::mul.Tensor").arg(a).arg(planar).check("dim order");
}

TEST(NativeOperators, binary_ones_refuse_short_rows_and_other_types) {
  Tensor a = random_tensor({5, 3}), column = random_tensor({5, 1});
  OperatorCase("aten::mul.Tensor").arg(a).arg(column).check("rows");
  Tensor integers = ops::testing::tensor(DType::kInt64, {3}, {1, 2, 3});
  OperatorCase("aten::mul.Tensor").arg(a).arg(integers).check("float32");
}

TEST(NativeOperators, numbers_as_operands_agree_with_the_reference) {
  Tensor a = random_tensor({7, 19});
  OperatorCase("aten::add.Scalar").arg(a).arg(number(3)).arg(whole(1)).check();
  OperatorCase("aten::add.Scalar").arg(a).arg(number(3)).arg(number(0.25)).check();
  OperatorCase("aten::sub.Scalar").arg(a).arg(whole(3)).arg(number(2)).check();
  OperatorCase("aten::rsub.Scalar").arg(a).arg(number(1.5)).arg(whole(1)).check();
  OperatorCase("aten::rsub.Scalar").arg(a).arg(number(1.5)).arg(whole(2)).check("alpha");
  OperatorCase("aten::mul.Scalar").arg(a).arg(number(-0.5)).check();
  OperatorCase("aten::div.Scalar").arg(a).arg(number(6)).check();
}

TEST(NativeOperators, softmax_runs_along_the_last_dim) {
  for (const Dims& sizes : {Dims{1}, Dims{5, 197}, Dims{2, 3, 64}, Dims{4, 7, 1}}) {
    Tensor x = random_tensor(sizes, -9, 9);
    for (const char* name : {"aten::_softmax", "aten::_log_softmax"}) {
      OperatorCase(name).arg(x).arg(whole(-1)).arg(Value::of_bool(false)).check();
    }
  }
  Tensor x = random_tensor({3, 4, 5});
  OperatorCase("aten::_softmax").arg(x).arg(whole(1)).arg(Value::of_bool(false)).check("last dim");
  Tensor trailing = random_tensor({3, 4, 1});
  OperatorCase("aten::_softmax").arg(trailing).arg(whole(1)).arg(Value::of_bool(false)).check();
}

TEST(NativeOperators, layer_norm_gives_the_statistics_too) {
  for (const Dims& sizes : {Dims{197, 192}, Dims{2, 3, 20}, Dims{5, 1}}) {
    Tensor x = random_tensor(sizes), weight = random_tensor({sizes.back()}), bias = random_tensor({sizes.back()});
    const std::vector<std::int64_t> shape = {sizes.back()};
    const auto dims = Value::of_ints(shape);
    OperatorCase("aten::native_layer_norm").arg(x).arg(dims).arg(weight).arg(bias).arg(number(1e-5)).check();
    OperatorCase("aten::native_layer_norm").arg(x).arg(dims).none().none().arg(number(1e-5)).check();
  }
  Tensor x = random_tensor({3, 4, 6});
  const std::vector<std::int64_t> shape = {4, 6};
  OperatorCase("aten::native_layer_norm").arg(x).arg(Value::of_ints(shape)).none().none().arg(number(1e-5)).check();
}

TEST(NativeOperators, means_and_sums_take_neighbouring_dims) {
  struct Case {
    Dims sizes;
    std::vector<std::int64_t> dims;
    const char* refusal;
  };
  const Case cases[] = {{{2, 5, 7, 7}, {2, 3}, ""},  {{2, 5, 7, 7}, {-1, -2}, ""}, {{4, 33}, {1}, ""},
                        {{4, 33}, {0}, ""},          {{3, 4, 70}, {1}, ""},        {{3, 4, 70}, {0, 1}, ""},
                        {{3, 4, 5}, {0, 2}, "side"}, {{3, 4, 5}, {}, ""},          {{1, 6, 1, 5}, {0, 2, 3}, ""}};
  for (const Case& c : cases) {
    for (const bool keep : {false, true}) {
      Tensor x = random_tensor(c.sizes);
      for (const char* name : {"aten::mean.dim", "aten::sum.dim_IntList"}) {
        OperatorCase(name).arg(x).arg(Value::of_ints(c.dims)).arg(Value::of_bool(keep)).check(c.refusal);
      }
    }
  }
  const std::vector<std::int64_t> image_dims = {2, 3};
  for (const bool keep : {false, true}) {
    Tensor image = random_tensor({2, 20, 5, 3}, kChannelsLast);
    OperatorCase("aten::mean.dim").arg(image).arg(Value::of_ints(image_dims)).arg(Value::of_bool(keep)).check();
  }
}

TEST(NativeOperators, products_of_matrices_agree_with_the_reference) {
  for (const std::int64_t m : {1, 7, 60}) {
    for (const std::int64_t n : {1, 64, 193}) {
      for (const std::int64_t k : {1, 100}) {
        Tensor a = random_tensor({m, k}), b = random_tensor({k, n}), bias = random_tensor({n});
        Tensor weight = random_tensor({n, k});
        OperatorCase("aten::mm").arg(a).arg(b).check();
        OperatorCase("aten::addmm").arg(bias).arg(a).arg(b).arg(whole(1)).arg(whole(1)).check();
        OperatorCase("aten::addmm").arg(bias).arg(a).arg(b).arg(whole(1)).arg(number(0.5)).check();
        OperatorCase("aten::linear").arg(a).arg(weight).arg(bias).check();
        OperatorCase("aten::linear").arg(a).arg(weight).none().check();
      }
    }
  }
  Tensor a = random_tensor({3, 20, 9}), b = random_tensor({3, 9, 33}), weight = random_tensor({33, 9});
  OperatorCase("aten::bmm").arg(a).arg(b).check();
  OperatorCase("aten::linear").arg(a).arg(weight).none().check();
}

TEST(NativeOperators, products_refuse_what_they_cannot_add) {
  Tensor a = random_tensor({4, 5}), b = random_tensor({5, 6}), table = random_tensor({4, 6}), bias = random_tensor({6});
  OperatorCase("aten::addmm").arg(table).arg(a).arg(b).arg(whole(1)).arg(whole(1)).check("bias");
  OperatorCase("aten::addmm").arg(bias).arg(a).arg(b).arg(number(0.5)).arg(whole(1)).check("beta");
}

struct ConvolutionCase {
  std::int64_t batch, in_c, out_c, groups, size_h, size_w, kernel, stride, padding, dilation;
};
const ConvolutionCase kConvolutions[] = {
    {1, 3, 16, 1, 23, 20, 3, 2, 1, 1},  {2, 8, 24, 1, 9, 7, 1, 1, 0, 1},   {1, 24, 24, 24, 14, 14, 3, 1, 1, 1},
    {2, 40, 40, 40, 9, 11, 5, 2, 2, 1}, {1, 16, 33, 1, 12, 12, 3, 1, 1, 1}, {1, 6, 12, 3, 8, 8, 3, 1, 1, 1},
    {1, 20, 7, 1, 1, 1, 1, 1, 0, 1},    {1, 5, 9, 1, 10, 13, 3, 1, 2, 2},  {1, 64, 32, 1, 15, 15, 1, 2, 0, 1},
    {1, 18, 18, 18, 7, 7, 7, 1, 3, 1},  {1, 4, 8, 4, 6, 6, 3, 1, 1, 1},    {1, 32, 48, 1, 28, 28, 3, 1, 1, 1},
};

TEST(NativeOperators, convolutions_agree_with_the_reference_in_both_dim_orders) {
  for (const ConvolutionCase& c : kConvolutions) {
    const std::vector<std::int64_t> stride = {c.stride, c.stride}, padding = {c.padding, c.padding};
    const std::vector<std::int64_t> dilation = {c.dilation, c.dilation}, none = {0, 0};
    for (const bool inside : {false, true}) {
      for (const bool has_bias : {false, true}) {
        SCOPED_TRACE(fmt::format("{}x{}x{}x{} to {}, {} groups, kernel {} stride {} {}", c.batch, c.in_c, c.size_h,
                                 c.size_w, c.out_c, c.groups, c.kernel, c.stride, inside ? "channels last" : "planes"));
        const DimOrder order = inside ? kChannelsLast : contiguous_order(4);
        Tensor x = random_tensor({c.batch, c.in_c, c.size_h, c.size_w}, order);
        Tensor weight = random_tensor({c.out_c, c.in_c / c.groups, c.kernel, c.kernel}, order, -1, 1);
        Tensor bias = random_tensor({c.out_c});
        OperatorCase op("aten::convolution");
        op.arg(x).arg(weight);
        has_bias ? op.arg(bias) : op.none();
        op.arg(Value::of_ints(stride)).arg(Value::of_ints(padding)).arg(Value::of_ints(dilation));
        op.arg(Value::of_bool(false)).arg(Value::of_ints(none)).arg(whole(c.groups));
        op.out_order(order);
        const bool multiplies = c.groups == c.in_c && c.groups > 1 && c.out_c != c.in_c;
        op.check(multiplies ? "no SIMD kernel" : "");
      }
    }
  }
}

TEST(NativeOperators, convolutions_along_one_dim_and_transposed_ones) {
  const std::vector<std::int64_t> one = {1}, zero = {0};
  Tensor x = random_tensor({2, 6, 40}), weight = random_tensor({10, 6, 5}), bias = random_tensor({10});
  const auto finish = [&](OperatorCase& op, bool transposed) -> OperatorCase& {
    return op.arg(Value::of_ints(one)).arg(Value::of_ints(zero)).arg(Value::of_ints(one))
        .arg(Value::of_bool(transposed)).arg(Value::of_ints(zero)).arg(whole(1));
  };
  OperatorCase plain("aten::convolution");
  finish(plain.arg(x).arg(weight).arg(bias), false).check();
  Tensor other = random_tensor({6, 10, 5});
  OperatorCase transposed("aten::convolution");
  finish(transposed.arg(x).arg(other).arg(bias), true).check("transposed");
}

TEST(NativeOperators, dims_are_permuted_bit_by_bit) {
  struct Case {
    Dims sizes;
    std::vector<std::int64_t> dims;
  };
  const Case cases[] = {{{50, 40}, {1, 0}},       {{2, 197, 3, 64}, {0, 2, 1, 3}}, {{1, 3, 20, 30}, {0, 2, 3, 1}},
                        {{2, 9, 16, 8}, {0, 2, 3, 1}}, {{24, 20, 6, 10}, {3, 1, 2, 0}},  {{2, 3, 30, 40}, {0, 1, 3, 2}},
                        {{30, 40}, {0, 1}}};
  for (const Case& c : cases) {
    Tensor x = random_tensor(c.sizes);
    OperatorCase("aten::permute_copy").arg(x).arg(Value::of_ints(c.dims)).check();
  }
  Tensor x = random_tensor({2, 30, 40}), matrix = random_tensor({33, 47});
  OperatorCase("aten::transpose_copy.int").arg(x).arg(whole(-1)).arg(whole(1)).check();
  OperatorCase("aten::t_copy").arg(matrix).check();
  Tensor integers(DType::kInt32, {20, 30});
  integers.set_values(std::vector<double>(600, 7));
  OperatorCase("aten::t_copy").arg(integers).check();
  Tensor narrow = random_tensor({4, 20, 6, 10});
  const std::vector<std::int64_t> scattered = {3, 1, 0, 2};
  OperatorCase("aten::permute_copy").arg(narrow).arg(Value::of_ints(scattered)).check("larger");
  Tensor bytes(DType::kInt8, {20, 30});
  OperatorCase("aten::t_copy").arg(bytes).check("4 bytes");
}

TEST(NativeOperators, channels_are_normalised_with_given_statistics) {
  for (const DimOrder& order : {contiguous_order(4), kChannelsLast}) {
    Tensor x = random_tensor({2, 37, 5, 6}, order), weight = random_tensor({37}), bias = random_tensor({37});
    Tensor mean = random_tensor({37}), variance = random_tensor({37}, 0.1, 3);
    OperatorCase("aten::_native_batch_norm_legit_no_training").arg(x).arg(weight).arg(bias).arg(mean).arg(variance)
        .arg(number(0.1)).arg(number(1e-5)).out_order(order).check();
    OperatorCase("aten::_native_batch_norm_legit_no_training").arg(x).none().none().arg(mean).arg(variance)
        .arg(number(0.1)).arg(number(1e-5)).out_order(order).check();
  }
}

TEST(NativeOperators, groups_of_channels_are_normalised) {
  for (const std::int64_t groups : {1, 3, 12}) {
    Tensor x = random_tensor({2, 12, 5, 7}), weight = random_tensor({12}), bias = random_tensor({12});
    OperatorCase with("aten::native_group_norm"), without("aten::native_group_norm");
    with.arg(x).arg(weight).arg(bias);
    without.arg(x).none().none();
    for (OperatorCase* op : {&with, &without}) {
      op->arg(whole(2)).arg(whole(12)).arg(whole(35)).arg(whole(groups)).arg(number(1e-5)).check();
    }
  }
}

TEST(NativeOperators, windows_are_averaged) {
  const std::vector<std::int64_t> kernel = {3, 2}, stride = {2, 1}, padding = {1, 1}, none = {0, 0};
  for (const DimOrder& order : {contiguous_order(4), kChannelsLast}) {
    Tensor x = random_tensor({2, 19, 7, 9}, order);
    const auto pool = [&](const std::vector<std::int64_t>& pad, bool ceil, bool counts, const char* refusal) {
      OperatorCase op("aten::avg_pool2d");
      op.arg(x).arg(Value::of_ints(kernel)).arg(Value::of_ints(stride)).arg(Value::of_ints(pad));
      op.arg(Value::of_bool(ceil)).arg(Value::of_bool(counts)).out_order(order).check(refusal);
    };
    pool(none, false, true, "");
    pool(none, true, true, "");
    pool(padding, false, false, "");
    pool(padding, false, true, "padding");
  }
  Tensor flat = random_tensor({1, 1, 8, 8});
  OperatorCase("aten::avg_pool2d").arg(flat).arg(Value::of_ints(kernel)).check("channels");
}

TEST(NativeOperators, images_are_resized) {
  const std::vector<std::int64_t> sizes = {11, 6};
  for (const DimOrder& order : {contiguous_order(4), kChannelsLast}) {
    for (const bool align : {false, true}) {
      Tensor x = random_tensor({2, 21, 5, 7}, order);
      OperatorCase("aten::upsample_bilinear2d.vec").arg(x).arg(Value::of_ints(sizes)).arg(Value::of_bool(align)).none()
          .out_order(order).check();
    }
  }
}

TEST(NativeOperators, a_kernel_that_meets_other_arguments_than_it_was_chosen_for_leaves_them_to_the_reference) {
  Tensor a = random_tensor({4, 40}), b = random_tensor({4, 40}), short_rows = random_tensor({4, 1});
  Tensor few = random_tensor({4, 3});
  OperatorCase("aten::mul.Tensor").arg(a).arg(b).check_with_other_arguments({few.value(), short_rows.value()});
  Tensor x = random_tensor({2, 8, 6, 6}), inside = random_tensor({2, 8, 6, 6}, kChannelsLast);
  OperatorCase("aten::neg").arg(x).check_with_other_arguments({inside.value()});
}

TEST(NativeOperators, an_operator_without_a_native_kernel_says_so) {
  Tensor x = random_tensor({3, 4});
  OperatorCase("aten::sign").arg(x).check("no SIMD kernel");
}

}  // namespace
}  // namespace etalon::native
