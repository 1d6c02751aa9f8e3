#include "backends/native/shapes.h"

#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "fmt/format.h"

namespace etalon::native {
namespace {

namespace xnn = formats::xnn;
using xnn::NodeType;

constexpr std::uint32_t kSamePadding = 4;

Error sizes_error(std::string text) { return invalid_input(std::move(text)); }

Status want_rank(const Dims& dims, std::size_t rank, std::string_view what) {
  if (dims.size() == rank) return {};
  return sizes_error(fmt::format("{} is {}, want {} dims", what, to_string(dims), rank));
}

Status want_dims(const Dims& found, const Dims& wanted, std::string_view what) {
  if (found == wanted) return {};
  return sizes_error(fmt::format("{} is {}, want {}", what, to_string(found), to_string(wanted)));
}

// One node's inference. Every case sets out_ or fails.
class Inference {
 public:
  Inference(const xnn::Node& node, std::span<const Dims> inputs, std::span<Dims> outputs)
      : node_(node), in_(inputs), out_(outputs) {}

  Status run() {
    ETALON_CHECKED(infer());
    for (const Dims& dims : out_) ETALON_CHECKED(check_size(dims));
    return {};
  }

 private:
  Status infer() {
    switch (node_.type) {
      case NodeType::kAdd:
      case NodeType::kSubtract:
      case NodeType::kMultiply:
      case NodeType::kDiv:
      case NodeType::kMinimum:
      case NodeType::kMaximum:
      case NodeType::kPReLU:
        return elementwise();
      case NodeType::kFullyConnected:
        return fully_connected();
      case NodeType::kConv2d:
        return conv(std::get<xnn::Conv>(node_.params), false);
      case NodeType::kDepthwiseConv2d:
        return conv(std::get<xnn::Conv>(node_.params), true);
      case NodeType::kConvTranspose2d:
        return conv_transpose(std::get<xnn::Conv>(node_.params));
      case NodeType::kAvgPooling2d:
      case NodeType::kMaxPooling2d:
        return pool(std::get<xnn::Pool>(node_.params));
      case NodeType::kArgMaxPooling2d:
        return arg_max_pool(std::get<xnn::Pool>(node_.params));
      case NodeType::kGlobalAvgPooling2d:
        return global_average();
      case NodeType::kStaticTranspose:
        return transpose(std::get<xnn::Transpose>(node_.params));
      case NodeType::kStaticReshape:
        return reshape(std::get<xnn::Reshape>(node_.params));
      case NodeType::kStaticSlice:
        return cut(std::get<xnn::Slice>(node_.params));
      case NodeType::kStaticConstantPad:
        return pad(std::get<xnn::Pad>(node_.params));
      case NodeType::kStaticResizeBilinear2D:
        return resize(std::get<xnn::Resize>(node_.params));
      case NodeType::kConcatenate2:
      case NodeType::kConcatenate3:
      case NodeType::kConcatenate4:
      case NodeType::kConcatenate5:
        return concatenate(std::get<xnn::Concatenate>(node_.params));
      case NodeType::kBatchMatrixMultiply:
        return batch_matmul();
      case NodeType::kScaledDotProductAttention:
        return unsupported("no ExecuTorch release runs this node type");
      default:
        out_[0] = in_[0];
        return {};
    }
  }

  Status elementwise() {
    const auto dims = broadcast(in_[0], in_[1]);
    if (!dims) {
      return sizes_error(fmt::format("{} and {} do not broadcast", to_string(in_[0]), to_string(in_[1])));
    }
    out_[0] = *dims;
    return {};
  }

  bool has_bias() const { return node_.inputs.size() > 2 && node_.inputs[2] != xnn::kNoValue; }

  Status check_bias(std::int64_t channels) const {
    if (!has_bias() || (numel(in_[2]) == channels && !in_[2].empty() && in_[2].back() == channels)) return {};
    return sizes_error(fmt::format("the bias is {}, want {} numbers", to_string(in_[2]), channels));
  }

