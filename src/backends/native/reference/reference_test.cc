#include "backends/native/reference/reference.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "backends/native/reference/evaluate.h"
#include "tensor/half.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;
using xnn::DataType;
using xnn::NodeType;

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> out(values.size() * sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  std::vector<T> out(static_cast<std::size_t>(numel(tensor.type.dims)));
  std::memcpy(out.data(), tensor.bytes.data(), out.size() * sizeof(T));
  return out;
}

Tensor fp32(const Dims& dims, const std::vector<float>& values) {
  return {{DataType::kFp32, dims, {}}, bytes_of(values)};
}

Tensor fp16(const Dims& dims, const std::vector<float>& values) {
  std::vector<Half> halves;
  for (const float value : values) halves.push_back(Half(value));
  return {{DataType::kFp16, dims, {}}, bytes_of(halves)};
}

Tensor qint8(const Dims& dims, float scale, std::int32_t zero_point, const std::vector<std::int8_t>& values) {
  Tensor out{{DataType::kQint8, dims, {}}, bytes_of(values)};
  out.type.quantisation.scale = scale;
  out.type.quantisation.zero_point = zero_point;
  return out;
}

// `scales` must outlive the tensor.
template <class T>
Tensor per_channel(DataType type, const Dims& dims, const std::vector<float>& scales, std::size_t channel_dim,
                   const std::vector<T>& values) {
  Tensor out{{type, dims, {}}, bytes_of(values)};
  out.type.quantisation.scales = std::as_bytes(std::span(scales));
  out.type.quantisation.channel_dim = channel_dim;
  return out;
}

Tensor result(DataType type, const Dims& dims, float scale = 1, std::int32_t zero_point = 0) {
  Tensor out{{type, dims, {}}, {}};
  out.type.quantisation.scale = scale;
  out.type.quantisation.zero_point = zero_point;
  return out;
}

xnn::Node node_of(NodeType type, xnn::Params params = {}) {
  xnn::Node node;
  node.type = type;
  node.params = std::move(params);
  node.inputs = {0, 1, 2, 3, 4};
  node.outputs = {10, 11};
  return node;
}

// Runs a node into `outputs`; a tensor without dims is a missing bias.
Status run(xnn::Node node, std::vector<Tensor> inputs, std::vector<Tensor*> outputs) {
  node.inputs.resize(inputs.size());
  node.outputs.resize(outputs.size());
  std::vector<const TensorType*> input_types, output_types;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool is_missing = inputs[i].bytes.empty() && inputs[i].type.dims.empty();
    if (is_missing) node.inputs[i] = xnn::kNoValue;
    input_types.push_back(is_missing ? nullptr : &inputs[i].type);
  }
  for (Tensor* output : outputs) output_types.push_back(&output->type);
  ETALON_CHECKED(check_node(node, input_types, output_types));
  std::vector<TensorRef> in, out;
  for (std::size_t i = 0; i < inputs.size(); ++i) in.push_back({input_types[i], inputs[i].bytes.data()});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (input_types[i] == nullptr) in[i] = {};
  }
  for (Tensor* output : outputs) {
    output->bytes.assign(storage_bytes(output->type), std::byte{0xAA});
    out.push_back({&output->type, output->bytes.data()});
  }
  run_node(node, in, out);
  return {};
}

std::vector<float> floats(const xnn::Node& node, std::vector<Tensor> inputs, const Dims& output) {
  Tensor out = result(DataType::kFp32, output);
  const Status status = run(node, std::move(inputs), {&out});
  EXPECT_TRUE(status.ok()) << status.error().message();
  return status.ok() ? values_of<float>(out) : std::vector<float>();
}

auto close_to(const std::vector<float>& wanted, float tolerance = 1e-6f) {
  return Pointwise(FloatNear(tolerance), wanted);
}

