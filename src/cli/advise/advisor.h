// The loop: export, profile, look for findings, try what they propose one after the other, keep what holds.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run_report.h"
#include "base/result.h"
#include "cli/advise/trial.h"
#include "cli/advise/variant.h"

namespace etalon::cli {

struct AdviceRequest {
  std::string model;   // .pt2, zoo:NAME, .pte or a run folder
  Variant start;       // how it is exported and run to begin with; `source` and `program` are filled in
  bool verify = false;
  double seconds = 8;  // of measuring, for each piece of advice
  unsigned most = 6;   // pieces of advice that are tried
  std::vector<std::string> inputs;
  std::string outdir;  // empty: out_<model>/advice
  AccuracyLimits limits;
  std::function<void(std::string_view what, std::size_t done, std::size_t all)> progress;  // may be empty
  std::function<void(std::string_view line)> tell;                                         // may be empty
};

struct AdviceSession {
  std::string run_dir;
  analysis::Report report;              // of the model as it was
  std::vector<Candidate> candidates;    // what could be tried, best first
  std::vector<analysis::VerifiedAdvice> tried;
  Variant best;                         // with everything that was kept
};

// Kept advice stays applied while the next is tried. Writes advice.json into the run folder, and adds to the track record.
// Errors: the model cannot be exported or run; --verify of a folder.
Result<AdviceSession> advise(const AdviceRequest& request);

// "1.31x faster (95 % interval 1.28 to 1.34)", "slower: ...", "no difference above 1.0 %", "inconclusive: ...".
std::string verdict_line(const measure::Verdict& verdict);

}  // namespace etalon::cli
