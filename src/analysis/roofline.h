// Holds the operators of a profile against the machine's measured ceilings: the least time each could take, and how
// much of the time it took that is.
//
// Arithmetic is counted as the model's definition has it. Kernels that compute the same in another way are held
// against what their way could reach: Winograd needs fewer multiplications, float32 on bfloat16 tiles needs more. So a
// share above one means that a ceiling or a count is wrong, or that the operator found its data in a nearer cache.
// Pure functions of their arguments, thread-safe.
#pragma once

#include <string_view>

#include "analysis/ceilings.h"
#include "analysis/profile.h"

namespace etalon::analysis {

// Fills attainable_ms, share_of_roof, bound and roof of the rows whose arithmetic or traffic is known. `isa` is the
// highest that the run allowed; empty: all that the machine has. Operators of a dtype that has no ceiling are held
// against the memory alone.
void attach_roofs(const Ceilings& ceilings, std::string_view isa, Profile& profile);

// What a kernel by this name really does, where it is not what the definition says.
struct KernelWay {
  double work = 1;             // arithmetic done / arithmetic counted
  std::string_view dtype;      // it multiplies in; empty: the operator's
  std::string_view name;       // "Winograd F(4x4)"; empty: nothing special
};
KernelWay way_of(std::string_view kernel);

}  // namespace etalon::analysis
