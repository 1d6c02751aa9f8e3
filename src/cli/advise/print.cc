#include "cli/advise/print.h"

#include <fmt/core.h>

#include "cli/advise/advisor.h"
#include "report/text.h"

namespace etalon::cli {

using analysis::AdviceOutcome;
using analysis::VerifiedAdvice;

std::string predicted(const std::optional<double>& low, const std::optional<double>& high) {
  if (!low || !high) return "no prediction";
  return fmt::format("predicted to save {} to {}", report::milliseconds(*low), report::milliseconds(*high));
}

std::string command_of(const analysis::Remedy& remedy) {
  if (!remedy.command.empty()) return remedy.command;
  return fmt::format("{} {}", analysis::remedy_kind_name(remedy.kind), remedy.value);
}

namespace {

std::string outcome_of(const VerifiedAdvice& advice, const Console& console) {
  const std::string name(analysis::advice_outcome_name(advice.outcome));
  if (advice.outcome == AdviceOutcome::kKept) return console.green(name);
  return (advice.outcome == AdviceOutcome::kRejected ? console.yellow(name) : console.dim(name)) + ": " + advice.reason;
}

}  // namespace

void print_advice(const VerifiedAdvice& advice, const Console& console) {
  console.print(fmt::format("  {}\n", outcome_of(advice, console)));
  console.print(fmt::format("      {} ({}): {}\n", command_of(advice.remedy), advice.rule, advice.subject));
  if (!advice.verdict) return;
  const bool loading = advice.remedy.kind == analysis::RemedyKind::kPrepack;
  console.print(fmt::format("      {}{} -> {}, {}; {}\n", loading ? "loading: " : "", report::milliseconds(advice.baseline_ms),
                            report::milliseconds(advice.candidate_ms), verdict_line(*advice.verdict),
                            predicted(advice.predicted_low_ms, advice.predicted_high_ms)));
  if (advice.accuracy_before && advice.accuracy_after) {
    console.print(fmt::format("      accuracy {} -> {}\n", report::percent(*advice.accuracy_before), report::percent(*advice.accuracy_after)));
  } else if (advice.relative_to_peak) {
    console.print(fmt::format("      outputs differ by {:.1e} of the largest{}\n", *advice.relative_to_peak,
                              advice.snr_db ? fmt::format(", {:.0f} dB", *advice.snr_db) : std::string()));
  }
}

}  // namespace etalon::cli
