#include "analysis/run_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "analysis/content_hash.h"
#include "analysis/kernel_log.h"
#include "analysis/node_matching.h"
#include "analysis/report_comparisons.h"
#include "analysis/roofline.h"
#include "analysis/run_samples.h"
#include "base/file.h"
#include "formats/etrecord/etrecord.h"

namespace etalon::analysis {
namespace {

using formats::etdump::EtDumpView;

constexpr std::string_view kEtdumpSuffix = ".etdump";

Result<SourceMap> read_record(const std::string& path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(const formats::etrecord::EtRecord record, formats::etrecord::decode(file.bytes()), path);
  return SourceMap(record);
}

// A record that was asked for must be read; one that merely lies beside the model may be missing or foreign.
Result<SourceMap> sources_for(const ReportOptions& options, Report& report) {
  if (!options.etrecord.empty()) {
    report.etrecord = options.etrecord;
    return read_record(options.etrecord);
  }
  const std::string beside = report.model + ".etrecord";
  if (report.model.empty() || !file_exists(beside)) {
    report.notes.push_back("no export record: operators are shown without their place in the model's source");
    return SourceMap();
  }
  Result<SourceMap> sources = read_record(beside);
  if (sources.ok()) {
    report.etrecord = beside;
    return sources;
  }
  report.notes.push_back("the export record is left out: " + sources.error().message());
  return SourceMap();
}

ProfileOptions options_of(const RunResult& result) {
  ProfileOptions options;
  if (!result.timing_was_traced && result.mode == "timing") {
    options.untraced_ms = result.median_ms;
    options.first_untraced_ms = result.first_ms;
    options.traced_ms = result.traced_ms;
    options.traced_median_ms = result.traced_median_ms;
  }
  options.load_ms = result.load_ms;
  if (result.traced_warmup) options.warmup_runs = static_cast<std::size_t>(*result.traced_warmup);
  for (const std::uint64_t runs : result.traced_launch_runs) options.launch_runs.push_back(static_cast<std::size_t>(runs));
  return options;
}

MemoryLedger memory_of(const RunResult& result, const std::optional<ModelFacts>& facts) {
  MemoryLedger ledger;
  if (facts) {
    ledger.weights = facts->constant_bytes + facts->delegate_bytes;
    ledger.activations = facts->planned_bytes;
  }
  if (result.planned_bytes) ledger.activations = result.planned_bytes;
  ledger.packed_weights = result.packed_weights_bytes;
  ledger.workspace = result.workspace_bytes;
  ledger.peak_rss = result.peak_rss_bytes;
  ledger.baseline_rss = result.baseline_rss_bytes;
  return ledger;
}

// XNNPACK's profile: what its numbers cannot say.
void add_resolution_note(const Profile& profile, Report& report) {
  if (!profile.microsecond_events) return;
  std::size_t below = 0;
  for (const OperatorRow& row : profile.operators) below += row.below_resolution ? 1 : 0;
  report.notes.push_back(fmt::format("{}: its delegates report whole microseconds, laid end to end: {} operators shorter than "
                                     "20 us are not resolved, and what their sum lacks of the call counts as framework",
                                     profile.name, below));
}

// What a recording ran.
struct Program {
  SourceMap sources;
  std::optional<ModelFacts> facts;
};

Status add_profile(const std::string& path, const RunResult& result, const Program& program,
                   const Taxonomy& taxonomy, const ReportOptions& options, Report& report) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(const EtDumpView dump, EtDumpView::open(file.bytes()), path);
  const SourceMap& sources = program.sources;
  ETALON_TRY(Profile profile, make_profile(dump, sources, taxonomy, options_of(result)), path);
  profile.experiment = result.experiment;
  profile.threads = result.threads;
  profile.name = run_name(result.experiment, result.threads);
  profile.etdump = path;
  if (program.facts) {
    for (std::string& note : attach_facts(*program.facts, sources, profile)) report.notes.push_back(std::move(note));
  }
  profile.memory = memory_of(result, program.facts);
  if (options.on_recording) ETALON_CHECKED(options.on_recording(profile, dump, sources));
  if (profile.unusable_events > 0) {
    report.notes.push_back(
        fmt::format("{}: {} events end before they start and are left out", path, profile.unusable_events));
  }
  add_resolution_note(profile, report);
  report.profiles.push_back(std::move(profile));
  return {};
}

// Of the program that was run, not of one that took its place; otherwise a note says why there are none.
std::optional<ModelFacts> facts_of(const std::string& path, const std::string& hash, const ReportOptions& options, Report& report) {
  if (!options.read_facts || path.empty()) return std::nullopt;
  if (!file_exists(path)) {
    report.notes.push_back(path + " is not there any more: shapes, arithmetic and ceilings are not shown");
    return std::nullopt;
  }
  if (!hash.empty()) {
    const auto found = hash_file(path);
    if (!found.ok() || *found != hash) {
      report.notes.push_back(path + " has changed since the run: shapes, arithmetic and ceilings are not shown");
      return std::nullopt;
    }
  }
  Result<ModelFacts> facts = options.read_facts(path);
  if (facts.ok()) return std::move(facts).value();
  report.notes.push_back("the program is left out: " + facts.error().message());
  return std::nullopt;
}

// The program of a result that did not run that of the folder.
Program other_program(const RunResult& result, const ReportOptions& options, Report& report) {
  Program program;
  program.facts = facts_of(result.model, result.model_hash, options, report);
  if (program.facts) report.other_facts[run_name(result.experiment, result.threads)] = *program.facts;
  if (Result<SourceMap> sources = read_record(result.model + ".etrecord"); sources.ok()) program.sources = *sources;
  return program;
}

// Of the machine that ran it, as far as its name tells.
void find_ceilings(const ReportOptions& options, Report& report) {
  if (!options.ceilings) return;
  const auto cpu = report.manifest.device.find("cpu");
  if (cpu != report.manifest.device.end() && cpu->second == options.ceilings->cpu) report.ceilings = options.ceilings;
}

std::string stem_of(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(kEtdumpSuffix)) name.resize(name.size() - kEtdumpSuffix.size());
  return name;
}

