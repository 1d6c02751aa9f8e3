#include "report/report_testing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/profile_testing.h"

namespace etalon::report {
namespace {

using namespace analysis;

measure::Verdict verdict_of(measure::Claim claim, double ratio, double low, double high) {
  measure::Verdict verdict;
  verdict.claim = claim;
  verdict.ratio = ratio;
  verdict.interval.low = low;
  verdict.interval.high = high;
  verdict.equivalence_margin = 0.012;
  verdict.p_value = 0.0005;
  verdict.units = 12;
  verdict.launches = 12;
  verdict.blocks = 36;
  verdict.voided = 1;
  verdict.smallest_effect = 0.01;
  return verdict;
}

OperatorRow operator_of(const std::string& name, const std::string& category, double ms, double whole, bool fast) {
  OperatorRow row;
  row.name = name;
  row.op_type = "aten.convolution.default";
  row.category = category;
  row.backend = "XnnpackBackend";
  row.delegated = true;
  row.kernel_hint = fast ? "f32_igemm_minmax_ukernel_7x32__avx512f" : "f32_igemm_minmax_ukernel_5x16__avx2";
  row.isa = fast ? "avx512" : "avx2";
  row.wanted_isa = "avx512";
  row.isa_reason = fast ? "" : "the tile does not fit the channels";
  row.tile = fast ? "7x32" : "5x16";
  row.dtype = "F32";
  row.shape = "1x56x56x64 -> 1x56x56x128";
  row.calls = 1;
  row.kernel_threads = 1;
  row.avg_ms = row.median_ms = ms;
  row.traced_avg_ms = ms * 1.05;
  row.share = ms / whole;
  row.launch_ms = {ms * 0.99, ms, ms * 1.01};
  return row;
}

void add_work(OperatorRow& row, double flops, double bytes) {
  row.flops = flops;
  row.bytes = bytes;
  row.gflops_per_second = flops / row.avg_ms / 1e6;
  row.gbytes_per_second = bytes / row.avg_ms / 1e6;
  row.attainable_ms = std::max(flops / 262e6, bytes / 28e6);
  row.share_of_roof = *row.attainable_ms / row.avg_ms;
  row.bound = flops / 262e6 < bytes / 28e6 ? "memory" : "compute";
}

Ceilings ceilings_of_test() {
  Ceilings ceilings;
  ceilings.cpu = "Test CPU";
  ceilings.measured_at = "2026-01-01T00:00:00Z";
  ceilings.compute = {{"avx512", "float32", "fma", 1, 262}, {"avx2", "float32", "fma", 1, 131}, {"avx512", "int8", "vnni", 1, 1040}};
  ceilings.bandwidth = {{"L1", 1, 16384, 49152, 420, 300}, {"L2", 1, 524288, 1048576, 190, 120}, {"L3", 1, 8e6, 32e6, 90, 60}, {"memory", 1, 1e9, 0, 28, 20}};
  return ceilings;
}

Profile profile_of(const std::string& experiment, double speed, bool fast) {
  Profile profile;
  profile.name = experiment + ", 1 thread";
  profile.experiment = experiment;
  profile.threads = 1;
  profile.etdump = "runs/linux/" + experiment + "/net_" + experiment + "_t1.etdump";
  profile.event_rows = 26;
  profile.cold_runs = 1;
  profile.steady_runs = 20;
  profile.dtype = "float32";
  profile.has_record = profile.has_facts = true;
  profile.launch_runs = {10, 10};
  double sum = 0;
  const double whole = 3.2 * speed;
  const char* kinds[] = {"Convolution", "Convolution", "GEMM", "Elementwise", "Data Movement", "Other"};
  for (int i = 0; i < 24; ++i) {
    const double ms = whole * 0.16 * std::pow(0.86, i);
    const std::string kind = kinds[i % 6];
    OperatorRow row = operator_of(kind + " (NHWC, F32) #" + std::to_string(i + 1), kind, ms, whole, fast);
    row.instruction = i;
    row.nodes = {static_cast<std::size_t>(i)};
    row.below_resolution = i > 21;
    if (i % 3 != 2) add_work(row, 9e6 * ms * (1 + i % 5) / speed, 4e5 * (1 + i % 4) * ms);
    if (i % 2 == 0) row.source = Source{"model.py", 12 + i, "forward", "x = self.features(x)", "features." + std::to_string(i), "torch.nn.modules.conv.Conv2d"};
    sum += ms;
    auto category = std::find_if(profile.categories.begin(), profile.categories.end(), [&](const CategoryRow& c) { return c.name == kind; });
    if (category == profile.categories.end()) category = profile.categories.insert(profile.categories.end(), {kind, 0, 0, 0});
    category->ms += ms;
    category->share += ms / whole;
    ++category->operators;
    profile.operators.push_back(std::move(row));
  }
  profile.isas = {{fast ? "avx512" : "avx2", "avx512", fast ? "" : "the tile does not fit the channels", 24, sum}};
  profile.accounting = {sum, 0.05 * whole, 0.02 * whole, sum + 0.07 * whole, sum + 0.07 * whole, 1.05 * whole, 0.95, 0.05};
  profile.cold_ms = 2.2 * whole;
  profile.steady_ms = whole;
  profile.load_ms = 12.5;
  profile.memory = {14e6, 15e6, 4.8e6, 0.6e6, 52e6, 9e6};
  profile.trace_cost = TraceCost{52, 310};
  return profile;
}

RunResult result_of(const std::string& experiment, double median) {
  RunResult result;
  result.experiment = experiment;
  result.runner = "etalon-runner";
  result.engine = "native";
  result.isa = result.isa_wanted = experiment == "on" ? "avx512" : "avx2";
  result.runs = 40;
  for (int i = 0; i < 40; ++i) result.latency_ms.push_back(median * (1 + 0.01 * ((i * 7) % 11 - 5)));
  result.median_ms = result.mean_ms = median;
  result.min_ms = median * 0.95;
  result.max_ms = median * 1.05;
  result.p95_ms = median * 1.04;
  result.cv_percent = 3.1;
  result.first_ms = median * 2.2;
  result.load_ms = 12.5;
  result.peak_rss_bytes = 52e6;
  result.etdump = experiment + "/net_" + experiment + "_t1.etdump";
  result.samples = experiment + "/net_" + experiment + "_t1_samples.json";
  return result;
}

RunSamples samples_of(const RunResult& result) {
  measure::ArmSamples arm;
  arm.name = result.experiment;
  for (std::uint32_t l = 0; l < 4; ++l) {
    measure::LaunchRecord launch;
    launch.index = l;
    for (std::uint32_t b = 0; b < 3; ++b) {
      measure::Block block;
      block.index = b;
      block.disturbed = l == 2 && b == 1;
      block.voided = l == 1 && b == 0;
      for (int i = 0; i < 12; ++i) block.runs_ms.push_back(*result.median_ms * (1 + 0.02 * l + 0.01 * ((i * 7) % 11 - 5)) * (block.voided ? 1.4 : 1));
      launch.blocks.push_back(block);
    }
    arm.launches.push_back(launch);
  }
  RunSamples samples{run_name(result.experiment, 1), result.samples, {}};
  samples.recording.session = "s1";
  samples.recording.arms = {arm};
  samples.recording.control = {arm};
  return samples;
}

Comparison comparison_of(const Profile& before, const Profile& after) {
  Comparison row;
  row.label = "vector extension off and on";
  row.baseline = before.name;
  row.candidate = after.name;
  row.baseline_ms = before.accounting.end_to_end_ms;
  row.candidate_ms = after.accounting.end_to_end_ms;
  row.ratio = 0.58;
  row.verdict = verdict_of(measure::Claim::kFaster, 0.58, 0.561, 0.603);
  row.control = measure::Control{true, false, 0.004, 0.009, verdict_of(measure::Claim::kEquivalent, 1.001, 0.995, 1.006)};
  row.interleaved = true;
  row.matched_share = 0.97;
  for (std::size_t i = 0; i < before.categories.size(); ++i) {
    row.categories.push_back({before.categories[i].name, before.categories[i].ms, after.categories[i].ms, before.categories[i].share, after.categories[i].share});
  }
  const MatchKind kinds[] = {MatchKind::kSource, MatchKind::kHandle, MatchKind::kStructure, MatchKind::kName, MatchKind::kBaselineOnly, MatchKind::kCandidateOnly};
  for (std::size_t i = 0; i < 6; ++i) {
    OperatorMatch match;
    match.kind = kinds[i];
    match.label = "features." + std::to_string(i) + ".conv (" + before.operators[i].category + ")";
    match.category = before.operators[i].category;
    if (match.kind != MatchKind::kCandidateOnly) match.baseline = {i}, match.baseline_ms = before.operators[i].avg_ms;
    if (match.kind != MatchKind::kBaselineOnly) match.candidate = {i}, match.candidate_ms = after.operators[i].avg_ms;
    match.delta_ms = match.candidate_ms - match.baseline_ms;
    match.kernel_changed = i < 4;
    if (i < 4) match.verdict = verdict_of(i < 2 ? measure::Claim::kFaster : measure::Claim::kInconclusive, 0.6, 0.5, 0.7 + 0.2 * static_cast<double>(i));
    match.snr_db = i == 0 ? std::numeric_limits<double>::infinity() : 60.5;
    row.operators.push_back(match);
  }
  const double delta = row.candidate_ms - row.baseline_ms;
  row.waterfall = {{StepKind::kKernel, "Convolution: other kernels", "Convolution", delta * 0.7, measure::Interval{delta * 0.75, delta * 0.65}, 8},
                   {StepKind::kSameKernel, "GEMM: same kernels", "GEMM", delta * 0.2, {}, 4},
                   {StepKind::kLayout, "layout", "Data Movement", delta * 0.1, {}, 4},
                   {StepKind::kAdded, "added", "Other", 0.06, {}, 1},
                   {StepKind::kRemoved, "removed", "Elementwise", -0.05, {}, 1},
                   {StepKind::kConversion, "conversions", "Data Movement", 0.03, {}, 2},
                   {StepKind::kFramework, "framework", "", delta * 0.03, {}, 0},
                   {StepKind::kResidual, "residual", "", -0.04 - delta * 0.03, {}, 0}};
  row.kernels = compare_kernels(before, after);
  row.differs_in_kernels = true;
  row.outputs = {{"0", 1000, 1e-4, 2e-6, 92.5, 0.999999, true}};
  row.baseline_bytes = 52e6;
  row.candidate_bytes = 53e6;
  row.figures = {{"model file", "bytes", 14e6, 14e6}, {"load", "ms", 12.5, 11.5}, {"workspace", "bytes", {}, 6e5}};
  row.notes = {"one side has no export record"};
  return row;
}

void add_findings(Report& report) {
  std::size_t i = 0;
  for (const Rule* rule : all_rules()) {
    Finding finding;
    finding.rule = &rule->doc;
    finding.severity = static_cast<Severity>(i++ % 3);
    finding.profile = report.profiles[0].name;
    finding.subject = report.profiles[0].operators[i % 10].name;
    finding.evidence = {{"time", 0.42, "ms"}, {"share of the run", 0.21, "share"}, {"ratio", 3.5, "ratio"}, {"operators", 12, "count"}};
    finding.source = report.profiles[0].operators[0].source;
    finding.saving_low_ms = 0.1;
    finding.saving_high_ms = 0.4;
    if (i % 2 == 0) finding.remedy = {RemedyKind::kThreads, "2", "etalon run MODEL --threads 2"};
    report.findings.found.push_back(finding);
  }
  report.findings.not_evaluated = {{all_rules().front()->doc.id, report.profiles[0].name, "an export record (--etrecord)"}};
}

void add_advice(Report& report) {
  VerifiedAdvice kept;
  kept.rule = "wanted-kernel-not-chosen";
  kept.subject = "the model";
  kept.remedy = {RemedyKind::kIsa, "avx512", "etalon run MODEL --isa avx512"};
  kept.predicted_low_ms = 0.8;
  kept.predicted_high_ms = 1.6;
  kept.baseline_ms = 3.3;
  kept.candidate_ms = 1.9;
  kept.verdict = verdict_of(measure::Claim::kFaster, 0.58, 0.561, 0.603);
  kept.snr_db = 92;
  kept.outcome = AdviceOutcome::kKept;
  VerifiedAdvice rejected = kept;
  rejected.remedy = {RemedyKind::kDtype, "float16", "etalon export MODEL --dtype float16"};
  rejected.verdict = verdict_of(measure::Claim::kInconclusive, 0.99, 0.95, 1.04);
  rejected.accuracy_before = 0.75;
  rejected.accuracy_after = 0.71;
  rejected.outcome = AdviceOutcome::kRejected;
  rejected.reason = "the accuracy fell by more than 1 %";
  VerifiedAdvice skipped;
  skipped.rule = "cold-start";
  skipped.subject = "first inference";
  skipped.outcome = AdviceOutcome::kNotApplied;
  skipped.reason = "there is nothing that a program could apply";
  report.advice = {kept, rejected, skipped};
}

void add_timeline(Report& report) {
  formats::etdump::EtDump dump = dump_of({portable_run(5'000), portable_run(1'000)});
  report.timelines.push_back({report.profiles[0].name, make_timeline(dump, {})});
}

}  // namespace

Report rich_report() {
  Report report;
  report.run_dir = "runs/linux";
  report.model = "artifacts/net.pte";
  report.etrecord = "artifacts/net.pte.etrecord";
  report.ceilings = ceilings_of_test();
  report.profiles = {profile_of("off", 1, false), profile_of("on", 0.58, true)};
  Manifest& manifest = report.manifest;
  manifest.generated_at = "2026-01-01T00:00:00Z";
  manifest.status = "complete";
  manifest.tool = "etalon 0.1.0";
  manifest.config = {"config.json", "sha256:11", 812};
  manifest.model = {report.model, "sha256:22", 14'000'000};
  manifest.executorch = {true, "1.5.1+cpu", "abc"};
  manifest.device = {{"cpu", "Test CPU"}, {"kernel", "6.1"}, {"logical_cpus", "2"}};
  manifest.design = "interleaved";
  manifest.seed = 7;
  manifest.results = {result_of("off", 3.2), result_of("on", 1.86)};
  RunResult failed;
  failed.experiment = "broken";
  failed.status = "failed";
  failed.error = "the runner ended with 3";
  manifest.results.push_back(failed);
  report.samples = {samples_of(manifest.results[0]), samples_of(manifest.results[1])};
  for (const Profile& profile : report.profiles) {
    for (const CategoryRow& row : profile.categories) report.category_totals_ms[row.name] += row.ms;
  }
  report.kernel_hints = {{"avx512", 24}, {"avx2", 24}};
  report.comparisons = {comparison_of(report.profiles[0], report.profiles[1])};
  TableCell slow, quick;
  slow.levels = {"float32", "avx2"};
  slow.median_ms = 3.2;
  quick.levels = {"float32", "avx512"};
  quick.median_ms = 1.86;
  quick.p95_ms = 1.9;
  quick.first_ms = 4.1;
  quick.verdict = verdict_of(measure::Claim::kFaster, 0.58, 0.56, 0.6);
  report.table.emplace();
  report.table->factors = {"dtype", "isa"};
  report.table->cells = {slow, quick};
  ModelFacts facts;
  facts.path = report.model;
  facts.file_bytes = 14e6;
  facts.parameters = 3.5e6;
  facts.delegates = 1;
  facts.delegated_nodes = 24;
  report.facts = facts;
  report.notes = {"one note"};
  add_findings(report);
  add_advice(report);
  add_timeline(report);
  return report;
}

std::string hostile_name() {
  return "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> a|b`c*d[e](f)\n# g\r\n\x1b[31m,\"=x\" 'q' ${x} \\ &amp; \xff\xc3\xa9 \xe2\x80\xae\xf0\x9f\x90\x99 " +
         std::string(10'000, 'w');
}

Report hostile_report() {
  Report report = rich_report();
  const std::string name = hostile_name();
  report.model = report.run_dir = report.etrecord = name;
  report.manifest.model.path = report.manifest.config.path = name;
  report.manifest.device["cpu"] = name;
  report.manifest.device[name] = name;
  report.manifest.results[0].experiment = name;
  report.manifest.results[2].error = name;
  report.samples[0].run = name;
  report.samples[0].recording.arms[0].name = name;
  report.timelines[0].profile = name;
  for (TimelineRow& row : report.timelines[0].rows) row.name = row.type = row.backend = name;
  Profile& profile = report.profiles[0];
  profile.name = profile.experiment = name;
  profile.categories[0].name = name;
  profile.isas[0].reason = name;
  for (OperatorRow& row : profile.operators) {
    row.name = row.op_type = row.backend = row.kernel_hint = row.isa = row.isa_reason = row.dtype = row.shape = row.category = name;
    row.source = Source{name, 1, name, name, name, name};
  }
  Comparison& comparison = report.comparisons[0];
  comparison.label = comparison.baseline = comparison.candidate = name;
  comparison.waterfall[0].name = comparison.categories[0].name = comparison.operators[0].label = comparison.operators[0].category = name;
  comparison.outputs[0].output = comparison.figures[0].name = comparison.notes[0] = name;
  comparison.kernels.changes.push_back({name, name, name, name, {name}, 1, 2});
  for (Finding& finding : report.findings.found) {
    finding.profile = finding.subject = finding.remedy.command = name;
    finding.evidence[0].key = name;
    finding.source = profile.operators[0].source;
  }
  report.findings.not_evaluated[0].profile = report.findings.not_evaluated[0].needs = name;
  report.advice[0].subject = report.advice[0].remedy.command = report.advice[0].reason = name;
  report.table->factors[0] = report.table->cells[0].levels[0] = name;
  report.ceilings->compute[0].isa = report.ceilings->bandwidth[0].level = name;
  report.notes = {name};
  return report;
}

}  // namespace etalon::report
