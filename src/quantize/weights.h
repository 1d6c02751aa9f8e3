// Weights as int8: symmetric, a scale per output channel or one for the whole tensor.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace etalon::quantize {

// A dense tensor seen as [before, channels, after].
struct ChannelView {
  std::size_t before = 1;
  std::size_t channels = 1;
  std::size_t after = 1;
};
ChannelView channels_along(const Dims& sizes, std::size_t axis);

struct WeightCodes {
  std::vector<std::int8_t> codes;
  std::vector<float> scales;  // one per channel, or one
};

// `least` holds, by channel, the smallest scale that is allowed: the bias of a channel is stored as a
// multiple of input scale * weight scale in 32 bits, and a channel of tiny weights with a plain bias would
// overflow it. Empty: no limit. A channel of zeros gets the largest scale of the others. With per_channel
// false, all channels share one scale. Errors: kInvalidInput for NaN or infinity, with their number.
Result<WeightCodes> quantise_weight(std::span<const float> weight, const ChannelView& view, bool per_channel,
                                    std::span<const double> least);

// kInvalidInput if a float32 constant of the graph holds NaN or infinity, naming it. Asked before
// calibration, where the values behind such a weight would take the blame. Masks may hold -infinity:
// constants that are no parameters are passed over.
Status check_weights_are_finite(const ir::Graph& graph);

// What the codes stand for.
std::vector<float> rounded(const WeightCodes& weight, const ChannelView& view);

// [rows, columns] -> [columns, rows]
std::vector<float> transposed(std::span<const float> matrix, std::size_t rows, std::size_t columns);

// The elements of a float32 constant in row-major order.
std::vector<float> floats_of(const ir::Constant& constant);

}  // namespace etalon::quantize
