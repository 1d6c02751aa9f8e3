// `etalon inspect`: what is inside a file, or how two files differ.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/inspect/describe.h"
#include "cli/inspect/kernels.h"
#include "cli/inspect/strip.h"
#include "cli/model_facts_cost.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::vector<std::string> files;
  bool json = false;
  std::string strip;
  bool kernels = false;
  bool cost = false;
  KernelQuestion question;
};

Result<Json> describe_path(const std::string& path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(Json json, describe_file(file.bytes()), path);
  json.erase("schema");
  return json;
}

Result<int> show(Console& console, const Flags& flags) {
  ETALON_TRY(Json json, describe_path(flags.files[0]));
  if (flags.json) {
    Json out = {{"schema", "etalon.inspect/1"}, {"file", flags.files[0]}};
    out.update(json);
    console.print(out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    console.print(console.bold(flags.files[0]) + "\n" + to_people(json, 2));
  }
  return kExitOk;
}

Result<int> compare(Console& console, const Flags& flags) {
  ETALON_TRY(const Json a, describe_path(flags.files[0]));
  ETALON_TRY(const Json b, describe_path(flags.files[1]));
  const std::vector<std::string> lines = differences(a, b);
  if (flags.json) {
    const Json out = {{"schema", "etalon.inspect-difference/1"}, {"a", flags.files[0]}, {"b", flags.files[1]}, {"differences", lines}};
    console.print(out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return lines.empty() ? kExitOk : kExitNo;
  }
  for (const std::string& line : lines) console.print(line + "\n");
  if (lines.empty()) console.print("no difference in what is described\n");
  return lines.empty() ? kExitOk : kExitNo;
}

bool asks_for_kernels(const Flags& flags) {
  return flags.kernels || !flags.question.isa.empty() || !flags.question.engine.empty() || !flags.question.math.empty();
}

Result<int> kernels(Console& console, const Flags& flags) {
  if (flags.files.size() != 1) return invalid_input("--kernels and --isa take one .pte file");
  KernelQuestion question = flags.question;
  question.program = flags.files[0];
  question.json = flags.json;
  return show_kernels(question, console);
}

Result<int> cost(Console& console, const Flags& flags) {
  if (flags.files.size() != 1) return invalid_input("--cost takes one .pte file");
  const auto threads = static_cast<std::uint32_t>(flags.question.threads);
  return show_cost({flags.files[0], flags.question.isa, threads, flags.json}, console);
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("files", flags->files, "One file, or two to compare")->required()->expected(1, 2);
  app.add_flag("--json", flags->json, "Machine output on stdout");
  app.add_flag("--kernels", flags->kernels, "Which kernels would run a .pte here, and why not better ones");
  app.add_flag("--cost", flags->cost, "Arithmetic, traffic and least time of each operator of a .pte (after 'etalon peak')");
  app.add_option("--isa", flags->question.isa, "Likewise, with this highest instruction set");
  app.add_option("--engine", flags->question.engine, "Likewise, of this engine: native or portable");
  app.add_option("--math", flags->question.math, "Likewise, with exact, direct, fast, bf16 or fp16 arithmetic");
  app.add_option("--threads", flags->question.threads, "Likewise, with so many threads")->check(CLI::Range(1, 4096));
  app.add_option("--strip", flags->strip, "Write a copy of a .pt2 without its weights to this path");
  return [flags](Console& console) -> Result<int> {
    if (!flags->strip.empty()) {
      if (flags->files.size() != 1) return invalid_input("--strip takes one .pt2 file");
      ETALON_TRY(const StripOutcome outcome, strip_weights(flags->files[0], flags->strip));
      console.print(fmt::format("wrote {}: {} of {} tensors without their {} bytes\n", flags->strip, outcome.stripped, outcome.tensors,
                                outcome.removed_bytes));
      return kExitOk;
    }
    if (flags->cost) return cost(console, *flags);
    if (asks_for_kernels(*flags)) return kernels(console, *flags);
    return flags->files.size() == 2 ? compare(console, *flags) : show(console, *flags);
  };
}

}  // namespace

extern const Command kInspectCommand;
constinit const Command kInspectCommand{
    "inspect", "What is inside a .pte, .pt2, .etdump, .etrecord, .bpte, .ptd or .npy file",
    "  etalon inspect model.pte\n  etalon inspect a.pte b.pte\n  etalon inspect model.pte --isa avx2\n  etalon inspect model.pt2 --json\n  etalon inspect model.pt2 --strip shape_only.pt2",
    declare};

}  // namespace etalon::cli
