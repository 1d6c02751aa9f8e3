#include "cli/runner_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <variant>

namespace etalon::cli {
namespace {

using Field = std::variant<std::string RunnerFlags::*, bool RunnerFlags::*, std::uint32_t RunnerFlags::*,
                           std::int32_t RunnerFlags::*, double RunnerFlags::*>;

struct Flag {
  std::string_view name;
  Field field;
  std::string_view help;
  std::string_view choices = {};  // separated by "|"
};

const Flag kFlags[] = {
    {"model_path", &RunnerFlags::model_path, "the .pte or .bpte to run (model.pte)"},
    {"data_path", &RunnerFlags::data_path, "a .ptd with weights stored outside of the program"},
    {"inputs", &RunnerFlags::inputs, "comma-separated .npy or raw files, one per input (ones if not given)"},
    {"output_file", &RunnerFlags::output_file, "base name: each output is written to <base>-<i>.bin"},
    {"output_dir", &RunnerFlags::output_dir, "a folder: each output is written to <i>.npy"},
    {"server_mode", &RunnerFlags::server_mode, "run once per line on stdin, reading the inputs again"},
    {"command_mode", &RunnerFlags::command_mode, "obey lines on stdin: load, run N, output DIR; answer in JSON lines"},
    {"worker", &RunnerFlags::worker, "load, then answer \"run N\" on stdin with \"ns ...\", as etalon's sessions ask"},
    {"print_output", &RunnerFlags::print_output, "what to print of the outputs", "none|summary|all"},
    {"num_executions", &RunnerFlags::num_executions, "how often to run (1)"},
    {"method_name", &RunnerFlags::method_name, "the method to run (the first)"},
    {"etdump_path", &RunnerFlags::etdump_path, "where to write events (model.etdump with --trace)"},
    {"cpu_threads", &RunnerFlags::cpu_threads, "threads to compute with (-1: as many as useful)"},
    {"bundleio_rtol", &RunnerFlags::bundleio_rtol, "relative tolerance for a .bpte (0.01)"},
    {"bundleio_atol", &RunnerFlags::bundleio_atol, "absolute tolerance for a .bpte (0.01)"},
    {"warmup", &RunnerFlags::warmup, "runs before the ones that count (0)"},
    {"engine", &RunnerFlags::engine, "which kernels run", "portable|native|executorch"},
    {"isa", &RunnerFlags::isa, "highest instruction set to use"},
    {"math", &RunnerFlags::math, "direct: no Winograd; fast: errors of 1e-5; bf16, fp16: 16-bit factors",
     "exact|direct|fast|bf16|fp16"},
    {"trace", &RunnerFlags::trace, "events to record", "off|ops|kernels"},
    {"cpu_affinity", &RunnerFlags::cpu_affinity, "CPUs to stay on, a mask such as 0xf0"},
    {"json", &RunnerFlags::json, "write times and what ran as JSON; - is stdout"},
    {"help", &RunnerFlags::help, "print this"},
};

const Flag* find_flag(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFlags), std::end(kFlags), [&](const Flag& f) { return f.name == name; });
  return found == std::end(kFlags) ? nullptr : found;
}

bool is_boolean(const Flag& flag) { return std::holds_alternative<bool RunnerFlags::*>(flag.field); }

Error bad_value(const Flag& flag, std::string_view value, std::string_view wanted) {
  return invalid_input(fmt::format("--{} is '{}', want {}", flag.name, value, wanted));
}

template <class Int>
Status set_integer(RunnerFlags& flags, const Flag& flag, Int RunnerFlags::* field, std::string_view value) {
  Int number{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return bad_value(flag, value, std::is_signed_v<Int> ? "a number" : "a number that is not negative");
  }
  flags.*field = number;
  return {};
}

bool is_choice(std::string_view choices, std::string_view value) {
  while (true) {
    const std::size_t end = choices.find('|');
    if (choices.substr(0, end) == value) return true;
    if (end == std::string_view::npos) return false;
    choices.remove_prefix(end + 1);
  }
}

struct Setter {
  RunnerFlags& flags;
  const Flag& flag;
  std::string_view value;

  Status operator()(std::string RunnerFlags::* field) const {
    if (!flag.choices.empty() && !is_choice(flag.choices, value)) return bad_value(flag, value, flag.choices);
    flags.*field = std::string(value);
    return {};
  }
  Status operator()(bool RunnerFlags::* field) const {
    constexpr std::string_view kTrue[] = {"true", "1", "t", "yes", "y"};
    constexpr std::string_view kFalse[] = {"false", "0", "f", "no", "n"};
    const bool yes = std::find(std::begin(kTrue), std::end(kTrue), value) != std::end(kTrue);
    const bool no = std::find(std::begin(kFalse), std::end(kFalse), value) != std::end(kFalse);
    if (!yes && !no) return bad_value(flag, value, "true or false");
    flags.*field = yes;
    return {};
  }
  Status operator()(std::uint32_t RunnerFlags::* field) const { return set_integer(flags, flag, field, value); }
  Status operator()(std::int32_t RunnerFlags::* field) const { return set_integer(flags, flag, field, value); }
  Status operator()(double RunnerFlags::* field) const {
    const std::string text(value);
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') return bad_value(flag, value, "a number");
    flags.*field = number;
    return {};
  }
};

Status set_flag(RunnerFlags& flags, const Flag& flag, std::string_view value) {
  return std::visit(Setter{flags, flag, value}, flag.field);
}

Error unknown_flag(std::string_view name) {
  return invalid_input(fmt::format("unknown command line flag '{}' (see --help)", name));
}

}  // namespace

Result<RunnerFlags> parse_runner_flags(std::span<const std::string_view> args) {
  RunnerFlags flags;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string_view text = args[i];
    if (text.size() < 2 || text[0] != '-' || text == "--") {
      return invalid_input(fmt::format("Extra commandline args: {}", text));
    }
    text.remove_prefix(text.starts_with("--") ? 2 : 1);
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (const Flag* flag = find_flag(name); flag != nullptr) {
      std::string_view value = "true";
      if (equals != std::string_view::npos) {
        value = text.substr(equals + 1);
      } else if (!is_boolean(*flag)) {
        if (++i == args.size()) return invalid_input(fmt::format("flag '--{}' is missing its value", name));
        value = args[i];
      }
      ETALON_CHECKED(set_flag(flags, *flag, value));
      continue;
    }
    const Flag* negated = name.starts_with("no") ? find_flag(name.substr(2)) : nullptr;
    if (negated == nullptr || !is_boolean(*negated) || equals != std::string_view::npos) return unknown_flag(name);
    ETALON_CHECKED(set_flag(flags, *negated, "false"));
  }
  return flags;
}

std::string runner_help(std::string_view program) {
  std::string out = fmt::format(
      "{0}: loads an ExecuTorch program and runs it. Takes executor_runner's flags.\n\n"
      "  {0} --model_path model.pte --num_executions 10 --etdump_path model.etdump\n\n", program);
  for (const Flag& flag : kFlags) {
    const std::string choices = flag.choices.empty() ? "" : fmt::format(": {}", flag.choices);
    out += fmt::format("  --{:<16} {}{}\n", flag.name, flag.help, choices);
  }
  return out;
}

std::vector<std::string> split_by_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(',');
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return parts;
}

}  // namespace etalon::cli
