// The text form of graphs: what --print-graph shows and what tests of passes are written in.
//
//   graph forward {
//     input %x: f32[8~3, 16]                      a dynamic dim: upper bound ~ probe
//     constant %w: f32[4, 16] parameter           contents are shown for up to 16 elements: = {1, 2, ...}
//     %addmm_3: f32[8~3, 4] = aten::addmm(%b, %x, %t, 1, 1)
//     %n: int(8~3) = aten::sym_size.int(%x, 0)
//     update %count = %add_7
//     return %addmm_3, None
//   }
//
// print(parse(text)) == text for anything that print() wrote. Contents that print() leaves out come back as zeros.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace etalon::ir {

std::string print(const Graph& graph);
std::string to_text(const Type& type);

// Total on any text; kInvalidInput with the line.
Result<Graph> parse(std::string_view text);

}  // namespace etalon::ir