  Status fully_connected() {
    ETALON_CHECKED(want_rank(in_[1], 2, "the filter"));
    const bool is_transposed = (node_.flags & xnn::kTransposeWeights) != 0;
    const std::int64_t in_channels = in_[1][is_transposed ? 0 : 1];
    const std::int64_t out_channels = in_[1][is_transposed ? 1 : 0];
    if (in_[0].empty() || in_[0].back() != in_channels) {
      return sizes_error(
          fmt::format("the input is {}, the filter wants {} channels", to_string(in_[0]), in_channels));
    }
    ETALON_CHECKED(check_bias(out_channels));
    out_[0] = in_[0];
    out_[0][out_[0].size() - 1] = out_channels;
    return {};
  }

  // Group sizes are 32-bit and positive, so their products fit.
  static std::int64_t channels(std::uint32_t groups, std::uint32_t each) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(std::uint64_t{groups} * each, kMaxElements));
  }

  Status check_image(const xnn::Conv& p) const {
    ETALON_CHECKED(want_rank(in_[0], 4, "the input"));
    if ((node_.flags & kSamePadding) != 0)
      return unsupported("padding by the TensorFlow rule, only explicit padding is");
    const std::int64_t wanted = channels(p.groups, p.group_input_channels);
    if (in_[0][3] == wanted) return {};
    return sizes_error(
        fmt::format("the input {} has {} channels, want {}", to_string(in_[0]), in_[0][3], wanted));
  }

  Status slide(std::size_t dim, std::int64_t before, std::int64_t after, std::int64_t kernel,
               std::int64_t stride, std::int64_t dilation) {
    const auto count = window_positions(in_[0][dim], before, after, kernel, stride, dilation);
    if (!count) {
      return sizes_error(fmt::format("a window of {} (dilation {}) is larger than {} elements with {} padded",
                                     kernel, dilation, in_[0][dim], before + after));
    }
    out_[0][dim] = *count;
    return {};
  }

  Status conv(const xnn::Conv& p, bool is_depthwise) {
    ETALON_CHECKED(check_image(p));
    const std::int64_t out_channels = channels(p.groups, p.group_output_channels);
    const Dims filter = is_depthwise
                            ? Dims{1, p.kernel_height, p.kernel_width, out_channels}
                            : Dims{out_channels, p.kernel_height, p.kernel_width, p.group_input_channels};
    if (is_depthwise && p.group_input_channels != 1) {
      return sizes_error(fmt::format("{} input channels per group, want 1", p.group_input_channels));
    }
    ETALON_CHECKED(want_dims(in_[1], filter, "the filter"));
    ETALON_CHECKED(check_bias(out_channels));
    out_[0] = in_[0];
    out_[0][3] = out_channels;
    ETALON_CHECKED(
        slide(1, p.padding_top, p.padding_bottom, p.kernel_height, p.subsampling_height, p.dilation_height));
    return slide(2, p.padding_left, p.padding_right, p.kernel_width, p.subsampling_width, p.dilation_width);
  }

  Status conv_transpose(const xnn::Conv& p) {
    ETALON_CHECKED(check_image(p));
    const std::int64_t out_channels = channels(p.groups, p.group_output_channels);
    ETALON_CHECKED(want_dims(
        in_[1], Dims{out_channels, p.kernel_height, p.kernel_width, p.group_input_channels}, "the filter"));
    ETALON_CHECKED(check_bias(out_channels));
    out_[0] = in_[0];
    out_[0][3] = out_channels;
    ETALON_CHECKED(spread(1, std::int64_t{p.padding_top} + p.padding_bottom, p.kernel_height,
                          p.subsampling_height, p.dilation_height, p.adjustment_height));
    return spread(2, std::int64_t{p.padding_left} + p.padding_right, p.kernel_width, p.subsampling_width,
                  p.dilation_width, p.adjustment_width);
  }

  Status spread(std::size_t dim, std::int64_t padding, std::int64_t kernel, std::int64_t stride,
                std::int64_t dilation, std::int64_t adjustment) {
    if (adjustment >= stride) {
      return sizes_error(
          fmt::format("an output padding of {} is not below the stride {}", adjustment, stride));
    }
    const auto reach = checked_mul(kernel - 1, dilation);
    const auto between = checked_mul(std::max<std::int64_t>(in_[0][dim] - 1, 0), stride);
    const auto sum = reach && between ? checked_add(*reach, *between) : std::nullopt;
    if (!sum || *sum > kMaxElements) return resource_error("the output's size overflows");
    const std::int64_t size = in_[0][dim] == 0 ? 0 : *sum + 1 + adjustment - padding;
    if (size < 0) return sizes_error(fmt::format("{} padded elements leave nothing of the output", padding));
    out_[0][dim] = size;
    return {};
  }

