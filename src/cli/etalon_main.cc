// `etalon`: picks the subcommand, parses its flags, runs it, and turns errors into one line and an exit code.
#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/streams.h"
#include "cli/version.h"
#include "measure/json_fields.h"

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
  say_error("etalon", error);
  return exit_code_of(error);
}

// A mistyped command deserves its name in the message; the parser would only say that a command is missing.
Status check_command_name(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  const std::string_view name = argv[1];
  std::vector<std::string_view> known;
  for (const Command* command : commands()) known.push_back(command->name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  const std::string_view near = measure::nearest_name(name, known);
  return invalid_input(fmt::format("there is no command '{}'{} (see 'etalon --help')", name,
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

int run(int argc, char** argv) {
  if (const Status named = check_command_name(argc, argv); !named.ok()) return fail(named.error());
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
    if (error.get_exit_code() != 0) return fail(invalid_input(fmt::format("{} (see 'etalon --help')", error.what())));
    static_cast<void>(app.exit(error));  // --help, --version
    const Status shown = finish_stdout();
    return shown.ok() ? kExitOk : fail(shown.error());
  }
  console.set_quiet(quiet);
  console.set_verbose(verbose);
  for (auto& [sub, action] : actions) {
    if (!sub->parsed()) continue;
    const Result<int> result = action(console);
    const Status printed = finish_stdout();
    if (!result.ok()) return fail(result.error());
    return printed.ok() ? *result : fail(printed.error());
  }
  return kExitUsage;
}

}  // namespace
}  // namespace etalon::cli

int main(int argc, char** argv) {
  etalon::cli::prepare_streams();
  etalon::cli::clean_up_on_interrupt();
  try {
    return etalon::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    return etalon::cli::fail(etalon::resource_error("out of memory"));
  } catch (const std::exception& error) {
    return etalon::cli::fail(etalon::internal_error(fmt::format("unexpected: {}", error.what())));
  }
}
