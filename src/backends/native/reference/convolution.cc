// Everything that multiplies by a filter. Each output is one sum over the taps that meet the image; types
// only change how two elements are multiplied and how the sum is finished.
#include <algorithm>

#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;
using xnn::NodeType;

// A fully connected layer is a 1x1 convolution of as many images as it has rows.
struct Geometry {
  std::int64_t batch = 1, in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1;
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t group_in = 1, group_out = 1;
  // Elements between neighbours in the filter.
  std::int64_t filter_out = 0, filter_h = 0, filter_w = 0, filter_in = 1;
  bool is_transposed = false;  // spreads inputs over outputs
};

Geometry linear_geometry(const xnn::Node& node, const Dims& input, const Dims& filter) {
  const bool is_io = (node.flags & xnn::kTransposeWeights) != 0;
  Geometry g;
  g.in_c = g.group_in = filter[is_io ? 0 : 1];
  g.out_c = g.group_out = filter[is_io ? 1 : 0];
  for (std::size_t i = 0; i + 1 < input.size(); ++i) g.batch *= input[i];
  g.filter_out = is_io ? 1 : g.in_c;
  g.filter_in = is_io ? g.out_c : 1;
  return g;
}

// Every pixel is an image of its own, because each may have its own scale.
Geometry pointwise_geometry(const Dims& input, const Dims& output) {
  Geometry g;
  g.batch = input[0] * input[1] * input[2];
  g.in_c = g.group_in = g.filter_out = input[3];
  g.out_c = g.group_out = output[3];
  return g;
}

Geometry image_geometry(const xnn::Node& node, const Dims& input, const Dims& output) {
  const auto& p = std::get<xnn::Conv>(node.params);
  Geometry g;
  g.batch = input[0], g.in_h = input[1], g.in_w = input[2], g.in_c = input[3];
  g.out_h = output[1], g.out_w = output[2], g.out_c = output[3];
  g.kernel_h = p.kernel_height, g.kernel_w = p.kernel_width;
  g.stride_h = p.subsampling_height, g.stride_w = p.subsampling_width;
  g.dilation_h = p.dilation_height, g.dilation_w = p.dilation_width;
  g.pad_top = p.padding_top, g.pad_left = p.padding_left;
  g.group_in = p.group_input_channels, g.group_out = p.group_output_channels;
  g.is_transposed = node.type == NodeType::kConvTranspose2d;
  const bool is_depthwise = node.type == NodeType::kDepthwiseConv2d;  // filter [1, kh, kw, out]
  g.filter_w = is_depthwise ? g.out_c : g.group_in;
  g.filter_h = g.filter_w * g.kernel_w;
  g.filter_out = is_depthwise ? 1 : g.filter_h * g.kernel_h;
  return g;
}

// The input position that tap `k` of output `o` reads, or -1.
std::int64_t tap(std::int64_t o, std::int64_t k, std::int64_t stride, std::int64_t dilation, std::int64_t pad,
                 std::int64_t size, bool is_transposed) {
  std::int64_t at = is_transposed ? o + pad - k * dilation : o * stride - pad + k * dilation;
  if (is_transposed) {
    if (at < 0 || at % stride != 0) return -1;
    at /= stride;
  }
  return at >= 0 && at < size ? at : -1;
}

// Sums of products. 8-bit sums wrap around at 32 bits, as everybody's do.
struct IntegerSum {
  std::uint32_t value = 0;
  void add(std::int32_t x, std::int32_t w) { value += static_cast<std::uint32_t>(x * w); }
  void add_bias(std::int32_t bias) { value += static_cast<std::uint32_t>(bias); }
  float real() const { return static_cast<float>(static_cast<std::int32_t>(value)); }
};
struct FloatSum {
  double value = 0;
  void add(double x, double w) { value += x * w; }
  void add_bias(std::int32_t bias) { value += bias; }
  double real() const { return value; }
};

// What one element of input or filter counts as before scaling.
struct Fp32Element {
  static double get(const std::byte* data, std::int64_t i, std::int32_t) { return load<float>(data, i); }
};
template <class Stored>
struct Float16Element {
  static double get(const std::byte* data, std::int64_t i, std::int32_t) {
    return static_cast<float>(load<Stored>(data, i));
  }
};
template <class Stored>
struct IntegerElement {
  static std::int32_t get(const std::byte* data, std::int64_t i, std::int32_t zero) {
    return load<Stored>(data, i) - zero;
  }
};
// Rows of an odd length end in an unused half byte; `i` counts as if they did not.
struct NibbleElement {
  static std::int32_t get(const std::byte* data, std::int64_t i, std::int32_t columns) {
    const std::int64_t row = i / columns;
    return load_nibble(data + row * ((columns + 1) / 2), i % columns);
  }
};

