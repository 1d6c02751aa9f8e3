// The SIMD kernels for operator calls outside of delegates. What they refuse, the portable kernels run, and the choice
// carries the reason.
#pragma once

#include <memory>

#include "kernels/isa.h"
#include "runtime/kernel_resolver.h"

namespace etalon::native {

// Kernels use nothing beyond `cap`, which the caller knows this machine to have, and one thread.
std::unique_ptr<runtime::KernelResolver> make_native_resolver(kernels::Isa cap);

}  // namespace etalon::native
