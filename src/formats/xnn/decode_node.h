// One node's table -> Node. Private to formats/xnn.
#pragma once

#include "formats/flatbuffer_reading.h"
#include "formats/xnn/xnn.h"
#include "xnn_graph_generated.h"

namespace etalon::formats::xnn {

// The table must have been verified. Errors: kInvalidInput, kUnsupported (an unknown node type).
Result<Node> decode_node(TableReader& reader, const fb::xnn::XNode& table);

}  // namespace etalon::formats::xnn
