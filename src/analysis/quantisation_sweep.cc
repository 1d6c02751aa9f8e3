#include "analysis/quantisation_sweep.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "measure/bootstrap.h"
#include "measure/statistics.h"

namespace etalon::analysis {
namespace {

using measure::Claim;
using measure::Verdict;

// Closer than this, two SNRs are the same number: other samples would turn them around.
constexpr double kSameSnr = 0.1;

// Of b against a, for every pair a < b; all claims hold together.
using Pairs = std::vector<Verdict>;

std::size_t pair_index(std::size_t a, std::size_t b, std::size_t count) {
  return a * count - a * (a + 1) / 2 + (b - a - 1);
}

Result<Pairs> judge_pairs(const measure::Recording& recording,
                          const std::optional<measure::Control>& control) {
  std::vector<measure::PairedRatios> ratios;
  for (std::size_t a = 0; a < recording.arms.size(); ++a) {
    for (std::size_t b = a + 1; b < recording.arms.size(); ++b) {
      ETALON_TRY(measure::PairedRatios pair, measure::pair_arms(recording.arms[a], recording.arms[b]));
      ratios.push_back(std::move(pair));
    }
  }
  measure::JudgeOptions options;
  if (control) options = measure::with_control(options, *control);
  return measure::judge_family(ratios, measure::Family::kBenjaminiHochberg, options);
}

// What is known of x against y.
Claim claim_of(const Pairs& pairs, std::size_t count, std::size_t x, std::size_t y) {
  if (x == y) return Claim::kEquivalent;
  const Claim claim = pairs[pair_index(std::min(x, y), std::max(x, y), count)].claim;  // of the later one
  if (x > y || claim == Claim::kEquivalent || claim == Claim::kInconclusive) return claim;
  return claim == Claim::kFaster ? Claim::kSlower : Claim::kFaster;
}

double snr_of(const SweepCandidate& candidate) { return candidate.snr_db.value_or(-HUGE_VAL); }

bool dominates(const SweepCandidate& a, const SweepCandidate& b, Claim a_against_b) {
  const double snr_a = snr_of(a), snr_b = snr_of(b);
  const bool as_accurate = snr_a == snr_b || snr_a > snr_b - kSameSnr;
  const bool more_accurate = snr_a != snr_b && snr_a > snr_b + kSameSnr;
  if (a_against_b == Claim::kFaster) return as_accurate;
  return a_against_b == Claim::kEquivalent && more_accurate;
}

// Of the candidates that beat this one, the most accurate.
std::optional<std::size_t> dominator_of(const QuantisationSweep& sweep, const Pairs& pairs,
                                        std::size_t which) {
  std::optional<std::size_t> best;
  for (std::size_t other = 0; other < sweep.candidates.size(); ++other) {
    if (other == which) continue;
    const Claim claim = claim_of(pairs, sweep.candidates.size(), other, which);
    if (!dominates(sweep.candidates[other], sweep.candidates[which], claim)) continue;
    if (!best || snr_of(sweep.candidates[other]) > snr_of(sweep.candidates[*best])) best = other;
  }
  return best;
}

void put_latency(const measure::ArmSamples& arm, SweepCandidate& candidate) {
  const std::vector<double> runs = arm.runs_ms();
  if (runs.empty()) return;
  candidate.ms = measure::median(runs);
  std::vector<double> launches;
  for (const measure::LaunchRecord& launch : arm.launches) {
    measure::ArmSamples one;
    one.launches = {launch};
    const std::vector<double> times = one.runs_ms();
    if (!times.empty()) launches.push_back(measure::median(times));
  }
  constexpr std::size_t kFewest = 3;
  if (launches.size() < kFewest) return;
  candidate.ms_interval = measure::bootstrap_interval(
      launches, 0.95, [](std::span<double> values) { return measure::median_in_place(values); }, {});
}

// What the candidate loses, as a share of samples; nothing where outputs are no scores.
std::optional<double> drop_of(const QuantisationSweep& sweep, const SweepCandidate& candidate) {
  const double samples = static_cast<double>(sweep.samples);
  if (samples == 0) return std::nullopt;
  const SweepCandidate& reference = sweep.candidates.front();
  if (sweep.has_labels && reference.right && candidate.right)
    return (static_cast<double>(*reference.right) - static_cast<double>(*candidate.right)) / samples;
  if (candidate.agreeing) return 1 - static_cast<double>(*candidate.agreeing) / samples;
  return std::nullopt;
}

bool meets(const QuantisationSweep& sweep, const SweepCandidate& candidate) {
  if (sweep.criterion.min_snr_db && !(snr_of(candidate) >= *sweep.criterion.min_snr_db)) return false;
  if (!sweep.criterion.max_drop) return true;
  const std::optional<double> drop = drop_of(sweep, candidate);
  constexpr double kRounding = 1e-12;
  return drop && *drop <= *sweep.criterion.max_drop + kRounding;
}

void recommend(const Pairs& pairs, QuantisationSweep& sweep) {
  const std::size_t count = sweep.candidates.size();
  const auto shown_faster = [&](std::size_t i) {
    const SweepCandidate& candidate = sweep.candidates[i];
    return candidate.ms && candidate.verdict && candidate.verdict->claim == Claim::kFaster;
  };
  sweep.recommended.reset();
  std::optional<std::size_t> fastest;
  for (std::size_t i = 0; i < count; ++i) {
    sweep.candidates[i].meets_criterion = i == 0 || meets(sweep, sweep.candidates[i]);
    if (!sweep.candidates[i].meets_criterion || !shown_faster(i)) continue;
    if (!fastest || *sweep.candidates[i].ms < *sweep.candidates[*fastest].ms) fastest = i;
  }
  if (!fastest) {
    sweep.recommended = 0;
    sweep.why = fmt::format("nothing with {} was shown to be faster", criterion_text(sweep));
    return;
  }
  std::size_t best = *fastest;
  for (std::size_t i = 1; i < count; ++i) {
    const bool as_fast = claim_of(pairs, count, i, *fastest) == Claim::kEquivalent;
    const bool closer = snr_of(sweep.candidates[i]) > snr_of(sweep.candidates[best]) + kSameSnr;
    if (sweep.candidates[i].meets_criterion && shown_faster(i) && as_fast && closer) best = i;
  }
  sweep.recommended = best;
  sweep.why = fmt::format("the fastest with {}", criterion_text(sweep));
  if (best != *fastest)
    sweep.why =
        fmt::format("as fast as {}, {}, and more accurate", sweep.candidates[*fastest].name, sweep.why);
}

}  // namespace

Status judge_sweep(const measure::Recording& recording, const measure::Judgement& judgement,
                   QuantisationSweep& sweep) {
  if (recording.arms.size() != sweep.candidates.size()) {
    return invalid_input(fmt::format("{} arms were measured for {} candidates", recording.arms.size(),
                                     sweep.candidates.size()));
  }
  if (judgement.control.ran) sweep.control = judgement.control;
  for (std::size_t i = 0; i < recording.arms.size(); ++i) {
    put_latency(recording.arms[i], sweep.candidates[i]);
    if (i > 0 && i <= judgement.verdicts.size()) sweep.candidates[i].verdict = judgement.verdicts[i - 1];
  }
  ETALON_TRY(const Pairs pairs, judge_pairs(recording, sweep.control));
  for (std::size_t i = 0; i < sweep.candidates.size(); ++i)
    sweep.candidates[i].dominated_by = dominator_of(sweep, pairs, i);
  recommend(pairs, sweep);
  return {};
}

std::string criterion_text(const QuantisationSweep& sweep) {
  std::string text;
  if (sweep.criterion.min_snr_db) text = fmt::format("SNR of at least {:g} dB", *sweep.criterion.min_snr_db);
  if (sweep.criterion.max_drop) {
    text += fmt::format("{}at most {:g} % {}", text.empty() ? "" : ", ", 100 * *sweep.criterion.max_drop,
                        sweep.has_labels ? "fewer right classes than float" : "other classes than float");
  }
  return text.empty() ? "no demand on accuracy" : text;
}

}  // namespace etalon::analysis
