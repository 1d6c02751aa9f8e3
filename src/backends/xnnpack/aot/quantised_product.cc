#include "backends/xnnpack/aot/quantised_product.h"

#include <fmt/core.h>

#include <cmath>

namespace etalon::xnnpack {
namespace {

// XNNPACK scales sums to outputs by factors below this.
constexpr float kLargestFactor = 256;
constexpr float kSmallestFactor = 0x1p-32f;
// A bias must leave room for the sum that it is added to.
constexpr double kLargestBias = 0x1p30;

bool is_dead(const ir::Constant& weight, std::size_t channel_dim, std::size_t channel) {
  const Dims& sizes = weight.type.sizes;
  std::int64_t inner = 1;
  for (std::size_t i = channel_dim + 1; i < sizes.size(); ++i) inner *= sizes[i];
  const std::vector<std::int8_t> numbers = int8_elements_of(weight);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto of = static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % sizes[channel_dim]);
    if (of == channel && numbers[i] != 0) return false;
  }
  return true;
}

class Maker {
 public:
  Maker(PayloadBuilder& b, const ProductOperands& operands) : b_(b), at_(operands) {}

  // Errors are reasons for floats.
  etalon::Result<QuantisedProduct> run(const ir::Node& weight_node) {
    ETALON_TRY(const QuantisedWeight weight, quantised_weight(b_.graph(), weight_node));
    const auto result = b_.quantised_result(at_.out, true);
    if (!result) return unsupported("its result is not quantised, or somebody reads it before that");
    out_.result = *result;
    out_.input = b_.held(at_.input);
    out_.weight = weight.numbers;
    ETALON_TRY(out_.scales.values, scales_of_outputs(weight, at_.channel_dim, at_.outputs));
    if (!weight.is_per_tensor()) out_.scales.dim = 0;
    ETALON_CHECKED(add_bias(weight));
    ETALON_CHECKED(check_factors());
    if (weight.is_per_tensor()) {
      out_.scales.values.resize(1);
      out_.bias_scales.values.resize(1);
    } else {
      out_.bias_scales.dim = 0;
    }
    return std::move(out_);
  }

 private:
  float input_scale() const { return b_.storage(out_.input).affine.scale; }

  Status add_bias(const QuantisedWeight& weight) {
    const ir::Constant* bias = at_.bias == ir::kNoValue ? nullptr : b_.constant_of(at_.bias);
    const std::vector<double> values = bias ? elements_of(*bias) : std::vector<double>(at_.outputs, 0.0);
    for (std::size_t o = 0; o < at_.outputs; ++o) {
      float& scale = out_.scales.values[o];
      // Where all weights are zero, any scale is right; the smallest that quantisers give would not leave
      // room for the bias.
      const bool overflows = std::fabs(values[o]) > kLargestBias * (input_scale() * scale);
      if (overflows && !weight.is_per_tensor() &&
          is_dead(*weight.numbers, at_.channel_dim, o % static_cast<std::size_t>(weight.scales.size()))) {
        scale = static_cast<float>(std::fabs(values[o]) / (kLargestBias / 2) / input_scale());
      }
      const float of_bias = input_scale() * scale;
      const double number =
          std::nearbyint(static_cast<double>(static_cast<float>(values[o]) * (1.0f / of_bias)));
      if (!(std::fabs(number) <= kLargestBias)) {
        return unsupported(
            fmt::format("bias {} is {}, too large for 32 bits with scale {}", o, values[o], of_bias));
      }
      out_.bias_scales.values.push_back(of_bias);
      if (bias) out_.bias.push_back(static_cast<std::int32_t>(number));
    }
    return {};
  }

  Status check_factors() const {
    for (const float of_sum : out_.bias_scales.values) {
      const float factor = of_sum / out_.result.affine.scale;
      if (factor >= kSmallestFactor && factor < kLargestFactor) continue;
      return unsupported(
          fmt::format("sums are scaled to outputs by {}, want less than {}", factor, kLargestFactor));
    }
    return {};
  }

  PayloadBuilder& b_;
  const ProductOperands& at_;
  QuantisedProduct out_{};
};

}  // namespace

std::vector<std::int8_t> int8_elements_of(const ir::Constant& constant) {
  const ir::Data data = in_order(constant, contiguous_order(constant.type.sizes.size()));
  const auto* first = reinterpret_cast<const std::int8_t*>(data.bytes().data());
  return {first, first + data.bytes().size()};
}

Result<std::vector<float>> scales_of_outputs(const QuantisedWeight& weight, std::size_t channel_dim,
                                             std::size_t outputs) {
  if (weight.is_per_tensor()) return std::vector<float>(outputs, weight.scales[0]);
  if (static_cast<std::size_t>(weight.axis) != channel_dim) {
    return unsupported(
        fmt::format("the weight's scales are along dim {}, want dim {}", weight.axis, channel_dim));
  }
  std::vector<float> out(outputs);
  for (std::size_t o = 0; o < outputs; ++o) out[o] = weight.scales[o % weight.scales.size()];
  return out;
}

std::optional<QuantisedProduct> quantised_product(PayloadBuilder& b, const ProductOperands& operands) {
  const ir::Node* weight = weight_node(b.graph(), operands.weight);
  if (weight == nullptr) return std::nullopt;
  if (b.held(operands.input) == ir::kNoValue) {
    b.note_float("its input is not quantised to int8");
    return std::nullopt;
  }
  auto made = Maker(b, operands).run(*weight);
  if (made.ok()) return std::move(*made);
  b.note_float(made.error().message());
  return std::nullopt;
}

}  // namespace etalon::xnnpack
