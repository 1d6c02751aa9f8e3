// `etalon completion`: a script that completes commands, flags and files in bash, zsh or fish.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"

namespace etalon::cli {
namespace {

using CommandWords = std::vector<std::pair<std::string, std::string>>;  // command, its flags

CommandWords words_of(const CLI::App& root) {
  CommandWords out;
  for (const CLI::App* sub : root.get_subcommands([](const CLI::App*) { return true; })) {
    std::string flags;
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) flags += (flags.empty() ? "--" : " --") + name;
    }
    out.emplace_back(sub->get_name(), std::move(flags));
  }
  return out;
}

std::string names_of(const CommandWords& words) {
  std::string out;
  for (const auto& [name, flags] : words) out += (out.empty() ? "" : " ") + name;
  return out;
}

std::string bash_script(const CommandWords& words) {
  std::string out = fmt::format(
      "_etalon() {{\n  local word=${{COMP_WORDS[COMP_CWORD]}}\n  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then COMPREPLY=($(compgen -W \"{}\" -- \"$word\")); return; fi\n"
      "  case \"$word\" in --*) ;; *) COMPREPLY=($(compgen -f -- \"$word\")); return ;; esac\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n",
      names_of(words));
  for (const auto& [name, flags] : words) {
    out += fmt::format("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")) ;;\n", name, flags);
  }
  return out + "  esac\n}\ncomplete -o filenames -F _etalon etalon\n";
}

std::string fish_script(const CommandWords& words) {
  std::string out = fmt::format("complete -c etalon -n __fish_use_subcommand -f -a '{}'\n", names_of(words));
  for (const auto& [name, flags] : words) {
    for (std::size_t at = 0; at < flags.size();) {
      const std::size_t end = std::min(flags.find(' ', at), flags.size());
      out += fmt::format("complete -c etalon -n '__fish_seen_subcommand_from {}' -l {}\n", name, flags.substr(at + 2, end - at - 2));
      at = end + 1;
    }
  }
  return out;
}

Action declare(CLI::App& app) {
  auto shell = std::make_shared<std::string>("bash");
  app.add_option("shell", *shell, "bash, zsh or fish")->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell, &app](Console& console) -> Result<int> {
    const CommandWords words = words_of(*app.get_parent());
    if (*shell == "zsh") console.print("autoload -U +X bashcompinit && bashcompinit\n");
    console.print(*shell == "fish" ? fish_script(words) : bash_script(words));
    return kExitOk;
  };
}

}  // namespace

extern const Command kCompletionCommand;
constinit const Command kCompletionCommand{
    "completion", "A shell script that completes commands, flags and files",
    "  eval \"$(etalon completion bash)\"\n  etalon completion fish > ~/.config/fish/completions/etalon.fish", declare};

}  // namespace etalon::cli