TEST(Reference, every_unary_node_computes_its_function) {
  struct Case {
    NodeType type;
    xnn::Params params;
    float at_minus_one, at_two;
  };
  const float nan = std::nanf("");
  const Case cases[] = {
      {NodeType::kSigmoid, {}, 0.26894142f, 0.88079708f},
      {NodeType::kFloor, {}, -1, 2},
      {NodeType::kCeiling, {}, -1, 2},
      {NodeType::kSquareRoot, {}, nan, 1.41421356f},
      {NodeType::kReciprocalSquareRoot, {}, nan, 0.70710678f},
      {NodeType::kHardswish, {}, -0.33333333f, 1.66666667f},
      {NodeType::kNegate, {}, 1, -2},
      {NodeType::kSquare, {}, 1, 4},
      {NodeType::kAbs, {}, 1, 2},
      {NodeType::kLog, {}, nan, 0.69314718f},
      {NodeType::kExp, {}, 0.36787944f, 7.3890561f},
      {NodeType::kSin, {}, -0.84147098f, 0.90929743f},
      {NodeType::kCos, {}, 0.54030231f, -0.41614684f},
      {NodeType::kTanh, {}, -0.76159416f, 0.96402758f},
      {NodeType::kGelu, {}, -0.15865525f, 1.95449974f},  // by erf
      {NodeType::kELU, xnn::Elu{0.5f}, -0.31606028f, 2},
      {NodeType::kLeakyReLU, xnn::LeakyRelu{0.25f}, -0.25f, 2},
      {NodeType::kClamp, {}, -1, 2},
      {NodeType::kCopy, {}, -1, 2},
      {NodeType::kConvert, {}, -1, 2},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(xnn::name_of(c.type));
    const auto out = floats(node_of(c.type, c.params), {fp32({2}, {-1, 2})}, {2});
    EXPECT_TRUE(std::isnan(c.at_minus_one) ? std::isnan(out[0]) : std::abs(out[0] - c.at_minus_one) < 1e-6f)
        << out[0];
    EXPECT_NEAR(out[1], c.at_two, 1e-6f);
  }
}

TEST(Reference, a_clamp_has_its_limits) {
  xnn::Node clamp = node_of(NodeType::kClamp);
  clamp.output_min = 0;
  clamp.output_max = 6;
  EXPECT_THAT(floats(clamp, {fp32({3}, {-1, 3, 7})}, {3}), ElementsAre(0, 3, 6));
}

TEST(Reference, binary_nodes_broadcast_and_clamp) {
  const Tensor a = fp32({2, 2}, {1, 2, 3, 4});
  const Tensor b = fp32({2, 1}, {10, -20});
  EXPECT_THAT(floats(node_of(NodeType::kAdd), {a, b}, {2, 2}), ElementsAre(11, 12, -17, -16));
  EXPECT_THAT(floats(node_of(NodeType::kSubtract), {a, b}, {2, 2}), ElementsAre(-9, -8, 23, 24));
  EXPECT_THAT(floats(node_of(NodeType::kMultiply), {a, b}, {2, 2}), ElementsAre(10, 20, -60, -80));
  EXPECT_THAT(floats(node_of(NodeType::kDiv), {b, a}, {2, 2}), close_to({10, 5, -20.f / 3, -5}));
  EXPECT_THAT(floats(node_of(NodeType::kMinimum), {a, b}, {2, 2}), ElementsAre(1, 2, -20, -20));
  EXPECT_THAT(floats(node_of(NodeType::kMaximum), {a, b}, {2, 2}), ElementsAre(10, 10, 3, 4));
  EXPECT_THAT(floats(node_of(NodeType::kPReLU), {b, fp32({1}, {0.5f})}, {2, 1}), ElementsAre(10, -10));
  xnn::Node add = node_of(NodeType::kAdd);
  add.output_min = 0;
  EXPECT_THAT(floats(add, {a, b}, {2, 2}), ElementsAre(11, 12, 0, 0));
}

TEST(Reference, half_precision_is_stored_not_computed) {
  Tensor out = result(DataType::kFp16, {2});
  ASSERT_TRUE(
      run(node_of(NodeType::kMultiply), {fp16({2}, {300, 1.0009765625f}), fp16({2}, {300, 3})}, {&out}).ok());
  const auto halves = values_of<Half>(out);
  EXPECT_TRUE(std::isinf(static_cast<float>(halves[0])));
  EXPECT_EQ(static_cast<float>(halves[1]), 3.00390625f);  // 3.0029.. rounded to the nearest half
}

