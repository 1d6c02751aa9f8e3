// Child processes: one command, merged output, a time limit, and an end that is always reported.
//
// The child leads its own process group, which is killed as a whole on a time-out and, on Linux, when we die.
// Output (stdout and stderr in the order written) goes to a file, to memory, or both. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace etalon::platform {

struct Command {
  std::vector<std::string> argv;                           // argv[0] is a path, or a name looked up in PATH
  std::map<std::string, std::string> environment;          // added to ours
  std::string log_path;                                    // appended to; empty: no file
  double timeout_seconds = 0;                              // 0: none
  std::uint64_t cpu_mask = 0;                              // bit i allows CPU i; 0: as inherited
  std::size_t max_captured_bytes = std::size_t{16} << 20;  // in memory; the first bytes are kept
};

struct ProcessEnd {
  std::optional<int> exit_code;  // absent when a signal ended it
  std::optional<int> signal;
  bool timed_out = false;
  double wall_seconds = 0;
  std::string output;  // merged, cut at max_captured_bytes
  bool output_cut = false;

  bool succeeded() const { return !timed_out && exit_code == 0; }
  std::string describe() const;  // "exited with 1", "crashed with SIGSEGV (11)", "timed out after 5.0 s"
};

// Runs to the end. Errors: kNotFound (no such program), kInvalidInput (no command, not executable, a CPU mask
// that cannot be applied), kIo. A program that fails is a ProcessEnd, not an error.
Result<ProcessEnd> run_process(const Command& command);

// Ends the child that run_process() waits for, with its group, as an interrupt of ours must. Async-signal-safe.
void end_running_process() noexcept;

// The file of the running program, with links resolved; errors: kIo.
Result<std::string> own_executable();

// Whether `path` names a regular file that may be executed, following PATH when it holds no slash.
bool is_executable(const std::string& path);

}  // namespace etalon::platform