template <class T>
inline constexpr bool kIsInteger = std::is_same_v<decltype(T::get(nullptr, 0, 0)), std::int32_t>;

// The scales that finish a sum, and where it goes.
class Finish {
 public:
  Finish(const xnn::Node& node, Inputs inputs, const TensorRef& output)
      : input_(*inputs[0].type), filter_(*inputs[1].type), write_(output, node.output_min, node.output_max) {
    if (input_.type == DataType::kQdint8)
      rows_ = row_scales(inputs[0]), row_length_ = std::max<std::int64_t>(row_length(input_), 1);
    if (is_static_int8(output.type->type)) {
      output_scale_ = output.type->quantisation.scale;
      const std::int32_t zero = write_.zero_point();
      range_ = {write_.range().low - zero, write_.range().high - zero};
    }
    if (node.inputs.size() < 3 || inputs[2].data == nullptr) return;
    bias_ = inputs[2];
    bias_is_integer_ = !is_float(bias_.type->type);
  }

  // The scale of input elements from `in_offset` on, and their zero point.
  RowScale input_scale(std::int64_t in_offset) const {
    const Quantisation& q = input_.quantisation;
    if (is_float(input_.type)) return {1, 0};
    return rows_ == nullptr ? RowScale{q.scale, q.zero_point}
                            : load<RowScale>(rows_, in_offset / row_length_);
  }

  template <class Sum>
  void operator()(std::int64_t out_index, std::int64_t channel, Sum sum, float input_scale) const {
    if (bias_is_integer_) sum.add_bias(load<std::int32_t>(bias_.data, channel));
    const bool has_float_bias = bias_.data != nullptr && !bias_is_integer_;
    if (output_scale_ > 0 && !has_float_bias) {
      const float scale = input_scale * filter_scale(channel) / output_scale_;
      const auto scaled = static_cast<float>(sum.real() * scale);
      return write_.store_integer(out_index, round_into(scaled, range_) + write_.zero_point());
    }
    auto real = sum.real() * input_scale * filter_scale(channel);
    if (has_float_bias) real += float_bias(channel);
    write_(out_index, static_cast<float>(real));
  }

 private:
  float filter_scale(std::int64_t channel) const {
    if (is_float(filter_.type) || filter_.type == DataType::kQbint4) return 1;
    return filter_.quantisation.scales.empty() ? filter_.quantisation.scale
                                               : listed_scale(filter_.quantisation, channel);
  }
  float float_bias(std::int64_t channel) const { return Reader(bias_)(channel); }

  const TensorType& input_;
  const TensorType& filter_;
  Writer write_;
  TensorRef bias_;
  bool bias_is_integer_ = false;
  const std::byte* rows_ = nullptr;
  std::int64_t row_length_ = 1;
  float output_scale_ = 0;  // 0: no static quantisation
  IntegerRange range_;      // of the stored output less its zero point
};

template <class In, class Weight>
class Convolution {
 public:
  using Sum = std::conditional_t<kIsInteger<In> && kIsInteger<Weight>, IntegerSum, FloatSum>;

  Convolution(const Geometry& g, Inputs inputs)
      : g_(g), input_(inputs[0].data), filter_(inputs[1].data), quantisation_(inputs[1].type->quantisation) {
    weight_zero_ = quantisation_.scales.empty() ? quantisation_.zero_point : 0;
    if (std::is_same_v<Weight, NibbleElement>) weight_zero_ = static_cast<std::int32_t>(g.in_c);
  }

  void run(const Finish& finish) const {
    std::int64_t out_index = 0;
    for (std::int64_t n = 0; n < g_.batch; ++n) {
      const RowScale scale = finish.input_scale(n * g_.in_h * g_.in_w * g_.in_c);
      for (std::int64_t y = 0; y < g_.out_h; ++y) {
        for (std::int64_t x = 0; x < g_.out_w; ++x) {
          for (std::int64_t c = 0; c < g_.out_c; ++c) {
            if (quantisation_.group_size > 0) {
              finish(out_index++, c, grouped_sum(n, c, scale.zero_point), scale.scale);
            } else {
              finish(out_index++, c, sum(n, y, x, c, scale.zero_point), scale.scale);
            }
          }
        }
      }
    }
  }

