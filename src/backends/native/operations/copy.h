// Moving elements between two layouts of the same dims.
#pragma once

#include <memory>

#include "backends/native/layout.h"
#include "kernels/isa.h"

namespace etalon::native {

// Elements of 1, 2, 4 or 8 bytes. The places must not overlap.
std::unique_ptr<Operation> make_copy(const Placement& from, const Placement& to, const Dims& dims,
                                     std::size_t element_bytes, kernels::Isa cap);

}  // namespace etalon::native
