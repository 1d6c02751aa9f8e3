// The on / off experiment that a machine and a program allow: the best instruction set that changes any kernel of it, and
// the one below.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"

namespace etalon::cli {

struct IsaPair {
  std::string off;
  std::string on;
  std::size_t operators = 0;  // with a kernel of ours
  std::size_t changed = 0;    // of these, that run another kernel when `on` is allowed
};

// Found by choosing kernels, without running. Nothing if every instruction set gives the same ones.
// Errors: those of loading the program.
Result<std::optional<IsaPair>> find_isa_pair(const std::string& program);

}  // namespace etalon::cli
