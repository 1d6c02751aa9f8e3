#include "quantize/bias_correction.h"

#include <algorithm>

#include "quantize/weights.h"

namespace etalon::quantize {

void ChannelMeans::add(std::span<const float> values, const Dims& sizes) {
  const ChannelView view = channels_along(sizes, 1);
  sums_.resize(view.channels, 0);
  count_ += static_cast<double>(view.before * view.after);
  for (std::size_t b = 0; b < view.before; ++b) {
    for (std::size_t c = 0; c < view.channels; ++c) {
      double sum = 0;
      for (const float x : values.subspan((b * view.channels + c) * view.after, view.after))
        sum += static_cast<double>(x);
      sums_[c] += sum;
    }
  }
}

std::vector<double> ChannelMeans::means() const {
  std::vector<double> out = sums_;
  for (double& mean : out) mean /= std::max(count_, 1.0);
  return out;
}

std::vector<ir::ValueId> values_for_means(const ir::Graph& graph, const Plan& plan) {
  std::vector<ir::ValueId> out;
  for (std::size_t s = 0; s < plan.sites.size(); ++s) {
    const Site& site = plan.sites[s];
    if (!plan.is_quantised(s) || site.weight == ir::kNoValue || site.kind == "conv_transpose") continue;
    const ir::ValueId input = site.inputs[0];
    const bool known = graph[input].tensor().sizes.size() >= 2 && std::ranges::find(out, input) == out.end();
    if (known) out.push_back(input);
  }
  return out;
}

std::vector<float> lost_means(std::span<const float> weight, std::span<const float> rounded,
                              std::size_t outputs, std::size_t groups, std::span<const double> means) {
  std::vector<float> lost(outputs, 0);
  const std::size_t inputs = means.size() / groups;  // of one group
  const std::size_t window = weight.size() / std::max<std::size_t>(outputs * inputs, 1);
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t first = o / (outputs / groups) * inputs;
    double sum = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      double difference = 0;
      for (std::size_t k = 0; k < window; ++k) {
        const std::size_t at = (o * inputs + i) * window + k;
        difference += static_cast<double>(weight[at]) - static_cast<double>(rounded[at]);
      }
      sum += difference * means[first + i];
    }
    lost[o] = static_cast<float>(sum);
  }
  return lost;
}

}  // namespace etalon::quantize