TEST(Reference, quantised_sums_use_fixed_point) {
  Tensor out = result(DataType::kQint8, {4}, 0.1f, 3);
  ASSERT_TRUE(run(node_of(NodeType::kAdd),
                  {qint8({4}, 0.05f, 1, {11, -128, 127, 2}), qint8({4}, 0.2f, -2, {8, -128, 127, -2})},
                  {&out})
                  .ok());
  // (10 * 0.05 + 10 * 0.2) / 0.1 + 3; both ends saturate; half of a quantum rounds up.
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(28, -128, 127, 4));

  Tensor difference = result(DataType::kQint8, {1}, 0.1f, 3);
  ASSERT_TRUE(run(node_of(NodeType::kSubtract), {qint8({1}, 0.05f, 1, {11}), qint8({1}, 0.2f, -2, {8})},
                  {&difference})
                  .ok());
  EXPECT_THAT(values_of<std::int8_t>(difference), ElementsAre(-12));
}

TEST(Reference, quantised_products_round_half_to_even) {
  Tensor out = result(DataType::kQint8, {4}, 1, 0);
  ASSERT_TRUE(
      run(node_of(NodeType::kMultiply), {qint8({4}, 0.5f, 0, {1, 3, 5, 127}), qint8({1}, 1, 0, {1})}, {&out})
          .ok());
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(0, 2, 2, 64));
  xnn::Node relu = node_of(NodeType::kMultiply);
  relu.output_min = -1;
  relu.output_max = 10;
  ASSERT_TRUE(run(relu, {qint8({4}, 1, 0, {-9, -1, 5, 127}), qint8({1}, 1, 0, {1})}, {&out}).ok());
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(-1, -1, 5, 10));
}

TEST(Reference, quantised_values_pass_through_any_unary_node) {
  Tensor out = result(DataType::kQint8, {3}, 1.f / 256, -128);
  ASSERT_TRUE(run(node_of(NodeType::kSigmoid), {qint8({3}, 0.1f, 0, {0, 127, -128})}, {&out}).ok());
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(0, 127, -128));
}

TEST(Reference, conversions_between_every_pair_round_once) {
  Tensor quantised = result(DataType::kQint8, {5}, 0.5f, 1);
  ASSERT_TRUE(
      run(node_of(NodeType::kConvert), {fp32({5}, {0.25f, 0.75f, -0.25f, 1000, -1000})}, {&quantised}).ok());
  EXPECT_THAT(values_of<std::int8_t>(quantised), ElementsAre(1, 3, 1, 127, -128));
  EXPECT_THAT(floats(node_of(NodeType::kConvert), {quantised}, {5}), ElementsAre(0, 1, 0, 63, -64.5f));
  Tensor half = result(DataType::kFp16, {5});
  ASSERT_TRUE(run(node_of(NodeType::kConvert), {quantised}, {&half}).ok());
  EXPECT_EQ(static_cast<float>(values_of<Half>(half)[4]), -64.5f);
  Tensor finer = result(DataType::kQint8, {5}, 0.25f, -1);
  ASSERT_TRUE(run(node_of(NodeType::kConvert), {quantised}, {&finer}).ok());
  EXPECT_THAT(values_of<std::int8_t>(finer), ElementsAre(-1, 3, -1, 127, -128));
}

TEST(Reference, dynamic_quantisation_looks_at_each_row) {
  Tensor rows = result(DataType::kQdint8, {3, 2});
  rows.type.quantisation.nonbatch_dims = 1;
  ASSERT_TRUE(run(node_of(NodeType::kConvert), {fp32({3, 2}, {0, 2.55f, -1, 1, 0, 0})}, {&rows}).ok());
  EXPECT_EQ(rows.bytes.size(), 16u + 32u);
  EXPECT_EQ(static_cast<int>(rows.bytes[0]), 0x80);
  EXPECT_EQ(static_cast<int>(rows.bytes[1]), 0x7f);
  const auto again = floats(node_of(NodeType::kConvert), {rows}, {3, 2});
  EXPECT_THAT(again, close_to({0, 2.55f, -1, 1, 0, 0}, 0.005f));
  EXPECT_EQ(again[0], 0.f) << "zero is always exact";
}

