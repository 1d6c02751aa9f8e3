// `etalon run --engine executorch`: ExecuTorch's own runtime computes, in a process of its own, because it may end that
// process when a program is damaged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/console.h"

namespace etalon::cli {

struct ExecutorchRun {
  std::string model;
  std::string method;
  std::string data;
  std::vector<std::string> inputs;
  std::string output_dir;  // empty: outputs are described and not kept
  std::string isa;
  int threads = 0;
  unsigned runs = 1;
  unsigned warmup = 0;
  std::string etdump;
  std::string json;
};

// Prints what `etalon run` prints. Errors: kNotFound (no such runner), what the runner says of flags and files,
// kRunFailed (it crashed).
Result<int> run_executorch(const ExecutorchRun& request, const Console& console);

}  // namespace etalon::cli
