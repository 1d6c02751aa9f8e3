// Proves what xnn.h promises about a Graph, for the decoder and the encoder. Private to formats/xnn.
#pragma once

#include "base/result.h"
#include "formats/xnn/xnn.h"

namespace etalon::formats::xnn {

Status check_graph(const Graph& graph);

}  // namespace etalon::formats::xnn
