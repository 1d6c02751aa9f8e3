#include "kernels/ceilings/ceilings.h"

namespace etalon::kernels {

#define COMPUTE_LOOP(object) extern const ComputeLoop object;
#define STREAM_LOOP(object) extern const StreamLoop object;
#include "kernels/ceilings/ceilings.def"
#undef COMPUTE_LOOP
#undef STREAM_LOOP

namespace {

constexpr const ComputeLoop* kComputeLoops[] = {
#define COMPUTE_LOOP(object) &object,
#define STREAM_LOOP(object)
#include "kernels/ceilings/ceilings.def"
#undef COMPUTE_LOOP
#undef STREAM_LOOP
};

constexpr const StreamLoop* kStreamLoops[] = {
#define COMPUTE_LOOP(object)
#define STREAM_LOOP(object) &object,
#include "kernels/ceilings/ceilings.def"
#undef COMPUTE_LOOP
#undef STREAM_LOOP
};

}  // namespace

std::span<const ComputeLoop* const> compute_loops() { return kComputeLoops; }

const StreamLoop& stream_loop(Isa cap) { return best_within<StreamLoop>(kStreamLoops, cap); }

}  // namespace etalon::kernels
