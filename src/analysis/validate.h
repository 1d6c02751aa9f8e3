// Whether a run folder is whole: every file present, readable and consistent with the others.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace etalon::analysis {

struct Defect {
  std::string file;  // relative to the run folder
  std::string what;  // found and wanted
};

struct Validation {
  std::size_t files_checked = 0;
  std::vector<Defect> defects;
};

// Errors: kNotFound when there is no such folder; everything else is a defect.
Result<Validation> validate_run_folder(const std::string& run_dir);

}  // namespace etalon::analysis
