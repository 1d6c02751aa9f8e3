// Node -> one node's table. Private to formats/xnn.
#pragma once

#include "formats/xnn/xnn.h"
#include "xnn_graph_generated.h"

namespace etalon::formats::xnn {

// The node must have passed check_graph().
flatbuffers::Offset<fb::xnn::XNode> encode_node(flatbuffers::FlatBufferBuilder& builder, const Node& node);

}  // namespace etalon::formats::xnn
