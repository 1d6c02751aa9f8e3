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

  bool has_sme() const;
  bool has_sme2() const;
};

// Most frequent first.
std::vector<KernelRow> kernels_in_log(std::string_view log);

// Uses per instruction set, by the first word of the kernels' `arch`: {"avx512f": 7}.
std::map<std::string, std::uint64_t> kernel_hints(const std::vector<KernelRow>& kernels);

}  // namespace etalon::analysis
