// Two experiments ask for other kernels, and the same ones ran.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

void check(const Comparison& comparison, Findings& findings);

}  // namespace

extern const Rule kUnchangedKernels;
const Rule kUnchangedKernels = {
    .doc =
        {.id = "unchanged-kernels",
         .detects = "an on / off experiment in which no kernel changed",
         .why =
             "both sides ran the same code, so that any difference between them is noise, whatever its size",
         .remedy = "look why the wanted kernels were refused (the column `reason` of _kernels.csv): an "
                   "instruction set that "
                   "this CPU lacks, a data type or a shape that has no such kernel; or compare on another "
                   "device or model",
         .confirm = "run `etalon inspect MODEL --isa NAME` for both sides and see where the kernels differ",
         .wrong_when = "the experiments differ in something else as well, such as the number of threads or "
                       "the environment",
         .needs = "the kernels of both runs"},
    .check_comparison = check};

namespace {

void check(const Comparison& comparison, Findings& findings) {
  if (!comparison.differs_in_kernels) return;
  const KernelComparison& kernels = comparison.kernels;
  if (kernels.compared == 0) {
    findings.not_evaluated.push_back(
        {kUnchangedKernels.doc.id, comparison.label, "the kernels of both runs"});
    return;
  }
  if (kernels.changed > 0 || kernels.only_in_one > 0) return;
  Profile compared;
  compared.name = comparison.label;
  Finding finding = make_finding(kUnchangedKernels, Severity::kWarning, compared,
                                 comparison.baseline + " and " + comparison.candidate);
  finding.evidence = {{"operators with the same kernel", static_cast<double>(kernels.compared), "count"},
                      {"operators with another kernel", 0, "count"},
                      {"ratio of medians", comparison.ratio, "ratio"}};
  finding.remedy = {RemedyKind::kNone, "", "etalon inspect MODEL --isa NAME"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
