// `etalon`: picks the subcommand, parses its flags, runs it, and turns errors into one line and an exit code.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/command.h"
#include "cli/version.h"

namespace etalon::cli {

#define ETALON_COMMAND(command) extern const Command command;
#include "cli/commands.def"
#undef ETALON_COMMAND

namespace {

const std::vector<const Command*>& commands() {
  static const std::vector<const Command*> all = {
#define ETALON_COMMAND(command) &command,
#include "cli/commands.def"
#undef ETALON_COMMAND
  };
  return all;
}

int fail(const Error& error) {
  std::string text = error.message();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  fmt::print(stderr, "etalon: {}\n", text);
  if (error.code() == ErrorCode::kInternal) fmt::print(stderr, "etalon: this is a defect, please report it\n");
  return exit_code_of(error);
}

int run(int argc, char** argv) {
  Console console;
  CLI::App app{std::string("etalon ") + kVersion + ": export, run, profile and explain neural networks on CPUs"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of every command");
  std::vector<std::pair<CLI::App*, Action>> actions;
  bool quiet = false;
  bool verbose = false;
  for (const Command* command : commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command->name), std::string(command->summary));
    sub->footer("Examples:\n" + std::string(command->examples));
    sub->add_flag("-q,--quiet", quiet, "No progress or notes on stderr");
    sub->add_flag("-v,--verbose", verbose, "More detail on stderr");
    actions.emplace_back(sub, command->declare(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "etalon: {} (see 'etalon --help')\n", error.what());
    return kExitUsage;
  }
  console.set_quiet(quiet);
  console.set_verbose(verbose);
  for (auto& [sub, action] : actions) {
    if (!sub->parsed()) continue;
    const Result<int> result = action(console);
    std::fflush(stdout);
    return result.ok() ? *result : fail(result.error());
  }
  return kExitUsage;
}

}  // namespace
}  // namespace etalon::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `etalon ... | head` must not end in a signal
  try {
    return etalon::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "etalon: out of memory\n");
    return etalon::cli::kExitUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "etalon: unexpected: {}; this is a defect, please report it\n", error.what());
    return etalon::cli::kExitDefect;
  }
}
