// A subcommand of `etalon`: its name, help and what it does. One file each, listed in commands.def.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "cli/console.h"

namespace CLI {
class App;
}

namespace etalon::cli {

// Exit codes that scripts rely on; errors map to them in exit_code_of().
inline constexpr int kExitOk = 0;
inline constexpr int kExitNo = 1;          // the tool worked and the answer is no
inline constexpr int kExitUsage = 2;       // wrong usage, or a bad input file
inline constexpr int kExitRunFailed = 3;   // a run failed on the device
inline constexpr int kExitDefect = 4;      // a defect of ours

// Runs after the flags were parsed; gives kExitOk or kExitNo, or an error.
using Action = std::function<Result<int>(Console&)>;

struct Command {
  std::string_view name;
  std::string_view summary;    // one line, in the list of commands
  std::string_view examples;   // shown by --help, one command a line
  // Declares flags on `app`; the returned action owns (or shares) the storage of the parsed flags.
  Action (*declare)(CLI::App& app);
};

int exit_code_of(const Error& error);

}  // namespace etalon::cli