  Status pool(const xnn::Pool& p) {
    ETALON_CHECKED(want_rank(in_[0], 4, "the input"));
    if ((node_.flags & kSamePadding) != 0)
      return unsupported("padding by the TensorFlow rule, only explicit padding is");
    out_[0] = in_[0];
    // Averages have no dilation, and 0 is written for it.
    const bool is_average = node_.type == NodeType::kAvgPooling2d;
    const std::int64_t dilation_h = is_average ? 1 : p.dilation_height;
    const std::int64_t dilation_w = is_average ? 1 : p.dilation_width;
    if (dilation_h == 0 || dilation_w == 0) return sizes_error("its dilation is 0");
    ETALON_CHECKED(slide(1, p.padding_top, p.padding_bottom, p.pooling_height, p.stride_height, dilation_h));
    return slide(2, p.padding_left, p.padding_right, p.pooling_width, p.stride_width, dilation_w);
  }

  // Windows that do not overlap.
  Status arg_max_pool(const xnn::Pool& p) {
    ETALON_CHECKED(want_rank(in_[0], 4, "the input"));
    out_[0] = in_[0];
    ETALON_CHECKED(slide(1, p.padding_top, p.padding_bottom, p.pooling_height, p.pooling_height, 1));
    ETALON_CHECKED(slide(2, p.padding_left, p.padding_right, p.pooling_width, p.pooling_width, 1));
    out_[1] = out_[0];
    return {};
  }

  Status global_average() {
    const std::size_t rank = in_[0].size();
    if (rank < 3) return sizes_error(fmt::format("the input is {}, want at least 3 dims", to_string(in_[0])));
    if (in_[0][rank - 3] == 0 || in_[0][rank - 2] == 0) return sizes_error("there is nothing to average");
    out_[0] = in_[0];
    out_[0][rank - 3] = 1;
    out_[0][rank - 2] = 1;
    if ((node_.flags & xnn::kKeepDims) != 0) return {};
    out_[0].erase(rank - 3);
    out_[0].erase(rank - 3);
    return {};
  }

  Status transpose(const xnn::Transpose& p) {
    ETALON_CHECKED(want_rank(in_[0], p.perm.size(), "the input"));
    out_[0] = in_[0];
    for (std::size_t i = 0; i < p.perm.size(); ++i) out_[0][i] = in_[0][p.perm[i]];
    return {};
  }

  Status reshape(const xnn::Reshape& p) {
    out_[0] = Dims();
    std::int64_t known = 1;
    std::optional<std::size_t> open;
    for (const std::uint32_t size : p.shape) {
      if (size == 0) open = out_[0].size();
      const auto product = checked_mul(known, std::max<std::int64_t>(size, 1));
      if (!product) return resource_error("the new shape overflows");
      known = *product;
      out_[0].push_back(size);
    }
    const std::int64_t total = numel(in_[0]);
    if (open && total % known == 0) {
      out_[0][*open] = total / known;
      return {};
    }
    if (!open && total == known) return {};
    return sizes_error(
        fmt::format("{} elements of {} do not fit [{}]", total, to_string(in_[0]), fmt::join(p.shape, ", ")));
  }

  // A size of 0 takes what is left.
  Status cut(const xnn::Slice& p) {
    ETALON_CHECKED(want_rank(in_[0], p.offsets.size(), "the input"));
    out_[0] = in_[0];
    for (std::size_t i = 0; i < p.offsets.size(); ++i) {
      const std::int64_t offset = p.offsets[i];
      const std::int64_t size = p.sizes[i] == 0 ? in_[0][i] - offset : p.sizes[i];
      if (size < 0 || offset + size > in_[0][i]) {
        return sizes_error(fmt::format("{} elements from {} on leave dim {} of {}", p.sizes[i], offset, i,
                                       to_string(in_[0])));
      }
      out_[0][i] = size;
    }
    return {};
  }

