// Weights are in memory as the file has them and as kernels want them.
#include <algorithm>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinWeights = {"weights in the program", 32.0 * 1024 * 1024, "bytes",
                                   "below, a process has larger things to free"};
constexpr Threshold kMinPackedShare = {"packed copies over weights", 0.5, "ratio",
                                       "half of them is worth looking at"};
constexpr Threshold kMinResident = {"part of both copies that is resident", 0.9, "share",
                                    "pages that were never touched, and rounding"};
constexpr const Threshold* kThresholds[] = {&kMinWeights, &kMinPackedShare, &kMinResident};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kWeightsResidentTwice;
const Rule kWeightsResidentTwice = {
    .doc =
        {.id = "weights-resident-twice",
         .detects = "weights are in memory twice: as the file has them, and packed for the kernels",
         .why = "the second copy is paid in memory for the life of the process, and in time while loading",
         .remedy = "keep packed weights in a file that is mapped (`etalon prepack`), so that the originals "
                   "are never read",
         .confirm = "prepack, and compare peak memory and the time to load of fresh processes",
         .wrong_when =
             "the originals lie in pages that the system may drop at any time, as those of a mapped file",
         .needs =
             "the memory of the process by cause: weights, packed weights, resident before and at the peak"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  const MemoryLedger& memory = profile.memory;
  if (!memory.weights || !memory.packed_weights || !memory.peak_rss || !memory.baseline_rss) {
    findings.need(kWeightsResidentTwice.doc, profile,
                  "weights, packed weights and resident memory before and at the peak");
    return;
  }
  const double packed = *memory.packed_weights;
  const double grown = *memory.peak_rss - *memory.baseline_rss;
  const double others = memory.activations.value_or(0) + memory.workspace.value_or(0);
  const double both = *memory.weights + packed;
  if (*memory.weights < kMinWeights.value || packed < kMinPackedShare.value * *memory.weights) return;
  if (grown - others < kMinResident.value * both) return;
  Finding finding = make_finding(kWeightsResidentTwice, Severity::kAdvice, profile, "weights");
  finding.evidence = {{"weights", *memory.weights, "bytes"},
                      {"packed weights", packed, "bytes"},
                      {"memory that the model added", grown, "bytes"},
                      {"could be freed", std::min(*memory.weights, packed), "bytes"}};
  finding.remedy = {RemedyKind::kPrepack, "", "etalon prepack MODEL"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
