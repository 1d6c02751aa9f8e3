// Payload nodes on int8 tensors: which kinds of the graph compute exactly what the plain nodes of reference/ do.
#pragma once

#include <optional>

#include "backends/native/graph.h"

namespace etalon::native {

// What `node`, whose inputs and outputs are known and have passed reference::check_node(), is computed by; nothing if
// only a plain node can. May append inputs that the kind has and the payload leaves out.
std::optional<Params> quantised_params(const Graph& graph, const xnn::Node& from, Node& node);

// The geometry that a convolution or fully connected layer of a payload describes.
ConvGeometry geometry_of(const xnn::Node& from);
Pool max_pool_of(const xnn::Node& from);

// Scale of the products of two int8 tensors in units of `output`'s: finite and positive, or nothing.
std::optional<float> product_scale(float left, float right, float output);

// The factors that turn sums of a Qs8Conv into stored numbers, one or one per channel; nothing if one is not finite and
// positive.
std::optional<std::vector<float>> requantising_scales(const Value& image, const Value& filter, float output_scale);

// The scales of a filter: one, or one per channel.
std::vector<float> filter_scales(const Value& filter);

}  // namespace etalon::native