TEST(Reference, softmax_is_over_the_last_dim_and_safe) {
  const auto out =
      floats(node_of(NodeType::kSoftmax), {fp32({2, 2}, {1000, 1000, 0, std::log(3.f)})}, {2, 2});
  EXPECT_THAT(out, close_to({0.5f, 0.5f, 0.25f, 0.75f}));
}

xnn::Conv conv(std::uint32_t kernel, std::uint32_t stride, std::uint32_t pad) {
  xnn::Conv out;
  out.kernel_height = out.kernel_width = kernel;
  out.subsampling_height = out.subsampling_width = stride;
  out.padding_top = out.padding_bottom = out.padding_left = out.padding_right = pad;
  return out;
}

TEST(Reference, convolutions_pad_with_zero) {
  const Tensor image = fp32({1, 2, 2, 1}, {1, 2, 3, 4});
  const Tensor filter = fp32({1, 3, 3, 1}, {1, 0, 0, 0, 10, 0, 0, 0, 100});
  // The taps of the top left output are 10 * 1 in the middle and 100 * 4 below to the right.
  EXPECT_THAT(
      floats(node_of(NodeType::kConv2d, conv(3, 1, 1)), {image, filter, fp32({1}, {0.5f})}, {1, 2, 2, 1}),
      ElementsAre(410.5f, 20.5f, 30.5f, 41.5f));
  xnn::Node relu = node_of(NodeType::kConv2d, conv(3, 1, 1));
  relu.output_max = 35;
  EXPECT_THAT(floats(relu, {image, filter, Tensor()}, {1, 2, 2, 1}), ElementsAre(35, 20, 30, 35));
}

TEST(Reference, groups_see_only_their_channels) {
  xnn::Conv p = conv(1, 1, 0);
  p.groups = 2;
  p.group_input_channels = 2;
  p.group_output_channels = 1;
  EXPECT_THAT(
      floats(node_of(NodeType::kConv2d, p),
             {fp32({1, 1, 1, 4}, {1, 2, 3, 4}), fp32({2, 1, 1, 2}, {1, 10, 1, 10}), Tensor()}, {1, 1, 1, 2}),
      ElementsAre(21, 43));
  p.groups = 2;
  p.group_input_channels = 1;
  p.group_output_channels = 2;
  EXPECT_THAT(
      floats(node_of(NodeType::kDepthwiseConv2d, p),
             {fp32({1, 1, 1, 2}, {1, 2}), fp32({1, 1, 1, 4}, {1, 10, 1, 10}), Tensor()}, {1, 1, 1, 4}),
      ElementsAre(1, 10, 2, 20));
}

TEST(Reference, transposed_convolutions_spread_their_inputs) {
  xnn::Conv p = conv(2, 2, 0);
  p.adjustment_width = 1;
  EXPECT_THAT(
      floats(node_of(NodeType::kConvTranspose2d, p),
             {fp32({1, 1, 2, 1}, {1, 2}), fp32({1, 2, 2, 1}, {1, 2, 3, 4}), fp32({1}, {0.5f})}, {1, 2, 5, 1}),
      ElementsAre(1.5f, 2.5f, 2.5f, 4.5f, 0.5f, 3.5f, 4.5f, 6.5f, 8.5f, 0.5f));
}

