#include "analysis/rules/rule_cases.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace etalon::analysis {
namespace {

constexpr double kFlopsPerMs = 1e8;
constexpr double kBytesPerMs = 1e7;

// A convolution of a delegate near the roofline, with its node in the facts.
OperatorRow delegated_row(std::size_t index, const std::string& label, const std::string& category, double ms,
                          const std::string& dtype) {
  OperatorRow row = op(fmt::format("{} #{}", label, index + 1), category, ms);
  row.delegated = true;
  row.backend = "XnnpackBackend";
  row.instruction = 0;
  row.order = index;
  row.dtype = dtype;
  row.kernel_hint = dtype == "F16"   ? "f16_gemm_ukernel"
                    : dtype == "QC8" ? "qs8_gemm_ukernel"
                                     : "f32_gemm_ukernel";
  row.isa = row.wanted_isa = "avx512";
  row.nodes = {index};
  row.flops = ms * kFlopsPerMs;
  row.bytes = ms * kBytesPerMs;
  row.attainable_ms = ms * 0.75;
  row.share_of_roof = 0.75;
  row.bound = "compute";
  return row;
}

constexpr std::size_t kConvolutions = 12;

Profile healthy_profile(const std::string& experiment, std::uint32_t threads, double scale,
                        const std::string& dtype, const std::string& label_dtype) {
  std::vector<OperatorRow> rows;
  for (std::size_t i = 0; i < kConvolutions; ++i) {
    rows.push_back(
        delegated_row(i, "Convolution (NHWC, " + label_dtype + ") IGEMM", "Convolution", scale, label_dtype));
  }
  rows.push_back(delegated_row(kConvolutions, "Fully Connected (NC, " + label_dtype + ") GEMM", "GEMM", scale,
                               label_dtype));
  rows.push_back(delegated_row(kConvolutions + 1, "Softmax (NC, " + label_dtype + ")", "Other", scale / 10,
                               label_dtype));
  Profile profile = profile_of(std::move(rows), scale / 20, scale / 20);
  profile.name = run_name(experiment, threads);
  profile.experiment = experiment;
  profile.threads = threads;
  profile.dtype = dtype;
  profile.has_facts = true;
  profile.accounting.untraced_ms = profile.accounting.end_to_end_ms;
  profile.accounting.trace_overhead = 0.02;
  profile.cold_ms = profile.accounting.end_to_end_ms * 1.3;
  profile.steady_ms = profile.accounting.end_to_end_ms;
  profile.load_ms = 20;
  profile.memory = {8e6, 8e6, 2e6, 1e6, 20e6, 8e6};
  return profile;
}

ModelFacts healthy_facts() {
  ModelFacts facts;
  facts.path = "model.pte";
  facts.planned_bytes = 2e6;
  for (std::size_t i = 0; i <= kConvolutions + 1; ++i) {
    NodeFacts node;
    node.op = i < kConvolutions ? "Conv2d" : i == kConvolutions ? "FullyConnected" : "Softmax";
    node.node = static_cast<std::int64_t>(i);
    node.dtype = "float32";
    node.flops = kFlopsPerMs;
    node.padded_flops = kFlopsPerMs;
    node.read_bytes = node.written_bytes = kBytesPerMs / 2;
    node.reads = {static_cast<std::int64_t>(i)};
    node.writes = {static_cast<std::int64_t>(i) + 1};
    facts.nodes.push_back(std::move(node));
    facts.memory.push_back({static_cast<std::int64_t>(i), 2e6});
  }
  return facts;
}

void add_result(const Profile& profile, std::uint32_t threads, double ms, Report& report) {
  RunResult result;
  result.experiment = profile.experiment;
  result.threads = threads;
  result.engine = "native";
  result.isa = "avx512";
  result.median_ms = ms;
  result.p95_ms = ms * 1.05;
  result.cv_percent = 3;
  report.manifest.results.push_back(std::move(result));
}

void add_comparison(const Profile& baseline, const Profile& candidate, Report& report) {
  Comparison comparison;
  comparison.baseline = baseline.name;
  comparison.candidate = candidate.name;
  comparison.label = candidate.name + " against " + baseline.name;
  comparison.baseline_dtype = baseline.dtype;
  comparison.candidate_dtype = candidate.dtype;
  comparison.baseline_ms = baseline.accounting.end_to_end_ms;
  comparison.candidate_ms = candidate.accounting.end_to_end_ms;
  comparison.ratio = comparison.candidate_ms / comparison.baseline_ms;
  comparison.interleaved = true;
  comparison.kernels.compared = comparison.kernels.changed = kConvolutions;
  comparison.differs_in_kernels = true;
  measure::Verdict& verdict = comparison.verdict.emplace();
  verdict.claim = measure::Claim::kFaster;
  verdict.ratio = comparison.ratio;
  verdict.interval = {comparison.ratio * 0.98, comparison.ratio * 1.02};
  verdict.blocks = 36;
  measure::Control& control = comparison.control.emplace();
  control.ran = true;
  control.noise_floor = 0.004;
  report.comparisons.push_back(std::move(comparison));
}

}  // namespace

