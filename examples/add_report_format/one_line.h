#pragma once

#include <string>

#include "analysis/run_report.h"

namespace etalon::report {

std::string write_one_line(const analysis::Report& report);

}  // namespace etalon::report
