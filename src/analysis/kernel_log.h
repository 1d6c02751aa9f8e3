// Which micro-kernels a runner chose, from the lines it logged: "Using <category> microkernel '<name>'".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace etalon::analysis {

struct KernelRow {
  std::string name;      // "xnn_f32_igemm_minmax_ukernel_4x8__aarch64_neonfma"
  std::string category;  // "igemm"
  std::uint64_t count = 0;
  // Parts of the name; empty when it is not built that way.
  std::string dtype;
  std::string op;
  std::string variant;
  std::string shape;
  std::string arch;  // after the double underscore

  // Of one operator, where the runner tells; empty in what was counted from a log.
  std::int64_t instruction = -1;
  std::string operation;
  std::string isa;
  std::string wanted_isa;
  std::string reason;
  std::string tile;
  std::string operator_shape;
  std::uint32_t threads = 0;

  bool has_sme() const;
  bool has_sme2() const;
};

// With the parts that its name tells; names may lack the leading "xnn_".
KernelRow kernel_row(std::string name);

// Most frequent first.
std::vector<KernelRow> kernels_in_log(std::string_view log);

// Uses per instruction set, by the first word of the kernels' `arch`: {"avx512f": 7}.
std::map<std::string, std::uint64_t> kernel_hints(const std::vector<KernelRow>& kernels);

}  // namespace etalon::analysis
