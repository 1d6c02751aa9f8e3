// Rounding weights shifts the mean of what a layer gives, because what it reads (after a relu, say) is not
// zero on average. The shift is known from the means of the layer's inputs, and goes into its bias (Nagel et
// al. 2019, section 4.2).
#pragma once

#include <map>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "quantize/plan.h"

namespace etalon::quantize {

// The mean of each channel (dim 1) of a value over everything it was shown.
class ChannelMeans {
 public:
  // A tensor of these sizes, which have two dims at least and the same channels every time.
  void add(std::span<const float> values, const Dims& sizes);
  std::vector<double> means() const;  // empty before anything was added

 private:
  std::vector<double> sums_;
  double count_ = 0;  // per channel
};

// By value that a convolution or linear layer on int8 reads.
using InputMeans = std::map<ir::ValueId, std::vector<double>>;

// The values whose means help: what convolutions (not transposed ones) and linear layers of the plan read on
// int8.
std::vector<ir::ValueId> values_for_means(const ir::Graph& graph, const Plan& plan);

// By output channel, what rounding takes from the mean: the sum over inputs of (weight - rounded) * mean.
// Weights are [out, in / groups, window]; `means` has in elements. Padding is taken as if it had the mean of
// its channel.
std::vector<float> lost_means(std::span<const float> weight, std::span<const float> rounded,
                              std::size_t outputs, std::size_t groups, std::span<const double> means);

}  // namespace etalon::quantize
