// Where constants and scales are.
#include <algorithm>
#include <cmath>

#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"
#include "backends/native/shapes.h"
#include "fmt/format.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;

// Named data is checked here for the first time; what lies in the payload has been checked already.
Status check_scales(const Quantisation& quantisation, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float scale = listed_scale(quantisation, i);
    if (std::isfinite(scale) && scale > 0) continue;
    return invalid_input(fmt::format("scale {} is {}, want a positive number", i, scale));
  }
  return {};
}

class Resolver {
 public:
  Resolver(const xnn::Graph& graph, const xnn::Value& value, const ConstantLookup& lookup)
      : graph_(graph), value_(value), lookup_(lookup) {}

  Result<Quantisation> run() const {
    return std::visit([this](const auto& quantization) { return resolve(quantization); },
                      value_.quantization);
  }

 private:
  Result<Quantisation> resolve(const std::monostate&) const { return Quantisation(); }

  Result<Quantisation> resolve(const xnn::PerTensorQuant& quant) const {
    Quantisation out;
    out.scale = quant.scale;
    out.zero_point = quant.zero_point;
    return out;
  }

  Result<Quantisation> resolve(const xnn::PerTokenDynamicQuant& quant) const {
    Quantisation out;
    out.nonbatch_dims = static_cast<std::size_t>(quant.num_nonbatch_dims);
    if (feeds_only_pointwise()) out.nonbatch_dims = 1;
    return out;
  }

  Result<Quantisation> resolve(const xnn::PerChannelQuant& quant) const {
    Quantisation out;
    out.channel_dim = static_cast<std::size_t>(quant.channel_dim);
    const std::int64_t count = value_.dims[out.channel_dim];
    ETALON_TRY(out.scales, scales(std::as_bytes(std::span(quant.scales)), quant.scale_constant,
                                  static_cast<std::uint64_t>(count) * sizeof(float)));
    ETALON_CHECKED(check_scales(out, count));
    return out;
  }

  Result<Quantisation> resolve(const xnn::PerChannelGroupQuant& quant) const {
    Quantisation out;
    out.channel_dim = static_cast<std::size_t>(quant.channel_dim);
    out.group_size = quant.group_size;
    const bool has_floats = quant.scale_constant == 0 && !quant.scales.empty();
    const std::int64_t count = value_.dims[0] * (value_.dims[1] / out.group_size);
    const Bytes written =
        has_floats ? std::as_bytes(std::span(quant.scales)) : std::as_bytes(std::span(quant.scales_bf16));
    out.scales_are_bf16 = !has_floats;
    ETALON_TRY(out.scales, scales(written, quant.scale_constant,
                                  static_cast<std::uint64_t>(count) * (has_floats ? 4 : 2)));
    ETALON_CHECKED(check_scales(out, count));
    return out;
  }

  // XNNPACK computes such convolutions as fully connected layers, and quantises each pixel by itself.
  bool feeds_only_pointwise() const {
    bool feeds_any = false;
    for (const xnn::Node& node : graph_.nodes) {
      if (std::find(node.inputs.begin(), node.inputs.end(), value_.id) == node.inputs.end()) continue;
      if (!is_pointwise(node)) return false;
      feeds_any = true;
    }
    return feeds_any;
  }

  Result<Bytes> scales(Bytes written, std::uint32_t constant, std::uint64_t needed) const {
    if (constant != 0) return constant_bytes(graph_, constant, needed, lookup_);
    if (written.size() >= needed) return written;
    return invalid_input(fmt::format("{} bytes of scales, want {}", written.size(), needed));
  }

  const xnn::Graph& graph_;
  const xnn::Value& value_;
  const ConstantLookup& lookup_;
};

}  // namespace

Result<Bytes> constant_bytes(const xnn::Graph& graph, std::uint32_t index, std::uint64_t needed,
                             const ConstantLookup& lookup) {
  if (index >= graph.constants.size()) return invalid_input(fmt::format("constant {} does not exist", index));
  const xnn::ConstantData& data = graph.constants[index];
  Bytes found = data.inline_data;
  if (data.key) {
    const auto named = lookup ? lookup(*data.key) : std::nullopt;
    if (!named) return not_found(fmt::format("the program has no data named '{}'", *data.key));
    found = *named;
  }
  if (found.size() >= needed) return found;
  return invalid_input(fmt::format("constant {} has {} bytes, want {}", index, found.size(), needed));
}

Result<Quantisation> resolve_quantisation(const xnn::Graph& graph, const xnn::Value& value,
                                          const ConstantLookup& lookup) {
  return Resolver(graph, value, lookup).run();
}

std::size_t storage_bytes(const TensorType& type) {
  const auto elements = static_cast<std::size_t>(numel(type.dims));
  if (type.type == DataType::kQdint8) {
    const auto length = static_cast<std::size_t>(row_length(type));
    const std::size_t rows = length == 0 ? 0 : elements / length;
    return round_up<std::size_t>(round_up<std::size_t>(elements, 16) + rows * sizeof(RowScale), 16);
  }
  if (xnn::bits_of(type.type) != 4) return elements * (xnn::bits_of(type.type) / 8);
  const auto columns = type.dims.empty() ? std::size_t{1} : static_cast<std::size_t>(type.dims.back());
  return columns == 0 ? 0 : elements / columns * ((columns + 1) / 2);
}

}  // namespace etalon::native::reference