TEST(Reference, fully_connected_layers_take_filters_both_ways) {
  const Tensor rows = fp32({1, 2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(floats(node_of(NodeType::kFullyConnected), {rows, fp32({3, 2}, {1, 0, 0, 1, 1, 1}), Tensor()},
                     {1, 2, 3}),
              ElementsAre(1, 2, 3, 3, 4, 7));
  xnn::Node transposed = node_of(NodeType::kFullyConnected);
  transposed.flags = xnn::kTransposeWeights;
  EXPECT_THAT(floats(transposed, {rows, fp32({2, 3}, {1, 0, 1, 0, 1, 1}), fp32({3}, {0, 0, 1})}, {1, 2, 3}),
              ElementsAre(1, 2, 4, 3, 4, 8));
}

TEST(Reference, static_int8_filters_have_a_scale_per_channel) {
  const std::vector<float> scales = {0.5f, 0.25f}, bias_scales = {0.05f, 0.025f};
  const Tensor input = qint8({1, 3}, 0.1f, 5, {6, 7, 5});  // 0.1, 0.2, 0
  const Tensor filter =
      per_channel<std::int8_t>(DataType::kQcint8, {2, 3}, scales, 0, {10, 20, 99, -4, 2, 99});
  const Tensor bias = per_channel<std::int32_t>(DataType::kQcint32, {2}, bias_scales, 0, {100, -8});
  Tensor out = result(DataType::kQint8, {1, 2}, 0.5f, -1);
  ASSERT_TRUE(run(node_of(NodeType::kFullyConnected), {input, filter, bias}, {&out}).ok());
  // (10 + 40 + 100) * 0.05 / 0.5 - 1 and (-4 + 4 - 8) * 0.025 / 0.5 - 1, rounded half to even.
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(14, -1));
}

TEST(Reference, dynamic_int8_uses_the_scale_of_each_row) {
  Tensor rows = result(DataType::kQdint8, {2, 2});
  rows.type.quantisation.nonbatch_dims = 1;
  ASSERT_TRUE(run(node_of(NodeType::kConvert), {fp32({2, 2}, {0, 255, -1, 1})}, {&rows}).ok());
  const std::vector<float> scales = {0.5f};
  const Tensor filter = per_channel<std::int8_t>(DataType::kQcint8, {1, 2}, scales, 0, {2, 4});
  EXPECT_THAT(floats(node_of(NodeType::kFullyConnected), {rows, filter, fp32({1}, {3})}, {2, 1}),
              close_to({513, 4}, 0.02f));
}

TEST(Reference, four_bit_filters_are_read_low_half_first) {
  Tensor rows = result(DataType::kQdint8, {1, 3});
  rows.type.quantisation.nonbatch_dims = 1;
  ASSERT_TRUE(run(node_of(NodeType::kConvert), {fp32({1, 3}, {255, 0, 10})}, {&rows}).ok());
  const std::vector<float> scales = {0.5f, 2};
  // Rows [1, -8, 2] and [-1, 7, 0]: value + 8, the unused half of an odd row is 8.
  const Tensor filter =
      per_channel<std::uint8_t>(DataType::kQcint4, {2, 3}, scales, 0, {0x09, 0x8A, 0xF7, 0x88});
  EXPECT_THAT(floats(node_of(NodeType::kFullyConnected), {rows, filter, Tensor()}, {1, 2}),
              ElementsAre(127.5f + 10, -510));
}

TEST(Reference, groups_of_four_bit_columns_have_their_own_scales) {
  const std::vector<std::uint16_t> scales = {0x3F00, 0x4000};  // 0.5 and 2
  Tensor filter{{DataType::kQbint4, {1, 4}, {}}, bytes_of<std::uint8_t>({0x99, 0x9A})};
  filter.type.quantisation.group_size = 2;
  filter.type.quantisation.scales = std::as_bytes(std::span(scales));
  filter.type.quantisation.scales_are_bf16 = true;
  EXPECT_THAT(
      floats(node_of(NodeType::kFullyConnected), {fp32({1, 4}, {1, 2, 3, 4}), filter, Tensor()}, {1, 1}),
      ElementsAre((1 + 2) * 0.5f + (3 * 2 + 4) * 2.f));
}

TEST(Reference, pooling_leaves_padding_out) {
  const Tensor image = fp32({1, 2, 2, 1}, {-1, -2, -3, -6});
  xnn::Pool p{1, 1, 1, 1, 2, 2, 1, 1, 1, 1};
  EXPECT_THAT(floats(node_of(NodeType::kAvgPooling2d, p), {image}, {1, 3, 3, 1}),
              ElementsAre(-1, -1.5f, -2, -2, -3, -4, -3, -4.5f, -6));
  EXPECT_THAT(floats(node_of(NodeType::kMaxPooling2d, p), {image}, {1, 3, 3, 1}),
              ElementsAre(-1, -1, -2, -1, -1, -2, -3, -3, -6));
  xnn::Node mean = node_of(NodeType::kGlobalAvgPooling2d);
  EXPECT_THAT(floats(mean, {image}, {1, 1}), ElementsAre(-3));
  mean.flags = xnn::kKeepDims;
  EXPECT_THAT(floats(mean, {image}, {1, 1, 1, 1}), ElementsAre(-3));
}

TEST(Reference, quantised_means_round_the_sum_with_the_zero_point) {
  Tensor out = result(DataType::kQint8, {1, 1, 1, 3}, 0.05f, 3);
  xnn::Node mean = node_of(NodeType::kGlobalAvgPooling2d);
  mean.flags = xnn::kKeepDims;
  const std::vector<std::int8_t> image = {4, 5, 6, 5, 5, 6, 4, 5, 6, 5, 5, 8};
  ASSERT_TRUE(run(mean, {qint8({1, 2, 2, 3}, 0.05f, 3, image)}, {&out}).ok());
  // Means 4.5, 5 and 6.5 of the stored numbers: halves go to the even stored number.
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(4, 5, 6));
}

