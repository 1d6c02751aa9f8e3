// Which kernels would run a program here, without running it.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/console.h"

namespace etalon::cli {

struct KernelQuestion {
  std::string program;
  std::string engine;  // empty: native
  std::string isa;     // the highest allowed; empty: the best of this machine
  std::string math;
  int threads = 1;
  bool json = false;
};

// Prints a table, or JSON. Errors: those of loading the program; an ISA that this machine lacks.
Result<int> show_kernels(const KernelQuestion& question, const Console& console);

}  // namespace etalon::cli
