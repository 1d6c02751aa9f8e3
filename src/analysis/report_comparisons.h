// The comparisons and the table of a run folder's report.
#pragma once

#include "analysis/run_report.h"

namespace etalon::analysis {

// Fills Report::comparisons and, of three runs and more, Report::table from what else the report holds: the manifest,
// profiles, samples and facts. The pairs are those that the manifest plans; without any, experiments of equal threads and
// thread counts of one experiment.
void add_comparisons(Report& report);

}  // namespace etalon::analysis
