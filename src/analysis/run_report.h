// Everything a report shows, computed once; writers add nothing to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/ceilings.h"
#include "analysis/comparison.h"
#include "analysis/finding.h"
#include "analysis/kernel_evidence.h"
#include "analysis/manifest.h"
#include "analysis/model_facts.h"
#include "analysis/profile.h"
#include "base/result.h"
#include "formats/etdump/view.h"
#include "measure/samples.h"

namespace etalon::analysis {

// The timeline and statistics files of one recording, beside it.
struct CsvPaths {
  std::string all_runs;
  std::string run0;
  std::string stats;
};
CsvPaths csv_paths_of(const std::string& etdump_path);

// Every event of the recorded runs of one profile, in the order of make_timeline().
struct Timeline {
  std::string profile;  // its name
  std::vector<TimelineRow> rows;
};

// Raw times of a run, as its samples file holds them.
struct RunSamples {
  std::string run;   // "off, 1 thread"; "A/A control" of a session
  std::string path;  // relative to the run folder
  measure::Recording recording;
};

struct Report {
  std::string run_dir;
  std::string model;     // path
  std::string etrecord;  // path; empty: none
  Manifest manifest;     // empty results when the folder has none
  std::vector<Profile> profiles;
  std::map<std::string, double> category_totals_ms;  // over all profiles
  std::map<std::string, std::uint64_t> kernel_hints;
  std::vector<Comparison> comparisons;
  std::optional<FactorTable> table;          // of three runs and more
  std::optional<ModelFacts> facts;           // of the program file, where it is at hand and unchanged
  // Of profiles that ran another program than that of `facts`, by the profile's name.
  std::map<std::string, ModelFacts> other_facts;
  std::optional<Ceilings> ceilings;          // of the machine that ran it
  Findings findings;
  std::vector<VerifiedAdvice> advice;
  std::vector<RunSamples> samples;    // of the results that name a samples file which can be read
  std::vector<Timeline> timelines;    // where a writer draws them; at most one per profile
  std::vector<std::string> notes;  // what could not be read or matched, one line each
};

struct ReportOptions {
  std::string etrecord;  // empty: <model>.etrecord when it exists
  std::map<std::string, std::vector<std::string>> categories;
  std::optional<ModelFacts> facts;
  // Called with the path of the program that the folder's manifest names, if that file is there and unchanged and `facts`
  // are absent; may be empty.
  std::function<Result<ModelFacts>(const std::string& model)> read_facts;
  std::optional<Ceilings> ceilings;
  // Called for each recording while it is in memory (to write its timeline); may be empty.
  std::function<Status(const Profile&, const formats::etdump::EtDumpView&, const SourceMap&)> on_recording;
};

// A run folder, with manifest or (as other tools leave it) just with .etdump files.
// Errors: kNotFound, kInvalidInput (a damaged recording names its file).
Result<Report> report_on_folder(const std::string& run_dir, const ReportOptions& options);

// One recording.
Result<Report> report_on_etdump(const std::string& path, const ReportOptions& options);

// "fast, 1 thread".
std::string run_name(const std::string& experiment, std::uint32_t threads);

}  // namespace etalon::analysis
