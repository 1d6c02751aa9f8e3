// The flags of etalon-runner: executor_runner's (formats.md 7.1) and ours, read the way gflags reads them:
// --flag=value, --flag value, one dash or two, --boolean and --noboolean.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::cli {

struct RunnerFlags {
  std::string model_path = "model.pte";
  std::string data_path;
  std::string inputs;
  std::string output_file;
  std::string output_dir;  // for .npy files
  bool server_mode = false;
  bool command_mode = false;
  bool worker = false;
  std::string print_output = "summary";  // none, summary, all
  std::uint32_t num_executions = 1;
  std::string method_name;
  std::string etdump_path;  // empty: model.etdump when tracing was asked for
  std::int32_t cpu_threads = -1;
  double bundleio_rtol = 0.01;
  double bundleio_atol = 0.01;

  std::uint32_t warmup = 0;
  std::string engine;  // portable, native, executorch; empty: the fastest there is
  std::string isa;
  std::string math;   // exact, fast
  std::string trace;  // off, ops, kernels; empty: ops if etdump_path was given
  std::string cpu_affinity;
  std::string json;

  bool help = false;
};

// `args` without the program's name. Errors: kInvalidInput, in one line that names the flag.
Result<RunnerFlags> parse_runner_flags(std::span<const std::string_view> args);

// What --help of `program` prints.
std::string runner_help(std::string_view program);

// "a,b,c" without empty parts.
std::vector<std::string> split_by_commas(std::string_view text);

}  // namespace etalon::cli
