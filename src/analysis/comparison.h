// Two runs side by side: the verdict, what changed by category and by operator, the waterfall that leads from
// one time to the other, the kernels, the numbers. Works when the graphs differ (fp32 against int8, portable
// against delegated, version against version): operators are matched by origin and data flow, not by name
// alone. Pure functions of their arguments, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/kernel_evidence.h"
#include "analysis/model_facts.h"
#include "analysis/profile.h"
#include "measure/verdict.h"

namespace etalon::analysis {

// How a group of operators of one run was recognised in the other.
enum class MatchKind : std::uint8_t {
  kSource,     // the same line and module of the model
  kHandle,     // the same debug handles
  kStructure,  // the same place in the data flow, of the same kind and shape
  kName,       // nothing but the name and the order
  kBaselineOnly,
  kCandidateOnly,
};
std::string_view match_kind_name(
    MatchKind kind);  // "source", "handle", "structure", "name", "removed", "added"

// One or several operators of the baseline and those of the candidate that do the same work.
struct OperatorMatch {
  MatchKind kind = MatchKind::kName;
  std::string label;  // for people: "features.3.conv (Convolution)", or the operator's name
  std::string category;
  std::vector<std::size_t> baseline;  // indices into Profile::operators
  std::vector<std::size_t> candidate;
  double baseline_ms = 0;
  double candidate_ms = 0;
  double delta_ms = 0;  // candidate - baseline
  bool kernel_changed = false;
  std::optional<measure::Verdict>
      verdict;                   // from interleaved traced launches; claims hold for all operators together
  std::optional<double> snr_db;  // of the candidate's output against the baseline's, where both were recorded
};

struct CategoryChange {
  std::string name;
  double baseline_ms = 0;
  double candidate_ms = 0;
  double baseline_share = 0;  // of the end to end, 0..1
  double candidate_share = 0;
};

enum class StepKind : std::uint8_t {
  kKernel,      // matched operators that another kernel computed
  kSameKernel,  // matched operators with the same kernel (or unknown kernels)
  kAdded,
  kRemoved,
  kLayout,      // transposes, copies, reshapes, on either side only
  kConversion,  // quantise, dequantise and casts, on either side only
  kFramework,   // dispatch and delegate boundaries
  kResidual,
};
std::string_view step_kind_name(StepKind kind);

// The difference, taken apart: steps add up to candidate - baseline exactly.
struct WaterfallStep {
  StepKind kind = StepKind::kKernel;
  std::string name;      // "Convolution: other kernels"
  std::string category;  // empty for framework and residual
  double delta_ms = 0;
  // 95 %, where both runs have several traced launches.
  std::optional<measure::Interval> interval_ms;
  std::size_t operators = 0;
};

// Outputs of the two models on the same input.
struct OutputDifference {
  std::string output;  // "0"
  std::size_t values = 0;
  double max_abs = 0;
  double relative_to_peak = 0;  // max_abs over the largest magnitude of the baseline
  double snr_db = 0;            // of the baseline's power over the difference's; infinite when equal
  double cosine = 1;
  std::optional<bool> same_top1;
};

// What both programs compute inside under one name, on the same input.
struct LayerDifference {
  OutputDifference difference;  // `output` is the name of the value: "conv2d_5"
  std::string baseline_op;      // "Conv2d", "aten::convolution.out"
  std::string candidate_op;
};

// A number of the whole run besides its time: "model file", "peak memory", "load".
struct FigureChange {
  std::string name;
  std::string unit;  // "bytes", "ms"
  std::optional<double> baseline;
  std::optional<double> candidate;
};

struct Comparison {
  std::string label;
  std::string baseline;  // "off, 1 thread"
  std::string candidate;
  std::string baseline_dtype;  // "float32", "int8": of most of the work; empty: unknown
  std::string candidate_dtype;
  double baseline_ms = 0;  // medians of untraced runs
  double candidate_ms = 0;
  double ratio = 0;  // candidate / baseline: the verdict's where there is one, else of medians
  std::optional<measure::Verdict> verdict;
  std::optional<measure::Control> control;  // the A/A control of the session
  bool interleaved = false;  // else the runs were made at different times, and the verdict is wider
  std::vector<CategoryChange> categories;  // largest change first
  std::vector<OperatorMatch> operators;    // largest |delta| first
  std::vector<WaterfallStep> waterfall;    // largest |delta| first, framework and residual last
  double matched_share = 0;                // of both runs' operator time that was matched, 0..1
  KernelComparison kernels;                // where both runs tell theirs
  bool differs_in_kernels = false;  // the experiments ask for other instruction sets, engines or runners
  std::vector<OutputDifference> outputs;
  std::vector<LayerDifference> layers;   // in the order of execution; errors of the layers before are in them
  std::optional<double> baseline_bytes;  // model files, memory: "peak RSS"
  std::optional<double> candidate_bytes;
  std::vector<FigureChange> figures;  // what at least one side tells
  std::vector<std::string> notes;     // what could not be compared and why, one line each
};

// One run in a table of many, as dtype x ISA x threads x backend.
struct TableCell {
  std::string run;                  // its name, for people
  std::vector<std::string> levels;  // one per factor
  double median_ms = 0;
  std::optional<double> p95_ms;
  std::optional<double> first_ms;
  std::optional<measure::Verdict> verdict;  // against the first cell
};

// Two factors together do something else than each alone: 4 threads help less with the wider instruction set.
struct Interaction {
  std::string first;         // factor: "isa"
  std::string second;        // "threads"
  std::string first_level;   // "avx512", against the level of the first cell
  std::string second_level;  // "4"
  double expected_ms = 0;    // if the factors multiplied
  double measured_ms = 0;
};

struct FactorTable {
  std::vector<std::string> factors;  // those that differ: "dtype", "isa", "threads", "backend", "engine"
  std::vector<TableCell> cells;
  std::vector<Interaction> interactions;  // the largest first; differences of less than 5 % are left out
};

// Fills categories, operators, waterfall, kernels and matched_share. Profiles are scaled to baseline_ms and
// candidate_ms where these are set, and give them where they are not.
void compare_profiles(const Profile& baseline, const Profile& candidate, Comparison& comparison);

// With the facts of the programs that ran, either may be null: operators are also matched by handles and data
// flow.
void compare_profiles(const Profile& baseline, const ModelFacts* baseline_facts, const Profile& candidate,
                      const ModelFacts* candidate_facts, Comparison& comparison);

}  // namespace etalon::analysis
