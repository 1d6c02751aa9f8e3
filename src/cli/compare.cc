// `etalon compare`: is B faster than A, where, by how much, and does it still compute the same?
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/compare/measured.h"
#include "cli/compare/recorded.h"
#include "cli/compare/recorded_comparison.h"
#include "cli/compare/reference.h"
#include "cli/run_analysis.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::vector<std::string> sides;
  CompareRequest measured;
  std::string reference;
  std::size_t operators = 12;
  bool no_trace = false;
  bool json = false;
  bool fail_if_slower = false;
  CLI::App* app = nullptr;
};

bool is_program(const std::string& text) { return text.ends_with(".pte"); }

// Nothing is measured when runs are compared that exist.
Status refuse_measuring_flags(const Flags& flags) {
  for (const char* name :
       {"--engine", "--isa", "--seconds", "--launches", "--no-trace", "--input", "--fresh"}) {
    if (flags.app->count(name) > 0) {
      return invalid_input(
          fmt::format("{} is about measuring programs; {} is recorded already", name, flags.sides.front()));
    }
  }
  if (flags.measured.threads.size() > 1)
    return invalid_input("--threads takes one number when recorded runs are compared");
  return {};
}

Status write_reports(const std::string& folder, const analysis::Report& report) {
  ETALON_CHECKED(make_directories(folder));
  ETALON_CHECKED(write_file(folder + "/comparison.json", report::write_json(report)));
  ETALON_CHECKED(write_file(folder + "/comparison.md", report::write_markdown(report)));
  return write_file(folder + "/comparison.html", report::write_html(report));
}

void print_report(const analysis::Report& report, const Flags& flags, const Console& console) {
  if (flags.json) return console.print(report::write_json(report));
  report::Style style;
  style.colour = console.colour();
  style.width = static_cast<std::size_t>(std::max(console.width(), 80));
  style.operators = flags.operators;
  if (report.comparisons.size() == 1) {
    console.print(report::write_comparison_terminal(report.comparisons.front(), style));
    return;
  }
  for (const analysis::Comparison& comparison : report.comparisons) {
    console.print(report::verdict_sentence(comparison) + "\n");
  }
  if (report.table) console.print(report::write_factor_table_terminal(*report.table, style));
  if (report.table) return;
  for (const analysis::Comparison& comparison : report.comparisons) {
    console.print("\n" + report::write_comparison_terminal(comparison, style));
  }
}

bool any_is_slower(const analysis::Report& report) {
  return std::any_of(report.comparisons.begin(), report.comparisons.end(),
                     [](const analysis::Comparison& comparison) {
                       return comparison.verdict && comparison.verdict->claim == measure::Claim::kSlower;
                     });
}

Result<int> answer(const analysis::Report& report, const Flags& flags, const Console& console) {
  print_report(report, flags, console);
  return flags.fail_if_slower && any_is_slower(report) ? kExitNo : kExitOk;
}

Result<int> compare_existing(const Flags& flags, const Console& console) {
  ETALON_CHECKED(refuse_measuring_flags(flags));
  RecordedRequest request;
  request.sides = flags.sides;
  request.margin = flags.measured.margin;
  if (flags.app->count("--threads") > 0) request.threads = flags.measured.threads.front();
  ETALON_TRY(const analysis::Report report, compare_recorded(request));
  if (!flags.measured.output_dir.empty()) {
    ETALON_CHECKED(write_reports(flags.measured.output_dir, report));
    console.note("written to " + flags.measured.output_dir +
                 ": comparison.md, comparison.html, comparison.json");
  }
  return answer(report, flags, console);
}

CompareRequest request_of(const Flags& flags, const Console& console) {
  CompareRequest request = flags.measured;
  request.programs = flags.sides;
  request.trace = !flags.no_trace;
  request.progress = [&console](std::string_view what, std::size_t done, std::size_t all) {
    console.progress(what, done, all);
  };
  return request;
}

Result<int> compare_measured(const Flags& flags, const Console& console) {
  ETALON_TRY(const MeasuredComparison compared, compare_programs(request_of(flags, console)));
  if (compared.reused) {
    console.note(
        "all of this was measured before (same programs, runner and settings); --fresh measures again");
  }
  ETALON_TRY(const int code, answer(compared.report, flags, console));
  console.note(
      fmt::format("\nwritten to {}: report.md, report.html, analysis_summary.json, samples and recordings",
                  compared.run_dir));
  return code;
}

