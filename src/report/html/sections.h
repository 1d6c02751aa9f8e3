// The parts of the HTML report, in the order in which the page shows them. Each writes nothing where the report has
// nothing for it.
#pragma once

#include "analysis/run_report.h"
#include "report/html/page.h"

namespace etalon::report {

void write_cards(const analysis::Report& report, Page& page);         // html/cards.cc
void write_verdicts(const analysis::Report& report, Page& page);      // html/verdicts.cc
void write_findings(const analysis::Report& report, Page& page);      // html/findings.cc
void write_advice(const analysis::Report& report, Page& page);        // html/findings.cc
void write_comparisons(const analysis::Report& report, Page& page);   // html/comparisons.cc
void write_factor_table(const analysis::Report& report, Page& page);  // html/verdicts.cc
void write_latency(const analysis::Report& report, Page& page);       // html/latency.cc
void write_breakdown(const analysis::Report& report, Page& page);     // html/breakdown.cc
void write_runs(const analysis::Report& report, Page& page);          // html/operators.cc
void write_roofline(const analysis::Profile& profile, const analysis::Ceilings& ceilings, Page& page);  // html/roofline.cc
void write_timeline(const analysis::Profile& profile, const analysis::Timeline& timeline, Page& page);  // html/timeline.cc
void write_memory(const analysis::Report& report, Page& page);        // html/memory.cc
void write_environment(const analysis::Report& report, Page& page);   // html/environment.cc

// The waterfall of one comparison.
void write_waterfall(const analysis::Comparison& comparison, Page& page);  // html/waterfall.cc

}  // namespace etalon::report