// "net_fast_t4.etdump" in a folder named "fast": experiment and threads as our file names say them.
RunResult result_from_path(const std::string& path) {
  RunResult result;
  result.experiment = stem_of(path);
  result.threads = 0;
  const std::size_t mark = result.experiment.rfind("_t");
  if (mark == std::string::npos) return result;
  const char* first = result.experiment.data() + mark + 2;
  const char* last = result.experiment.data() + result.experiment.size();
  std::uint32_t threads = 0;
  const auto parsed = std::from_chars(first, last, threads);
  if (parsed.ec == std::errc() && parsed.ptr == last) {
    result.threads = threads;
    result.experiment.resize(mark);
  }
  return result;
}

std::vector<std::string> find_etdumps(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk walk(folder, std::filesystem::directory_options::skip_permission_denied, error);
       !error && walk != Walk(); walk.increment(error)) {
    const std::string path = walk->path().string();
    if (path.ends_with(kEtdumpSuffix)) found.push_back(path);
    if (walk.depth() > 4) walk.disable_recursion_pending();
  }
  std::sort(found.begin(), found.end());
  return found;
}

void add_kernel_hints(const std::string& run_dir, const RunResult& result, Report& report) {
  if (result.kernels.empty() || result.log.empty()) return;
  const auto log = read_text_file(run_dir + "/" + result.log);
  if (!log.ok()) return;
  for (const auto& [name, count] : kernel_hints(kernels_in_log(*log))) report.kernel_hints[name] += count;
}

