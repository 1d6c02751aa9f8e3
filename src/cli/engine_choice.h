// --engine and --isa: what was asked for, and what this build really runs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/run_report.h"
#include "runtime/method.h"

namespace etalon::cli {

// Fills the engine and ISA fields of `report` and its notes, and the options' kernels and backends.
// Errors: kInvalidInput (no such engine), kUnsupported (an engine that this build does not contain).
Status choose_engine(std::string_view engine, std::string_view isa, runtime::MethodOptions& options, RunReport& report);

// Threads likewise: -1 and 0 ask for as many as are useful.
void choose_threads(int wanted, RunReport& report);

}  // namespace etalon::cli
