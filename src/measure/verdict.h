// Verdicts: is the candidate faster, slower, or the same, by how much, and how sure is that?
//
// What is judged are logarithms of ratios, one per block: log(median of the candidate's runs / median of the
// baseline's), both taken in the same few hundred milliseconds. The unit of the statistics is the process
// launch (the median of its blocks), since blocks of one pair of processes share the luck of its memory
// layout; see docs/adr/0008. Everything here is a function of the samples and a seed, and touches no clock.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/multiplicity.h"
#include "measure/samples.h"
#include "measure/signed_rank.h"

namespace etalon::measure {

enum class Claim : std::uint8_t { kFaster, kSlower, kEquivalent, kInconclusive };
std::string_view claim_name(Claim claim);  // "faster", "slower", "equivalent", "inconclusive"

enum class Unit : std::uint8_t {
  kLaunch,
  kBlock,  // fewer than three launches: differences between processes are not covered
};
std::string_view unit_name(Unit unit);  // "launch", "block"

// Log ratios, candidate over baseline, of one launch after the other.
struct PairedRatios {
  std::vector<std::vector<double>> launches;
  std::size_t voided = 0;     // blocks that were repeated
  std::size_t disturbed = 0;  // blocks that count although the sentinel deviated
  std::size_t unsteady = 0;   // warm-ups, of either arm, that ended without a steady state
  bool interleaved = true;    // both arms are of one session

  std::size_t blocks() const;
};

// Pairs blocks by launch and index. Errors (kInvalidInput): no block in common.
Result<PairedRatios> pair_arms(const ArmSamples& baseline, const ArmSamples& candidate);

// Of two sessions, or two files whose sessions are unknown: launch i against launch i, which carries whatever
// changed between the sessions. Errors: one of them holds no runs.
Result<PairedRatios> pair_sessions(const ArmSamples& baseline, const ArmSamples& candidate);

struct JudgeOptions {
  double alpha = 0.05;
  double equivalence_alpha = 0.05;  // of each of the two tests behind "equivalent"
  double margin = 0.01;             // smaller differences, as |log ratio|, do not matter to the user
  double noise_floor = 0;      // |log ratio| by which identical arms differed; 0: the A/A control was silent
  double smallest_effect = 0;  // that can be seen, from the A/A control; widens "equivalent", up to 5 %
  std::uint64_t seed = 1;
  std::size_t resamples = 2000;
};

// What a difference between two sessions must exceed before it is believed: consecutive runs of identical
// code differed by up to 1.35 % in 95 of 100 trials, but by 12.9 % in the worst.
inline constexpr double kSessionMargin = 0.05;
inline constexpr double kLargestEquivalence = 0.05;

struct Verdict {
  Claim claim = Claim::kInconclusive;
  double ratio = 1;   // candidate / baseline, Hodges-Lehmann over units
  Interval interval;  // of the ratio, at `confidence`; 0 and infinity when nothing can be said
  double confidence = 0.95;
  Interval equivalence_interval;  // of the ratio, at 1 - 2 alpha: inside the margin means "equivalent"
  double equivalence_margin = 0;  // as a ratio minus 1: 0.012 is 1.2 %
  double p_value = 1;             // two-sided; adjusted in a family

  // What it rests on.
  Unit unit = Unit::kLaunch;
  std::size_t units = 0;
  std::size_t launches = 0;
  std::size_t blocks = 0;
  std::size_t voided = 0;
  std::size_t disturbed = 0;
  std::size_t unsteady = 0;
  double deviation = 0;        // robust standard deviation of the units, as log ratio
  double smallest_effect = 0;  // as a ratio minus 1, that this many units show with 90 % power
  bool interleaved = true;
  bool control_alarmed = false;  // identical arms differed; the claim clears their difference

  // Inconclusive: how many launches in all would settle it, if the spread stays; 0: more than 1000.
  std::size_t launches_needed = 0;
};

Verdict judge(const PairedRatios& ratios, const JudgeOptions& options = {});

// Many comparisons at once (one per operator): claims hold for the family, and the intervals are widened to
// match.
std::vector<Verdict> judge_family(std::span<const PairedRatios> comparisons, Family family,
                                  const JudgeOptions& options = {});

// The A/A control: arm 0 against itself.
struct Control {
  bool ran = false;
  bool alarmed = false;    // identical code looked different
  double noise_floor = 0;  // ratio minus 1: the most by which identical code may differ, with 95 % confidence
  double smallest_effect = 0;  // ratio minus 1: what the planned launches show with 90 % power
  Verdict verdict;
};
Control judge_control(const PairedRatios& ratios, std::size_t planned_launches,
                      const JudgeOptions& options = {});

// The options with what the control taught.
JudgeOptions with_control(const JudgeOptions& options, const Control& control);

// Everything a recording says: the control, and a verdict of each arm against the first. This is what a
// session ends with, and what recomputes its verdicts from the file. When the recording was to be looked at
// several times, the levels are those of the look it has reached. With `family`, the arms are judged as one.
// Errors: fewer than two arms, arms without a block in common.
struct Judgement {
  Control control;
  std::vector<Verdict> verdicts;  // of arms 1, 2, ...
};
struct RecordingOptions {
  JudgeOptions judge;
  std::optional<Family> family;
};
Result<Judgement> judge_recording(const Recording& recording, const RecordingOptions& options = {});

}  // namespace etalon::measure