TEST(Reference, arg_max_pooling_names_the_place_in_the_window) {
  Tensor values = result(DataType::kFp32, {1, 1, 2, 1}), indices = result(DataType::kInt32, {1, 1, 2, 1});
  const Tensor image = fp32({1, 2, 2, 1}, {1, 8, 5, 7});
  ASSERT_TRUE(
      run(node_of(NodeType::kArgMaxPooling2d, xnn::Pool{0, 0, 0, 0, 2, 1}), {image}, {&values, &indices})
          .ok());
  EXPECT_THAT(values_of<float>(values), ElementsAre(5, 8));
  EXPECT_THAT(values_of<std::int32_t>(indices), ElementsAre(1, 0));
}

TEST(Reference, movement_keeps_elements) {
  const Tensor matrix = fp32({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(floats(node_of(NodeType::kStaticTranspose, xnn::Transpose{{1, 0}}), {matrix}, {3, 2}),
              ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(floats(node_of(NodeType::kStaticReshape, xnn::Reshape{{3, 0}}), {matrix}, {3, 2}),
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(floats(node_of(NodeType::kStaticSlice, xnn::Slice{{1, 1}, {1, 2}}), {matrix}, {1, 2}),
              ElementsAre(5, 6));
  EXPECT_THAT(floats(node_of(NodeType::kStaticConstantPad, xnn::Pad{{0, 1}, {1, 0}, 9}), {matrix}, {3, 4}),
              ElementsAre(9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9));
  EXPECT_THAT(
      floats(node_of(NodeType::kConcatenate2, xnn::Concatenate{1}), {matrix, fp32({2, 1}, {7, 8})}, {2, 4}),
      ElementsAre(1, 2, 3, 7, 4, 5, 6, 8));
}

TEST(Reference, movement_between_scales_rounds_anew) {
  Tensor out = result(DataType::kQint8, {4}, 0.5f, 1);
  ASSERT_TRUE(run(node_of(NodeType::kConcatenate2, xnn::Concatenate{0}),
                  {qint8({2}, 0.5f, 1, {3, 4}), qint8({2}, 1, 0, {5, -6})}, {&out})
                  .ok());
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(3, 4, 11, -11));
  ASSERT_TRUE(
      run(node_of(NodeType::kStaticConstantPad, xnn::Pad{{1}, {1}, 2}), {qint8({2}, 0.5f, 1, {3, 4})}, {&out})
          .ok());
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(5, 3, 4, 5));
}

TEST(Reference, matrices_are_multiplied_in_batches) {
  const Tensor a = fp32({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_THAT(floats(node_of(NodeType::kBatchMatrixMultiply), {a, fp32({2, 2, 2}, {1, 2, 3, 4, 1, 0, 0, 1})},
                     {2, 1, 2}),
              ElementsAre(7, 10, 3, 4));
  xnn::Node transposed = node_of(NodeType::kBatchMatrixMultiply);
  transposed.flags = xnn::kTransposeWeights;
  EXPECT_THAT(floats(transposed, {a, fp32({1, 1, 2}, {10, 1})}, {2, 1, 1}), ElementsAre(12, 34));
}

TEST(Reference, resizing_measures_pixels_at_their_centres_unless_corners_align) {
  const Tensor row = fp32({1, 1, 2, 1}, {0, 8});
  EXPECT_THAT(floats(node_of(NodeType::kStaticResizeBilinear2D, xnn::Resize{1, 4}), {row}, {1, 1, 4, 1}),
              ElementsAre(0, 2, 6, 8));
  xnn::Node corners = node_of(NodeType::kStaticResizeBilinear2D, xnn::Resize{1, 5});
  corners.flags = xnn::kAlignCorners;
  EXPECT_THAT(floats(corners, {row}, {1, 1, 5, 1}), ElementsAre(0, 2, 4, 6, 8));
  Tensor out = result(DataType::kQint8, {1, 1, 4, 1}, 1, 0);
  ASSERT_TRUE(run(node_of(NodeType::kStaticResizeBilinear2D, xnn::Resize{1, 4}),
                  {qint8({1, 1, 2, 1}, 1, 0, {1, 8})}, {&out})
                  .ok());
  EXPECT_THAT(values_of<std::int8_t>(out), ElementsAre(1, 3, 6, 8));
}

TEST(Reference, unaligned_constants_are_read) {
  std::vector<std::byte> storage(1 + 8);
  const float numbers[2] = {3, 4};
  std::memcpy(storage.data() + 1, numbers, 8);
  const TensorType type{DataType::kFp32, {2}, {}};
  Tensor out = result(DataType::kFp32, {2});
  out.bytes.resize(8);
  const TensorRef in[] = {{&type, storage.data() + 1}}, outs[] = {{&out.type, out.bytes.data()}};
  run_node(node_of(NodeType::kNegate), in, outs);
  EXPECT_THAT(values_of<float>(out), ElementsAre(-3, -4));
}

TEST(Reference, what_cannot_run_is_refused_by_name) {
  Tensor out = result(DataType::kFp32, {2});
  const auto message = [&](const xnn::Node& node, std::vector<Tensor> inputs) {
    const Status status = run(node, std::move(inputs), {&out});
    return status.ok() ? std::string("accepted") : status.error().message();
  };
  EXPECT_EQ(message(node_of(NodeType::kAbs), {fp32({3}, {1, 2, 3})}), "Abs: the output is [2], want [3]");
  EXPECT_EQ(message(node_of(NodeType::kAdd), {fp32({3}, {1, 2, 3}), fp32({2}, {1, 2})}),
            "Add: [3] and [2] do not broadcast");
  Tensor integers{{DataType::kInt32, {2}, {}}, std::vector<std::byte>(8)};
  EXPECT_EQ(message(node_of(NodeType::kAbs), {integers}), "Abs: an input of type int32");
  Tensor packed{{DataType::kQpint8, {2}, {}}, std::vector<std::byte>(8)};
  EXPECT_EQ(message(node_of(NodeType::kConvert), {packed}), "Convert: an input of type qpint8");
  const std::vector<float> scales = {1, 1};
  const Tensor filter = per_channel<std::int8_t>(DataType::kQcint8, {2, 2}, scales, 1, {1, 2, 3, 4});
  EXPECT_THAT(message(node_of(NodeType::kFullyConnected), {fp32({2}, {1, 2}), filter, Tensor()}),
              HasSubstr("want dim 0"));
  Tensor short_scales = filter;
  short_scales.type.quantisation.scales = {};
  EXPECT_THAT(message(node_of(NodeType::kFullyConnected), {fp32({2}, {1, 2}), short_scales, Tensor()}),
              HasSubstr("the filter: it has 0 bytes of scales, want 8"));
  const Tensor bias{{DataType::kQint32, {2}, {}}, std::vector<std::byte>(8)};
  EXPECT_THAT(
      message(node_of(NodeType::kFullyConnected), {fp32({2}, {1, 2}), fp32({2, 2}, {1, 2, 3, 4}), bias}),
      HasSubstr("a bias of type qint32"));
}

xnn::Graph linear_graph() {
  xnn::Graph graph;
  graph.num_externs = 2;
  graph.constants.push_back({std::string("weights"), {}, 16});
  const auto add = [&](std::uint32_t id, std::vector<std::uint32_t> dims, std::uint32_t constant,
                       std::uint32_t external, std::uint32_t flags) {
    xnn::Value value;
    value.id = id;
    value.dims = std::move(dims);
    value.constant = constant;
    value.external_id = external;
    value.flags = flags;
    graph.values.push_back(value);
  };
  add(0, {1, 2}, 0, 1, xnn::kExternalOutput);
  add(1, {2, 2}, 1, xnn::kNoExternal, 0);
  add(2, {1, 2}, 0, 0, xnn::kExternalInput);
  add(3, {9, 9, 9}, 0, xnn::kNoExternal, 0);  // what is claimed of an internal value does not matter
  xnn::Node linear = node_of(NodeType::kFullyConnected);
  linear.inputs = {2, 1, xnn::kNoValue};
  linear.outputs = {3};
  xnn::Node negate = node_of(NodeType::kNegate);
  negate.inputs = {3};
  negate.outputs = {0};
  graph.nodes = {linear, negate};
  return graph;
}

// Input 0 -> quantised per image -> convolution with a 1x1 filter.
xnn::Graph pointwise_graph(std::uint32_t stride) {
  xnn::Graph graph;
  graph.num_externs = 2;
  for (std::uint32_t id = 0; id < 4; ++id) {
    xnn::Value value;
    value.id = id;
    value.dims = {1, 1, 2, 2};
    graph.values.push_back(value);
  }
  graph.values[0].flags = xnn::kExternalInput;
  graph.values[0].external_id = 0;
  graph.values[1].type = DataType::kQdint8;
  graph.values[1].quantization = xnn::PerTokenDynamicQuant{3};
  graph.values[3].flags = xnn::kExternalOutput;
  graph.values[3].external_id = 1;
  graph.values[2].dims = {1, 1, 1, 2};
  graph.values[2].constant = 1;
  graph.constants.push_back({std::string("filter"), {}, 8});
  xnn::Node convert = node_of(NodeType::kConvert);
  convert.inputs = {0};
  convert.outputs = {1};
  xnn::Conv p = conv(1, stride, 0);
  p.group_input_channels = 2;
  xnn::Node product = node_of(NodeType::kConv2d, p);
  product.inputs = {1, 2, xnn::kNoValue};
  product.outputs = {3};
  graph.nodes = {convert, product};
  return graph;
}

TEST(Reference, pixels_of_pointwise_convolutions_are_quantised_one_by_one) {
  const std::vector<float> filter = {1, 0};
  const ConstantLookup lookup = [&](std::string_view) { return std::as_bytes(std::span(filter)); };
  const Tensors inputs = {{0, fp32({1, 1, 2, 2}, {0.3f, -0.2f, 0, 1000})}};
  const auto alone = evaluate(pointwise_graph(1), lookup, inputs);
  ASSERT_TRUE(alone.ok()) << alone.error().message();
  EXPECT_THAT(values_of<float>(alone->at(1)), close_to({0.3f, 0}, 0.002f));
  // One scale for the whole image leaves nothing of its small numbers.
  const auto together = evaluate(pointwise_graph(2), lookup, inputs);
  ASSERT_TRUE(together.ok()) << together.error().message();
  EXPECT_THAT(values_of<float>(together->at(1)), ElementsAre(0));
}

TEST(Reference, a_graph_is_evaluated_with_its_named_data) {
  const std::vector<float> weights = {1, 2, 3, 4};
  const ConstantLookup lookup = [&](std::string_view key) -> std::optional<Bytes> {
    if (key == "weights") return std::as_bytes(std::span(weights));
    return std::nullopt;
  };
  const auto out = evaluate(linear_graph(), lookup, {{0, fp32({2, 2}, {1, 0, 0, 1})}});
  ASSERT_TRUE(out.ok()) << out.error().message();
  ASSERT_EQ(out->count(1), 1u);
  EXPECT_EQ(to_string(out->at(1).type.dims), "[2, 2]");
  EXPECT_THAT(values_of<float>(out->at(1)), ElementsAre(-1, -3, -2, -4));

  EXPECT_THAT(evaluate(linear_graph(), lookup, {}).error().message(),
              HasSubstr("value 2: input 0 is missing"));
  EXPECT_THAT(evaluate(linear_graph(), {}, {{0, fp32({1, 2}, {1, 0})}}).error().message(),
              HasSubstr("no data named 'weights'"));
  EXPECT_THAT(evaluate(linear_graph(), lookup, {{0, fp32({1, 3}, {1, 0, 0})}}).error().message(),
              HasSubstr("node 0: FullyConnected: the input is [1, 3]"));
}

}  // namespace
}  // namespace etalon::native::reference
