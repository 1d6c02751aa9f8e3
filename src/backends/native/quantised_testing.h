// For tests of the engine: int8 graphs in a few lines.
#pragma once

#include "backends/native/native_testing.h"

namespace etalon::native::testing {

class QuantisedGraphBuilder : public GraphBuilder {
 public:
  using Affine = xnn::PerTensorQuant;

  std::uint32_t quantised(std::uint32_t x, Affine affine) {
    return stored(node(NodeType::kConvert, {x}), affine);
  }
  std::uint32_t real(std::uint32_t x) { return node(NodeType::kConvert, {x}); }
  // Each row of `nonbatch_dims` dims with a scale of its own.
  std::uint32_t quantised_rows(std::uint32_t x, const std::vector<std::uint32_t>& dims, std::int32_t nonbatch_dims) {
    const std::uint32_t out = node(NodeType::kConvert, {x});
    graph.values[out].dims = dims;
    set_type(out, xnn::DataType::kQdint8, xnn::PerTokenDynamicQuant{nonbatch_dims});
    return out;
  }
  // Gives an int8 type to what the last node computes.
  std::uint32_t stored(std::uint32_t id, Affine affine) {
    set_type(id, xnn::DataType::kQint8, affine);
    return id;
  }

  // Weights with a scale per channel along `channel_dim`.
  std::uint32_t int8_weights(const std::vector<std::uint32_t>& dims, std::uint32_t channel_dim) {
    std::vector<float> scales = drawn(dims[channel_dim], ++seed_, 0.002f, 0.01f);
    return constant_bytes(dims, xnn::DataType::kQcint8,
                          xnn::PerChannelQuant{std::move(scales), static_cast<std::int32_t>(channel_dim), 0, 0},
                          integers<std::int8_t>(dims, -127, 127));
  }
  std::uint32_t int8_weights_of_one_scale(const std::vector<std::uint32_t>& dims) {
    return constant_bytes(dims, xnn::DataType::kQint8, Affine{0.006f, 0}, integers<std::int8_t>(dims, -127, 127));
  }
  std::uint32_t int32_bias(std::uint32_t channels) {
    return constant_bytes({channels}, xnn::DataType::kQcint32,
                          xnn::PerChannelQuant{std::vector<float>(channels, 1e-4f), 0, 0, 0},
                          integers<std::int32_t>({channels}, -2000, 2000));
  }

  std::uint32_t qs8_conv(std::uint32_t x, std::uint32_t in_c, std::uint32_t out_c, std::uint32_t kernel,
                         std::uint32_t stride, std::uint32_t pad, Affine affine, float min = -kInf, float max = kInf) {
    const auto filter = int8_weights({out_c, kernel, kernel, in_c}, 0);
    const auto out = node(NodeType::kConv2d, {x, filter, int32_bias(out_c)},
                          window(kernel, stride, pad, in_c, out_c, 1), min, max);
    return stored(out, affine);
  }
  std::uint32_t qs8_depthwise(std::uint32_t x, std::uint32_t channels, std::uint32_t kernel, std::uint32_t stride,
                              std::uint32_t pad, Affine affine, float min = -kInf, float max = kInf) {
    const auto filter = int8_weights({1, kernel, kernel, channels}, 3);
    const auto out = node(NodeType::kDepthwiseConv2d, {x, filter, int32_bias(channels)},
                          window(kernel, stride, pad, 1, 1, channels), min, max);
    return stored(out, affine);
  }
  std::uint32_t qs8_linear(std::uint32_t x, std::uint32_t in, std::uint32_t out, Affine affine) {
    return stored(node(NodeType::kFullyConnected, {x, int8_weights({out, in}, 0), int32_bias(out)}), affine);
  }
  static xnn::Conv window(std::uint32_t kernel, std::uint32_t stride, std::uint32_t pad, std::uint32_t group_in,
                          std::uint32_t group_out, std::uint32_t groups) {
    xnn::Conv p;
    p.kernel_height = p.kernel_width = kernel;
    p.subsampling_height = p.subsampling_width = stride;
    p.padding_top = p.padding_left = p.padding_bottom = p.padding_right = pad;
    p.group_input_channels = group_in;
    p.group_output_channels = group_out;
    p.groups = groups;
    return p;
  }

 private:
  template <class T>
  std::vector<std::byte> integers(const std::vector<std::uint32_t>& dims, float low, float high) {
    std::size_t count = 1;
    for (const std::uint32_t size : dims) count *= size;
    std::vector<std::byte> out(count * sizeof(T));
    const auto numbers = drawn(count, ++seed_, low, high);
    for (std::size_t i = 0; i < count; ++i) {
      const T number = static_cast<T>(numbers[i]);
      std::memcpy(out.data() + i * sizeof(T), &number, sizeof(T));
    }
    return out;
  }

  std::uint32_t seed_ = 500;
};

}  // namespace etalon::native::testing