Result<int> compare_reference(const Flags& flags, const Console& console) {
  if (flags.sides.size() != 1 || !is_program(flags.sides.front())) {
    return invalid_input("--reference takes one .pte program to hold against the reference");
  }
  if (flags.json)
    return invalid_input(
        "--reference prints a table; its numbers are in reference.json of the output folder");
  ETALON_TRY(const ReferenceOutcome outcome,
             compare_with_reference(flags.reference, request_of(flags, console)));
  console.print(outcome.text);
  console.note("\nwritten to " + outcome.run_dir);
  return kExitOk;
}

Result<int> run(const Flags& flags, const Console& console) {
  if (!flags.reference.empty()) return compare_reference(flags, console);
  const auto programs =
      static_cast<std::size_t>(std::count_if(flags.sides.begin(), flags.sides.end(), is_program));
  if (programs == flags.sides.size()) return compare_measured(flags, console);
  for (const std::string& side : flags.sides) {
    if (is_program(side)) {
      return invalid_input(
          fmt::format("{} is a program and the others are recorded; give programs only (they are measured "
                      "together), or run 'etalon profile {}' first",
                      side, side));
    }
  }
  return compare_existing(flags, console);
}

void declare_measuring(CLI::App& app, Flags& flags) {
  const char* group = "For programs, which are measured";
  CompareRequest& request = flags.measured;
  app.add_option("--engine", request.engines, "Engines: each is a run of its own")
      ->delimiter(',')
      ->group(group);
  app.add_option("--isa", request.isas, "Instruction sets: each is a run of its own")
      ->delimiter(',')
      ->group(group);
  app.add_option("--seconds", request.seconds, "Measuring time, about")
      ->check(CLI::Range(0.5, 86400.0))
      ->capture_default_str()
      ->group(group);
  app.add_option("--launches", request.launches,
                 "Processes of each run, instead of what fits into the seconds")
      ->check(CLI::Range(1U, 1000U))
      ->group(group);
  app.add_option("--input", request.inputs, "Input files, one per model input")->group(group);
  app.add_flag("--no-trace", flags.no_trace, "End to end only: operators are not recorded")->group(group);
  app.add_flag("--fresh", request.fresh, "Measure again what an earlier comparison finished")->group(group);
  app.add_option("--reference", flags.reference,
                 "Hold one program against this model: zoo:NAME, .pt2 or .pte")
      ->group(group);
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  flags->app = &app;
  app.add_option("sides", flags->sides,
                 "Programs (.pte), run folders, runs of them (DIR#NAME, DIR#NAME@t4), .etdump or "
                 "_samples.json files; "
                 "the first is the baseline")
      ->required();
  app.add_option("--threads", flags->measured.threads, "Threads: each number is a run of its own")
      ->delimiter(',')
      ->check(CLI::Range(1U, 1024U));
  app.add_option("--margin", flags->measured.margin, "A difference that does not matter, as a share")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  app.add_option("--operators", flags->operators, "Rows of the operator table")
      ->check(CLI::Range(1U, 10000U))
      ->capture_default_str();
  app.add_option("-o,--output-dir", flags->measured.output_dir,
                 "Where results go (default for programs: out_compare/<A>_vs_<B>)");
  app.add_flag("--fail-if-slower", flags->fail_if_slower, "Exit with 1 when a run is slower than the first");
  app.add_flag("--json", flags->json, "Machine output on stdout");
  declare_measuring(app, *flags);
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kCompareCommand;
const Command kCompareCommand = {"compare",
                                 "Is B faster than A, where, by how much, and does it compute the same?",
                                 "  etalon compare fp32.pte int8.pte\n"
                                 "  etalon compare model.pte --isa avx2,avx512 --threads 1,4\n"
                                 "  etalon compare out_model/runs/linux#off out_model/runs/linux#on\n"
                                 "  etalon compare before.etdump after.etdump\n"
                                 "  etalon compare mine.pte --reference zoo:mobilenet_v2",
                                 declare};

}  // namespace etalon::cli