Findings evaluate(const Report& report) {
  Findings findings;
  for (const Profile& profile : report.profiles) check_rules(profile, findings);
  for (const Comparison& comparison : report.comparisons) check_comparison_rules(comparison, findings);
  check_report_rules(report, findings);
  return findings;
}

std::vector<Finding> found_by(std::string_view rule, const Report& report) {
  std::vector<Finding> found;
  for (Finding& finding : evaluate(report).found) {
    if (finding.rule->id == rule) found.push_back(std::move(finding));
  }
  return found;
}

OperatorRow op(const std::string& name, const std::string& category, double ms) {
  OperatorRow row;
  row.name = name;
  row.op_type = operator_base_name(name) + ".out";
  row.category = category;
  row.backend = "portable";
  row.delegated = name.find(" (N") != std::string::npos;
  row.calls = 1;
  row.avg_ms = row.median_ms = ms;
  return row;
}

Profile profile_of(std::vector<OperatorRow> operators, double framework_ms, double residual_ms) {
  Profile profile;
  profile.name = "test";
  profile.experiment = "test";
  Accounting& account = profile.accounting;
  for (const OperatorRow& row : operators) account.operators_ms += row.avg_ms;
  account.framework_ms = framework_ms;
  account.residual_ms = residual_ms;
  account.end_to_end_ms = account.operators_ms + framework_ms + residual_ms;
  account.traced_ms = account.end_to_end_ms;
  std::map<std::string, CategoryRow> categories;
  for (OperatorRow& row : operators) {
    row.share = account.end_to_end_ms > 0 ? row.avg_ms / account.end_to_end_ms : 0;
    CategoryRow& category = categories[row.category];
    category.name = row.category;
    category.ms += row.avg_ms;
    category.share += row.share;
    ++category.operators;
  }
  for (const auto& [name, row] : categories) profile.categories.push_back(row);
  std::stable_sort(profile.categories.begin(), profile.categories.end(),
                   [](const CategoryRow& a, const CategoryRow& b) { return a.ms > b.ms; });
  std::stable_sort(operators.begin(), operators.end(),
                   [](const OperatorRow& a, const OperatorRow& b) { return a.avg_ms > b.avg_ms; });
  profile.operators = std::move(operators);
  return profile;
}

Report report_of(Profile profile) {
  Report report;
  report.profiles.push_back(std::move(profile));
  return report;
}

Report report_of(std::vector<OperatorRow> operators) { return report_of(profile_of(std::move(operators))); }

Report healthy_report() {
  Report report;
  report.model = "model.pte";
  report.manifest.device = {
      {"logical_cpus", "2"},
      {"cpu_features", "sse2 avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512_vnni"}};
  report.facts = healthy_facts();
  report.profiles = {healthy_profile("default", 1, 1.0, "float32", "F32"),
                     healthy_profile("default", 2, 0.55, "float32", "F32"),
                     healthy_profile("fp16", 1, 0.7, "float16", "F16"),
                     healthy_profile("int8", 1, 0.4, "int8", "QC8")};
  for (const Profile& profile : report.profiles) {
    const double ms = profile.accounting.end_to_end_ms;
    add_result(profile, profile.threads, ms, report);
    if (profile.experiment != "default") add_result(profile, 2, ms * 0.55, report);
  }
  add_comparison(report.profiles[0], report.profiles[2], report);
  add_comparison(report.profiles[0], report.profiles[3], report);
  return report;
}

Report healthy_report_with(const std::vector<OperatorRow>& more) {
  Report report = healthy_report();
  Profile& profile = report.profiles[0];
  std::vector<OperatorRow> rows = profile.operators;
  rows.insert(rows.end(), more.begin(), more.end());
  Profile longer =
      profile_of(std::move(rows), profile.accounting.framework_ms, profile.accounting.residual_ms);
  profile.operators = std::move(longer.operators);
  profile.categories = std::move(longer.categories);
  profile.accounting.operators_ms = longer.accounting.operators_ms;
  profile.accounting.end_to_end_ms = longer.accounting.end_to_end_ms;
  return report;
}

Report empty_report() {
  Profile nothing;
  nothing.name = "test";
  return report_of(std::move(nothing));
}

}  // namespace etalon::analysis
