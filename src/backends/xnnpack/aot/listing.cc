#include "backends/xnnpack/aot/listing.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cmath>

namespace etalon::xnnpack {
namespace {

namespace xnn = formats::xnn;

std::string value_text(const xnn::Graph& graph, std::uint32_t id) {
  if (id == xnn::kNoValue) return "none";
  const xnn::Value* value = graph.find(id);
  if (value == nullptr) return "?";
  if (value->is_input()) return fmt::format("input {}", value->external_id);
  if (value->constant != 0) return fmt::format("const[{}]", fmt::join(value->dims, ", "));
  return fmt::format("%{}", id);
}

std::string square(std::uint32_t a, std::uint32_t b) { return a == b ? fmt::format("{}", a) : fmt::format("{}x{}", a, b); }

struct ParamsText {
  std::string operator()(const std::monostate&) const { return {}; }
  std::string operator()(const xnn::Conv& p) const {
    std::string out = fmt::format(" {}x{}", p.kernel_height, p.kernel_width);
    if (p.subsampling_height != 1 || p.subsampling_width != 1) out += " stride " + square(p.subsampling_height, p.subsampling_width);
    if (p.padding_top != 0 || p.padding_left != 0) out += " padding " + square(p.padding_top, p.padding_left);
    if (p.dilation_height != 1 || p.dilation_width != 1) out += " dilation " + square(p.dilation_height, p.dilation_width);
    if (p.groups != 1) out += fmt::format(" groups {}", p.groups);
    return out;
  }
  std::string operator()(const xnn::Pool& p) const {
    std::string out = fmt::format(" {}x{} stride {}", p.pooling_height, p.pooling_width, square(p.stride_height, p.stride_width));
    if (p.padding_top + p.padding_left + p.padding_bottom + p.padding_right != 0) {
      out += fmt::format(" padding {}, {}, {}, {}", p.padding_top, p.padding_right, p.padding_bottom, p.padding_left);
    }
    return out;
  }
  std::string operator()(const xnn::Transpose& p) const { return fmt::format(" [{}]", fmt::join(p.perm, ", ")); }
  std::string operator()(const xnn::Reshape& p) const { return fmt::format(" [{}]", fmt::join(p.shape, ", ")); }
  std::string operator()(const xnn::Slice& p) const {
    return fmt::format(" from [{}] size [{}]", fmt::join(p.offsets, ", "), fmt::join(p.sizes, ", "));
  }
  std::string operator()(const xnn::Pad& p) const {
    return fmt::format(" before [{}] after [{}] with {}", fmt::join(p.before, ", "), fmt::join(p.after, ", "), p.value);
  }
  std::string operator()(const xnn::Resize& p) const { return fmt::format(" to {}x{}", p.height, p.width); }
  std::string operator()(const xnn::Concatenate& p) const { return fmt::format(" axis {}", p.axis); }
  std::string operator()(const xnn::Elu& p) const { return fmt::format(" alpha {}", p.alpha); }
  std::string operator()(const xnn::LeakyRelu& p) const { return fmt::format(" slope {}", p.negative_slope); }
};

}  // namespace

std::string listing(const xnn::Graph& graph) {
  std::string out;
  for (const xnn::Node& node : graph.nodes) {
    const xnn::Value* result = node.outputs.empty() ? nullptr : graph.find(node.outputs[0]);
    if (result == nullptr) continue;
    out += fmt::format("%{}{}: {}[{}] = {}(", result->id, result->is_output() ? fmt::format(" (output {})", result->external_id) : "",
                       xnn::name_of(result->type), fmt::join(result->dims, ", "), xnn::name_of(node.type));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) out += (i > 0 ? ", " : "") + value_text(graph, node.inputs[i]);
    out += ")" + std::visit(ParamsText{}, node.params);
    if (node.flags != 0 && node.flags != xnn::kKeepDims) out += fmt::format(" flags {:#x}", node.flags);
    if (std::isfinite(node.output_min) || std::isfinite(node.output_max)) {
      out += fmt::format(" limits {} to {}", node.output_min, node.output_max);
    }
    out += "\n";
  }
  return out;
}

}  // namespace etalon::xnnpack
