// Which nodes of a program matter to its outputs or write in place.
#pragma once

#include <vector>

#include "formats/pt2/pt2.h"

namespace etalon::frontend {

// One flag per node. Numbers that only checks look at need not be computable; what is left over is for the
// passes.
std::vector<bool> needed_nodes(const formats::pt2::Graph& program);

}  // namespace etalon::frontend