  Status pad(const xnn::Pad& p) {
    ETALON_CHECKED(want_rank(in_[0], p.before.size(), "the input"));
    out_[0] = in_[0];
    for (std::size_t i = 0; i < p.before.size(); ++i) {
      out_[0][i] += std::int64_t{p.before[i]} + p.after[i];
    }
    return {};
  }

  Status resize(const xnn::Resize& p) {
    ETALON_CHECKED(want_rank(in_[0], 4, "the input"));
    if (in_[0][1] == 0 || in_[0][2] == 0) return sizes_error("there is nothing to resize");
    out_[0] = in_[0];
    out_[0][1] = p.height;
    out_[0][2] = p.width;
    return {};
  }

  Status concatenate(const xnn::Concatenate& p) {
    if (p.axis >= in_[0].size()) {
      return sizes_error(fmt::format("the axis is {}, the input is {}", p.axis, to_string(in_[0])));
    }
    out_[0] = in_[0];
    for (std::size_t k = 1; k < in_.size(); ++k) {
      Dims wanted = in_[0];
      if (in_[k].size() > p.axis) wanted[p.axis] = in_[k][p.axis];
      ETALON_CHECKED(want_dims(in_[k], wanted, fmt::format("input {}", k)));
      out_[0][p.axis] += in_[k][p.axis];
    }
    return {};
  }

  Status batch_matmul() {
    const std::size_t rank = in_[0].size();
    if (rank < 2 || in_[1].size() != rank) return matmul_error();
    const bool is_transposed = (node_.flags & xnn::kTransposeWeights) != 0;
    const std::int64_t inner = in_[1][is_transposed ? rank - 1 : rank - 2];
    if (in_[0].back() != inner) return matmul_error();
    Dims left(in_[0].span().first(rank - 2));
    Dims right(in_[1].span().first(rank - 2));
    const auto batch = broadcast(left, right);
    if (!batch) return matmul_error();
    out_[0] = *batch;
    out_[0].push_back(in_[0][rank - 2]);
    out_[0].push_back(in_[1][is_transposed ? rank - 2 : rank - 1]);
    return {};
  }

  Error matmul_error() const {
    return sizes_error(fmt::format("{} and {} cannot be multiplied", to_string(in_[0]), to_string(in_[1])));
  }

  const xnn::Node& node_;
  std::span<const Dims> in_;
  std::span<Dims> out_;
};

}  // namespace

Status check_size(const Dims& dims) {
  if (dims.size() > xnn::kMaxDims) {
    return resource_error(
        fmt::format("{} has {} dims, at most {} are possible", to_string(dims), dims.size(), xnn::kMaxDims));
  }
  std::int64_t elements = 1;
  for (const std::int64_t size : dims) {
    // Zero sizes do not excuse the others: strides are computed from them all.
    const auto product = checked_mul(elements, std::max<std::int64_t>(size, 1));
    if (size < 0 || !product || *product > kMaxElements) {
      return resource_error(fmt::format("{} has more than {} elements", to_string(dims), kMaxElements));
    }
    elements = *product;
  }
  return {};
}

Result<Dims> dims_of(const xnn::Value& value) {
  Dims out;
  for (const std::uint32_t size : value.dims) out.push_back(size);
  ETALON_CHECKED(check_size(out));
  return out;
}

std::optional<std::int64_t> window_positions(std::int64_t size, std::int64_t before, std::int64_t after,
                                             std::int64_t kernel, std::int64_t stride,
                                             std::int64_t dilation) {
  // All are below 2^40, the products below overflow only for kernels that do not fit anyway.
  const auto reach = checked_mul(kernel - 1, dilation);
  if (!reach || *reach >= size + before + after) return std::nullopt;
  return (size + before + after - *reach - 1) / stride + 1;
}

Status infer_outputs(const xnn::Node& node, std::span<const Dims> inputs, std::span<Dims> outputs) {
  ETALON_CHECKED(Inference(node, inputs, outputs).run(), xnn::name_of(node.type));
  return {};
}

}  // namespace etalon::native
