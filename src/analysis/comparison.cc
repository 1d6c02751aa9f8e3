#include "analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "analysis/graph_matching.h"
#include "analysis/profile_dtype.h"
#include "analysis/waterfall.h"
#include "analysis/work_kind.h"

namespace etalon::analysis {
namespace {

using Rows = std::vector<std::size_t>;

double time_of(const Profile& profile, const Rows& rows, double scale) {
  double sum = 0;
  for (const std::size_t row : rows) sum += profile.operators[row].avg_ms * scale;
  return sum;
}

// The operator that gives a group its name: the product if there is one, else the one that takes longest.
const OperatorRow* main_row(const Profile& profile, const Rows& rows) {
  const OperatorRow* best = nullptr;
  bool best_is_product = false;
  for (const std::size_t index : rows) {
    const OperatorRow& row = profile.operators[index];
    const bool product = work_of(row).kind == WorkKind::kProduct;
    const bool better = best == nullptr || (product != best_is_product ? product : row.avg_ms > best->avg_ms);
    if (!better) continue;
    best = &row;
    best_is_product = product;
  }
  return best;
}

// "convolution + hardtanh", three at most.
std::string works_of(const Profile& profile, const Rows& rows) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> names;
  for (const std::size_t row : rows) {
    std::string name = operator_base_name(profile.operators[row].name);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) text += (i == 0 ? "" : " + ") + names[i];
  return names.size() > kMost ? text + " + ..." : text;
}

std::string label_of(const Profile& baseline, const Profile& candidate, const OperatorGroup& group) {
  const OperatorRow* before = main_row(baseline, group.baseline);
  const OperatorRow* after = main_row(candidate, group.candidate);
  for (const OperatorRow* row : {before, after}) {
    if (row == nullptr || !row->source || row->source->module.empty()) continue;
    const bool from_baseline = !group.baseline.empty();
    const std::string works =
        from_baseline ? works_of(baseline, group.baseline) : works_of(candidate, group.candidate);
    return row->source->module + " (" + works + ")";
  }
  const OperatorRow& named = before != nullptr ? *before : *after;
  const std::size_t others = std::max(group.baseline.size(), group.candidate.size()) - 1;
  return others == 0 ? named.name : named.name + " and " + std::to_string(others) + " more";
}

// Kernel and element type of everything in the group that computes; conversions come and go with the type.
std::set<std::string> kernels_in(const Profile& profile, const Rows& rows) {
  std::set<std::string> kernels;
  for (const std::size_t index : rows) {
    const OperatorRow& row = profile.operators[index];
    if (!row.kernel_hint.empty() && !can_be_fused(work_of(row)))
      kernels.insert(row.kernel_hint + row.isa + row.dtype);
  }
  return kernels;
}

bool kernel_changed(const Profile& baseline, const Profile& candidate, const OperatorGroup& group) {
  if (group.baseline.empty() || group.candidate.empty()) return false;
  const std::set<std::string> before = kernels_in(baseline, group.baseline);
  const std::set<std::string> after = kernels_in(candidate, group.candidate);
  if (!before.empty() && !after.empty()) return before != after;
  // Without names, another backend is other code.
  return main_row(baseline, group.baseline)->backend != main_row(candidate, group.candidate)->backend;
}

OperatorMatch match_of(const Profile& baseline, const Profile& candidate, const Scales& scales,
                       OperatorGroup group) {
  OperatorMatch match;
  match.kind = group.kind;
  match.label = label_of(baseline, candidate, group);
  const OperatorRow* before = main_row(baseline, group.baseline);
  match.category = (before != nullptr ? before : main_row(candidate, group.candidate))->category;
  match.baseline_ms = time_of(baseline, group.baseline, scales.baseline);
  match.candidate_ms = time_of(candidate, group.candidate, scales.candidate);
  match.delta_ms = match.candidate_ms - match.baseline_ms;
  match.kernel_changed = kernel_changed(baseline, candidate, group);
  match.baseline = std::move(group.baseline);
  match.candidate = std::move(group.candidate);
  return match;
}

bool below_resolution(const Profile& profile, const Rows& rows) {
  return std::all_of(rows.begin(), rows.end(),
                     [&](std::size_t row) { return profile.operators[row].below_resolution; });
}

// Operators that the clock cannot tell apart are judged together, by category.
std::vector<OperatorMatch> pooled(const Profile& baseline, const Profile& candidate,
                                  std::vector<OperatorMatch> matches) {
  std::vector<OperatorMatch> out;
  std::map<std::string, OperatorMatch> pools;
  for (OperatorMatch& match : matches) {
    const bool on_both = !match.baseline.empty() && !match.candidate.empty();
    if (!on_both ||
        (!below_resolution(baseline, match.baseline) && !below_resolution(candidate, match.candidate))) {
      out.push_back(std::move(match));
      continue;
    }
    const auto [place, fresh] = pools.try_emplace(match.category, std::move(match));
    if (fresh) continue;
    OperatorMatch& pool = place->second;
    pool.kind = std::max(pool.kind, match.kind);
    pool.baseline.insert(pool.baseline.end(), match.baseline.begin(), match.baseline.end());
    pool.candidate.insert(pool.candidate.end(), match.candidate.begin(), match.candidate.end());
    pool.baseline_ms += match.baseline_ms;
    pool.candidate_ms += match.candidate_ms;
    pool.delta_ms += match.delta_ms;
    pool.kernel_changed = pool.kernel_changed || match.kernel_changed;
  }
  for (auto& [category, pool] : pools) {
    const std::size_t count = std::max(pool.baseline.size(), pool.candidate.size());
    if (count > 1)
      pool.label = category + ": " + std::to_string(count) + " operators too short to time one by one";
    out.push_back(std::move(pool));
  }
  return out;
}

// Nothing when launches are missing or a clock read zero.
measure::PairedRatios ratios_of(const Profile& baseline, const Profile& candidate, const Scales& scales,
                                const OperatorMatch& match) {
  const std::vector<double> before = launch_sums(baseline, match.baseline, scales.baseline);
  const std::vector<double> after = launch_sums(candidate, match.candidate, scales.candidate);
  measure::PairedRatios ratios;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    if (before[i] > 0 && after[i] > 0) ratios.launches.push_back({std::log(after[i] / before[i])});
  }
  return ratios;
}

