// What this machine can do at most, measured: arithmetic per instruction set, dtype and number of threads, and
// bandwidth per memory level. The roofline model (Williams, Waterman, Patterson, CACM 2009) then says how fast an
// operator could be. Read from the JSON of `etalon peak` (schema "etalon.peak/1"). Plain values, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::analysis {

inline constexpr std::string_view kPeakSchema = "etalon.peak/1";

struct ComputeCeiling {
  std::string isa;      // "avx512", as --isa names them
  std::string dtype;    // "float32", "int8", "bfloat16", "float16"
  std::string method;   // "fma", "vnni", "amx": what was timed
  std::uint32_t threads = 1;
  double gflops = 0;    // 1e9 operations per second, a multiply-add counting as two
};

struct BandwidthCeiling {
  std::string level;    // "L1", "L2", "L3", "memory"
  std::uint32_t threads = 1;
  double working_set_bytes = 0;  // that was streamed, by all threads together
  double capacity_bytes = 0;     // of the level, as far as these threads have it together; 0 for memory
  double read_gbps = 0;          // 1e9 bytes per second, of all threads
  double copy_gbps = 0;          // read plus written
};

struct Ceilings {
  std::string cpu;           // to refuse those of another machine
  std::string measured_at;   // ISO 8601, UTC
  std::vector<std::string> isas;  // of the machine, each extending the one before it
  std::vector<ComputeCeiling> compute;
  std::vector<BandwidthCeiling> bandwidth;
  std::vector<std::string> notes;  // what is not here and why, one line each
};

// The least time for an operator, and what limits it.
struct Roof {
  double ms = 0;
  bool memory_bound = false;
  std::string limit;        // "float32 avx512", or "L2"
  double gflops = 0;        // the ceiling that was applied; 0 where memory is the limit
  double gbps = 0;
};

// The larger of the time for the arithmetic and that for the traffic, at the bandwidth of the smallest level that holds
// the bytes. `isa` empty or unknown: the best of the dtype, else the best at or below it. Half precisions for which the
// machine has no arithmetic are computed in float32, as kernels do. Where `threads` was not measured, the next smaller
// number that was counts in proportion: twice the threads do at most twice as much. Nothing where no ceiling fits the dtype, or there is neither arithmetic nor
// traffic. An algorithm that needs fewer multiplications than were counted (Winograd) may be faster than its roof.
std::optional<Roof> roof_of(const Ceilings& ceilings, double flops, double bytes, std::string_view dtype,
                            std::string_view isa, std::uint32_t threads);

std::string ceilings_json(const Ceilings& ceilings);
// Errors: kInvalidInput (not JSON, another schema, numbers that are not positive and finite).
Result<Ceilings> parse_ceilings(std::string_view json);

}  // namespace etalon::analysis