 private:
  Sum sum(std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c, std::int32_t zero) const {
    Sum out;
    for (std::int64_t ky = 0; ky < g_.kernel_h; ++ky) {
      const auto in_y = tap(y, ky, g_.stride_h, g_.dilation_h, g_.pad_top, g_.in_h, g_.is_transposed);
      if (in_y < 0) continue;
      for (std::int64_t kx = 0; kx < g_.kernel_w; ++kx) {
        const auto in_x = tap(x, kx, g_.stride_w, g_.dilation_w, g_.pad_left, g_.in_w, g_.is_transposed);
        if (in_x < 0) continue;
        const std::int64_t in_at =
            ((n * g_.in_h + in_y) * g_.in_w + in_x) * g_.in_c + c / g_.group_out * g_.group_in;
        add_products(out, in_at, c * g_.filter_out + ky * g_.filter_h + kx * g_.filter_w, g_.group_in, zero);
      }
    }
    return out;
  }

  // Of a fully connected layer whose filter rows have a scale per `group_size` columns.
  FloatSum grouped_sum(std::int64_t n, std::int64_t c, std::int32_t zero) const {
    FloatSum out;
    const std::int64_t groups = g_.in_c / quantisation_.group_size;
    for (std::int64_t k = 0; k < groups; ++k) {
      Sum part;
      const std::int64_t column = k * quantisation_.group_size;
      add_products(part, n * g_.in_c + column, c * g_.in_c + column, quantisation_.group_size, zero);
      out.add(part.real(), listed_scale(quantisation_, c * groups + k));
    }
    return out;
  }

  void add_products(Sum& sum, std::int64_t in_at, std::int64_t filter_at, std::int64_t count,
                    std::int32_t zero) const {
    for (std::int64_t i = 0; i < count; ++i) {
      sum.add(In::get(input_, in_at + i, zero),
              Weight::get(filter_, filter_at + i * g_.filter_in, weight_zero_));
    }
  }

  const Geometry& g_;
  const std::byte* input_;
  const std::byte* filter_;
  const Quantisation& quantisation_;
  std::int32_t weight_zero_ = 0;  // of 4-bit rows: their length
};

template <class In>
void run_with_input(const Geometry& g, Inputs inputs, const Finish& finish) {
  switch (inputs[1].type->type) {
    case DataType::kFp32:
      return Convolution<In, Fp32Element>(g, inputs).run(finish);
    case DataType::kFp16:
      return Convolution<In, Float16Element<Half>>(g, inputs).run(finish);
    case DataType::kBf16:
      return Convolution<In, Float16Element<BFloat16>>(g, inputs).run(finish);
    case DataType::kQuint8:
      return Convolution<In, IntegerElement<std::uint8_t>>(g, inputs).run(finish);
    case DataType::kQcint4:
    case DataType::kQbint4:
      return Convolution<In, NibbleElement>(g, inputs).run(finish);
    default:
      return Convolution<In, IntegerElement<std::int8_t>>(g, inputs).run(finish);
  }
}

}  // namespace

bool is_pointwise(const xnn::Node& node) {
  if (node.type != NodeType::kConv2d) return false;
  const auto& p = std::get<xnn::Conv>(node.params);
  const auto all = [](std::uint32_t want, std::initializer_list<std::uint32_t> numbers) {
    return std::all_of(numbers.begin(), numbers.end(),
                       [want](std::uint32_t number) { return number == want; });
  };
  return all(1, {p.kernel_height, p.kernel_width, p.subsampling_height, p.subsampling_width, p.groups}) &&
         all(0, {p.padding_top, p.padding_right, p.padding_bottom, p.padding_left});
}

void run_convolution(const xnn::Node& node, Inputs inputs, const TensorRef& output) {
  const Dims& input = inputs[0].type->dims;
  const Geometry g = node.type == NodeType::kFullyConnected
                         ? linear_geometry(node, input, inputs[1].type->dims)
                         : (is_pointwise(node) ? pointwise_geometry(input, output.type->dims)
                                               : image_geometry(node, input, output.type->dims));
  const Finish finish(node, inputs, output);
  switch (inputs[0].type->type) {
    case DataType::kFp32:
      return run_with_input<Fp32Element>(g, inputs, finish);
    case DataType::kFp16:
      return run_with_input<Float16Element<Half>>(g, inputs, finish);
    case DataType::kBf16:
      return run_with_input<Float16Element<BFloat16>>(g, inputs, finish);
    case DataType::kQuint8:
      return run_with_input<IntegerElement<std::uint8_t>>(g, inputs, finish);
    default:
      return run_with_input<IntegerElement<std::int8_t>>(g, inputs, finish);
  }
}

}  // namespace etalon::native::reference