void judge_operators(const Profile& baseline, const Profile& candidate, const Scales& scales,
                     Comparison& comparison) {
  constexpr std::size_t kFewestLaunches = 3;
  std::vector<measure::PairedRatios> family;
  std::vector<OperatorMatch*> judged;
  for (OperatorMatch& match : comparison.operators) {
    measure::PairedRatios ratios = ratios_of(baseline, candidate, scales, match);
    ratios.interleaved = comparison.interleaved;
    if (ratios.launches.size() < kFewestLaunches) continue;
    family.push_back(std::move(ratios));
    judged.push_back(&match);
  }
  measure::JudgeOptions options;
  options.resamples = 500;  // p-values are exact without them, and a folder may hold dozens of comparisons
  const std::vector<measure::Verdict> verdicts =
      measure::judge_family(family, measure::Family::kBenjaminiHochberg, options);
  for (std::size_t i = 0; i < judged.size(); ++i) judged[i]->verdict = verdicts[i];
}

std::vector<CategoryChange> category_changes(const Profile& baseline, const Profile& candidate,
                                             const Scales& scales) {
  std::map<std::string, CategoryChange> changes;
  for (const CategoryRow& row : baseline.categories) {
    changes[row.name].baseline_ms = row.ms * scales.baseline;
    changes[row.name].baseline_share = row.share;
  }
  for (const CategoryRow& row : candidate.categories) {
    changes[row.name].candidate_ms = row.ms * scales.candidate;
    changes[row.name].candidate_share = row.share;
  }
  std::vector<CategoryChange> out;
  for (auto& [name, change] : changes) {
    change.name = name;
    out.push_back(std::move(change));
  }
  std::stable_sort(out.begin(), out.end(), [](const CategoryChange& a, const CategoryChange& b) {
    return std::abs(a.candidate_ms - a.baseline_ms) > std::abs(b.candidate_ms - b.baseline_ms);
  });
  return out;
}

