// A payload for people: one line per node.
#pragma once

#include <string>

#include "formats/xnn/xnn.h"

namespace etalon::xnnpack {

// "%5: fp32[1, 112, 112, 32] = Conv2d(%1, %2 constant, %3 constant) 3x3 stride 2 padding 1 limits 0 to 6"
std::string listing(const formats::xnn::Graph& graph);

}  // namespace etalon::xnnpack
