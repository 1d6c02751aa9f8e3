// Which ATen operators share memory with their first argument.
#pragma once

#include <string_view>

#include "formats/pt2/pt2.h"
#include "frontend/pt2/symbols.h"

namespace etalon::frontend {

// Whether the output shares its elements with the first argument. Some operators copy only where they must
// (reshape, contiguous, to); the exported strides tell what eager execution did. Either meta may be null
// (then: no).
bool shares_memory(std::string_view functional_name, const formats::pt2::TensorMeta* input,
                   const formats::pt2::TensorMeta* output, const Symbols& symbols);

// Operators with an underscore that change sizes, not elements: "aten::squeeze_.dim".
bool is_in_place_view(std::string_view name);

}  // namespace etalon::frontend