// What the runner told of each operator; none where its kernels were only counted in a log.
void add_kernel_evidence(const std::string& run_dir, const RunResult& result, Profile& profile, Report& report) {
  if (result.kernels.empty()) return;
  const auto file = read_text_file(run_dir + "/" + result.kernels);
  if (!file.ok()) {
    report.notes.push_back("kernels are not shown: " + file.error().message());
    return;
  }
  attach_kernels(read_kernels_csv(*file), profile);
  for (const OperatorRow& row : profile.operators) {
    if (!row.isa.empty()) ++report.kernel_hints[row.isa];
  }
}

void finish(Report& report) {
  for (const Profile& profile : report.profiles) {
    for (const CategoryRow& row : profile.categories) report.category_totals_ms[row.name] += row.ms;
    check_rules(profile, report.findings);
  }
  for (const Comparison& row : report.comparisons) check_comparison_rules(row, report.findings);
  check_report_rules(report, report.findings);
}

}  // namespace

std::string run_name(const std::string& experiment, std::uint32_t threads) {
  if (threads == 0) return experiment;
  return fmt::format("{}, {} thread{}", experiment, threads, threads == 1 ? "" : "s");
}

CsvPaths csv_paths_of(const std::string& etdump_path) {
  std::string base = etdump_path;
  if (base.ends_with(kEtdumpSuffix)) base.resize(base.size() - kEtdumpSuffix.size());
  return {base + "_exec_all_runs_timeline.csv", base + "_exec_run0_timeline.csv",
          base + "_exec_ops_stats.csv"};
}

Result<Report> report_on_etdump(const std::string& path, const ReportOptions& options) {
  Report report;
  report.facts = options.facts;
  if (options.facts) report.model = options.facts->path;
  Program program;
  ETALON_TRY(program.sources, sources_for(options, report));
  program.facts = options.facts;
  ETALON_CHECKED(add_profile(path, result_from_path(path), program, Taxonomy(options.categories), options, report));
  finish(report);
  return report;
}

Result<Report> report_on_folder(const std::string& run_dir, const ReportOptions& options) {
  if (!file_exists(run_dir)) return not_found(run_dir + ": no such run folder");
  Report report;
  report.run_dir = run_dir;
  const bool has_manifest = file_exists(run_dir + "/manifest.json");
  if (has_manifest) {
    ETALON_TRY(report.manifest, read_manifest(run_dir));
    report.model = report.manifest.model.path;
  } else {
    report.notes.push_back("no manifest.json: times are those of the recordings");
  }
  auto categories = report.manifest.categories;
  for (const auto& [name, operators] : options.categories) categories[name] = operators;
  const Taxonomy taxonomy(categories);
  Program program;
  ETALON_TRY(program.sources, sources_for(options, report));
  program.facts = options.facts ? options.facts : facts_of(report.model, report.manifest.model.hash, options, report);
  report.facts = program.facts;
  find_ceilings(options, report);
  for (const RunResult& result : report.manifest.results) {
    add_kernel_hints(run_dir, result, report);
    if (result.etdump.empty()) continue;
    const Program other = result.model.empty() ? Program() : other_program(result, options, report);
    ETALON_CHECKED(add_profile(run_dir + "/" + result.etdump, result, result.model.empty() ? program : other, taxonomy,
                               options, report));
    add_kernel_evidence(run_dir, result, report.profiles.back(), report);
    if (report.ceilings) attach_roofs(*report.ceilings, result.isa, report.profiles.back());
  }
  if (!has_manifest) {
    for (const std::string& path : find_etdumps(run_dir)) {
      ETALON_CHECKED(add_profile(path, result_from_path(path), program, taxonomy, options, report));
    }
    if (report.profiles.empty()) {
      return not_found(run_dir +
                       ": holds neither manifest.json nor .etdump files; make a run with 'etalon profile'");
    }
  }
  report.samples = read_samples(run_dir, report.manifest, report.notes);
  add_comparisons(report);
  finish(report);
  return report;
}

}  // namespace etalon::analysis
