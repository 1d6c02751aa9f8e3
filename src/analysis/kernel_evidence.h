// Which kernel ran each operator, and what changed between two runs. From files alone: the `_kernels.csv` beside a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etalon::analysis {

struct Profile;

struct KernelUse {
  std::int64_t instruction = -1;
  std::string operation;   // "Convolution (NHWC, F32) IGEMM #1", "aten::add.out"
  std::string kernel;      // "f32_igemm_minmax_ukernel_7x32__avx512f"
  std::string isa;         // what it was compiled for
  std::string wanted_isa;  // the best that was allowed
  std::string reason;      // why `isa` is not `wanted_isa`; empty when it is
  std::string tile;        // "7x32"
  std::string shape;
  std::uint32_t threads = 1;
  std::optional<std::vector<std::size_t>> nodes = std::nullopt;  // of the delegate's payload, by place; absent: not told
};

// Rows that name an operation; those that were counted from a log do not and are left out.
std::vector<KernelUse> read_kernels_csv(std::string_view text);

// What our runner writes into the metadata of a delegate's event; false, and `use` untouched, for anything else.
bool read_kernel_metadata(std::string_view metadata, KernelUse& use);

// Gives each operator of the profile its kernel. An operator call is known by its instruction, a part of a delegate also
// by its name.
void attach_kernels(const std::vector<KernelUse>& kernels, Profile& profile);

// Operators that one kernel computed before and another afterwards.
struct KernelChange {
  std::string baseline_kernel;
  std::string candidate_kernel;
  std::string baseline_isa;
  std::string candidate_isa;
  std::vector<std::string> operators;
  double baseline_ms = 0;
  double candidate_ms = 0;
};

struct KernelComparison {
  std::size_t compared = 0;              // operators with evidence in both runs; 0: nothing can be told
  std::size_t changed = 0;               // of these
  std::size_t only_in_one = 0;           // operators that the other run does not have, because it fused otherwise
  std::vector<KernelChange> changes;     // largest difference in time first
};

KernelComparison compare_kernels(const Profile& baseline, const Profile& candidate);

}  // namespace etalon::analysis
