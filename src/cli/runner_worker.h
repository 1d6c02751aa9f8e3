// A runner as the worker of a measuring session: the parts of measure/worker_process.h that a runner adds.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "cli/run_report.h"
#include "cli/runner.h"
#include "measure/samples.h"

namespace etalon::cli {

// A descriptor for the conversation. From then on standard output is standard error, so that nothing which an engine
// prints gets between. Errors: kIo.
Result<int> take_stdout();

// The answer of a worker that cannot start: nobody reads its log, this line is what the session shows.
void tell_failure(int channel, const Error& error);

// What a loaded engine has to tell besides times; see LaunchRecord::figures and cli/arms.h. What it does not know is
// absent.
measure::Figures worker_figures(const RunReport& report, const RunnerEngine& engine,
                                const std::optional<std::uint64_t>& baseline_rss);

}  // namespace etalon::cli
