// Which output sizes depend on tensor contents that are not known yet.
#pragma once

#include <cstddef>
#include <optional>

#include "ops/registry.h"

namespace etalon::ops {

// The dim of output 0 for which `infer` reports an upper bound only, or nothing if all sizes are exact. Operators with
// kDataDependent are exact where the deciding tensors have memory (constants), and `index` wherever it gets no mask.
std::optional<std::size_t> data_dependent_dim(const Op& op, const Call& call);

}  // namespace etalon::ops
