// Shape inference of XNNGraph nodes: sizes of the inputs -> sizes of the outputs. Used when a payload is compiled and
// again when inputs arrive in another size than they were compiled for.
//
// Sizes are physical (NHWC as 4-D values lie in memory). Never allocates unless it fails. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "formats/xnn/xnn.h"
#include "tensor/dims.h"

namespace etalon::native {

// No value may have more elements; byte sizes and strides then fit into 64 bits.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

// `inputs` has one entry per node.inputs (a missing bias: anything), `outputs` one per node.outputs. Input sizes are
// not negative, of rank <= 6. The operands' agreement is checked as far as the outputs depend on it, filters and biases
// entirely. Errors, prefixed with the node type's name: kInvalidInput (sizes do not fit the node or each other),
// kUnsupported (a flag that changes the meaning), kResource (more than kMaxElements).
Status infer_outputs(const formats::xnn::Node& node, std::span<const Dims> inputs, std::span<Dims> outputs);

// Rank and element count within the limits.
Status check_size(const Dims& dims);

// Sizes of a value as the payload has them. Errors: kResource.
Result<Dims> dims_of(const formats::xnn::Value& value);

// Positions of a window over `size` elements with `before` and `after` padded ones; nothing if it never fits.
std::optional<std::int64_t> window_positions(std::int64_t size, std::int64_t before, std::int64_t after,
                                             std::int64_t kernel, std::int64_t stride, std::int64_t dilation);

}  // namespace etalon::native
