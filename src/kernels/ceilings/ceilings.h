// Loops that reach what the machine can do at most: arithmetic from registers, and streams through memory.
//
// They are timed by callers, who also find out which of them this machine may run: it needs the loop's ISA and its
// further features. Every loop counts up in a known way, so that a test can tell that it does the work it claims.
// No loop allocates; any number of threads may run one at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/isa.h"

namespace etalon::kernels {

struct ComputeLoop {
  Isa isa;
  std::string_view features;  // besides those of `isa`, as the Linux kernel spells them; empty: none
  std::string_view dtype;     // of the factors: "float32", "float16", "bfloat16", "int8"
  std::string_view method;    // the instruction: "fma", "vnni"
  std::int64_t operations;    // of one round; a multiply-add counts as two
  double gain;                // of one round, in every accumulated number
  // Gives one of the accumulated numbers: gain * rounds while the accumulator can hold it exactly.
  double (*run)(std::int64_t rounds);
};

struct StreamLoop {
  Isa isa;
  // Reads `bytes` from `data` once and gives the exclusive or of its 64-bit words at multiples of `width`.
  // Both are multiples of kStreamBlock.
  std::uint64_t (*read)(const std::byte* data, std::size_t bytes);
  void (*copy)(std::byte* to, const std::byte* from, std::size_t bytes);
  std::size_t width;  // of one access
};

inline constexpr std::size_t kStreamBlock = 512;

// All of this build, in the order of isa.def.
std::span<const ComputeLoop* const> compute_loops();
// The widest that `cap` allows.
const StreamLoop& stream_loop(Isa cap);

}  // namespace etalon::kernels