// As compare_kernels(), by the operators that were matched instead of their names.
KernelComparison kernel_changes(const Profile& baseline, const Profile& candidate, const Scales& scales,
                                const std::vector<OperatorMatch>& matches) {
  KernelComparison out;
  std::map<std::pair<std::string, std::string>, KernelChange> changes;
  for (const OperatorMatch& match : matches) {
    const OperatorRow* before = main_row(baseline, match.baseline);
    const OperatorRow* after = main_row(candidate, match.candidate);
    const bool told_before = before != nullptr && !before->isa.empty();
    const bool told_after = after != nullptr && !after->isa.empty();
    if (!told_before || !told_after) {
      if (told_before || told_after) ++out.only_in_one;
      continue;
    }
    ++out.compared;
    if (before->kernel_hint == after->kernel_hint && before->isa == after->isa) continue;
    ++out.changed;
    KernelChange& change = changes[{before->kernel_hint, after->kernel_hint}];
    change.baseline_kernel = before->kernel_hint;
    change.candidate_kernel = after->kernel_hint;
    change.baseline_isa = before->isa;
    change.candidate_isa = after->isa;
    change.operators.push_back(after->name);
    change.baseline_ms += before->avg_ms * scales.baseline;
    change.candidate_ms += after->avg_ms * scales.candidate;
  }
  for (auto& [names, change] : changes) out.changes.push_back(std::move(change));
  std::stable_sort(out.changes.begin(), out.changes.end(), [](const KernelChange& a, const KernelChange& b) {
    return std::abs(a.candidate_ms - a.baseline_ms) > std::abs(b.candidate_ms - b.baseline_ms);
  });
  return out;
}

double matched_share_of(const std::vector<OperatorMatch>& matches) {
  double matched = 0;
  double all = 0;
  for (const OperatorMatch& match : matches) {
    const double time = match.baseline_ms + match.candidate_ms;
    all += time;
    if (!match.baseline.empty() && !match.candidate.empty()) matched += time;
  }
  return all > 0 ? matched / all : 0;
}

// Times of the comparison where it has them (a verdict's session), else those of the profiles.
double settle_time(double& told_ms, const Profile& profile) {
  const double own = profile.accounting.end_to_end_ms;
  if (told_ms <= 0) told_ms = own;
  return own > 0 ? told_ms / own : 1;
}

}  // namespace

std::string_view match_kind_name(MatchKind kind) {
  constexpr std::string_view kNames[] = {"source", "handle", "structure", "name", "removed", "added"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view step_kind_name(StepKind kind) {
  constexpr std::string_view kNames[] = {"kernel", "same kernel", "added",     "removed",
                                         "layout", "conversion",  "framework", "residual"};
  return kNames[static_cast<std::size_t>(kind)];
}

void compare_profiles(const Profile& baseline, const Profile& candidate, Comparison& comparison) {
  compare_profiles(baseline, nullptr, candidate, nullptr, comparison);
}

void compare_profiles(const Profile& baseline, const ModelFacts* baseline_facts, const Profile& candidate,
                      const ModelFacts* candidate_facts, Comparison& comparison) {
  comparison.baseline_dtype = dtype_of(baseline);
  comparison.candidate_dtype = dtype_of(candidate);
  const Scales scales{settle_time(comparison.baseline_ms, baseline),
                      settle_time(comparison.candidate_ms, candidate)};
  if (comparison.ratio <= 0 && comparison.baseline_ms > 0)
    comparison.ratio = comparison.candidate_ms / comparison.baseline_ms;
  comparison.categories = category_changes(baseline, candidate, scales);
  std::vector<OperatorMatch> matches;
  for (OperatorGroup& group : match_operators({baseline, baseline_facts}, {candidate, candidate_facts})) {
    matches.push_back(match_of(baseline, candidate, scales, std::move(group)));
  }
  comparison.matched_share = matched_share_of(matches);
  comparison.kernels = kernel_changes(baseline, candidate, scales, matches);
  comparison.waterfall =
      make_waterfall(baseline, candidate, scales, matches, comparison.candidate_ms - comparison.baseline_ms,
                     comparison.interleaved);
  comparison.operators = pooled(baseline, candidate, std::move(matches));
  judge_operators(baseline, candidate, scales, comparison);
  std::stable_sort(comparison.operators.begin(), comparison.operators.end(),
                   [](const OperatorMatch& a, const OperatorMatch& b) {
                     return std::abs(a.delta_ms) > std::abs(b.delta_ms);
                   });
}

}  // namespace etalon::analysis
