// A few early layers decide how much memory the whole program plans for.
#include <algorithm>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinBytes = {"planned memory", 1024 * 1024, "bytes",
                                 "less is not worth a change of the model"};
constexpr Threshold kEarly = {"part of the instructions that is early", 0.34, "share", "the first third"};
constexpr Threshold kMinRatio = {"peak over the peak of the rest", 2, "ratio",
                                 "changing the early layers then halves it"};
constexpr std::size_t kFewestInstructions = 8;
constexpr const Threshold* kThresholds[] = {&kMinBytes, &kEarly, &kMinRatio};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kEarlyActivationMemory;
const Rule kEarlyActivationMemory = {
    .doc = {.id = "early-activation-memory",
            .detects = "activations of a few early layers are the peak of the planned memory",
            .why = "memory is planned for the worst moment; large images with many channels at the start set "
                   "it, and leave the "
                   "caches of the layers around them cold",
            .remedy = "lower the resolution or the channels of the first layers (a larger stride), or "
                      "delegate them as one part, "
                      "whose inner values are not planned",
            .confirm = "export with the change and compare planned memory, peak memory and time",
            .wrong_when = "memory is no concern, and the early layers are needed for accuracy",
            .needs = "live bytes of each instruction, from the program file"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

const NodeFacts* node_of(const ModelFacts& facts, std::int64_t instruction) {
  for (const NodeFacts& node : facts.nodes) {
    if (node.instruction == instruction) return &node;
  }
  return nullptr;
}

void check_facts(const Report& report, const ModelFacts& facts, Findings& findings) {
  const auto early = static_cast<std::size_t>(static_cast<double>(facts.memory.size()) * kEarly.value);
  double first = 0;
  double rest = 0;
  std::size_t peak_at = 0;
  for (std::size_t i = 0; i < facts.memory.size(); ++i) {
    const double live = facts.memory[i].live_bytes;
    if (i >= early)
      rest = std::max(rest, live);
    else if (live > first)
      first = live, peak_at = i;
  }
  if (first < kMinBytes.value || first < kMinRatio.value * rest) return;
  const NodeFacts* node = node_of(facts, facts.memory[peak_at].instruction);
  Profile program;
  program.name = facts.path;
  Finding finding = make_finding(kEarlyActivationMemory, Severity::kNote,
                                 report.profiles.empty() ? program : report.profiles[0],
                                 node == nullptr ? std::string("early layers") : node->op);
  finding.evidence = {{"peak in the first third", first, "bytes"},
                      {"peak of the rest", rest, "bytes"},
                      {"planned", facts.planned_bytes, "bytes"},
                      {"could be freed", first - rest, "bytes"},
                      {"instruction", static_cast<double>(facts.memory[peak_at].instruction), "count"}};
  findings.found.push_back(std::move(finding));
}

void check(const Report& report, Findings& findings) {
  if (report.facts && !report.facts->memory.empty()) {
    if (report.facts->memory.size() >= kFewestInstructions) check_facts(report, *report.facts, findings);
    return;
  }
  for (const Profile& profile : report.profiles) {
    findings.need(kEarlyActivationMemory.doc, profile,
                  "live bytes of each instruction, from the program file");
  }
}

}  // namespace
}  // namespace etalon::analysis
