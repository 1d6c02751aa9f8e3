// Which table a node type is stored in, and what follows for its operands. Private to formats/xnn.
#pragma once

#include <array>

#include "formats/xnn/xnn.h"

namespace etalon::formats::xnn {

enum class NodeFields : std::uint8_t {
  kUnary,
  kBinary,
  kFullyConnected,
  kConv,
  kPool,
  kArgMaxPool,
  kTranspose,
  kReshape,
  kSlice,
  kPad,
  kResize,
  kConcatenate,
  kElu,
  kLeakyRelu,
  kAttention,
};

inline constexpr std::array kNodeFields = {
    NodeFields::kUnary,  // tag 0 is no node
#define XNNGRAPH_NODE(type, fields) NodeFields::fields,
#include "formats/xnn/node_types.def"
#undef XNNGRAPH_NODE
};
static_assert(kNodeFields.size() == kNodeTypeCount + 1);

constexpr NodeFields fields_of(NodeType type) { return kNodeFields[static_cast<std::size_t>(type)]; }

constexpr std::size_t concatenated_inputs(NodeType type) {
  if (type == NodeType::kConcatenate5) return 5;
  return static_cast<std::size_t>(type) - static_cast<std::size_t>(NodeType::kConcatenate2) + 2;
}

constexpr std::size_t input_count(NodeType type) {
  switch (fields_of(type)) {
    case NodeFields::kBinary:
      return 2;
    case NodeFields::kFullyConnected:
    case NodeFields::kConv:
      return 3;
    case NodeFields::kConcatenate:
      return concatenated_inputs(type);
    case NodeFields::kAttention:
      return 5;
    default:
      return 1;
  }
}

constexpr std::size_t output_count(NodeType type) { return type == NodeType::kArgMaxPooling2d ? 2 : 1; }

// The bias.
constexpr bool may_be_missing(NodeType type, std::size_t input) {
  const NodeFields fields = fields_of(type);
  return input == 2 && (fields == NodeFields::kFullyConnected || fields == NodeFields::kConv);
}

}  // namespace etalon::formats::xnn
