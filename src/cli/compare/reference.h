// A model beside a reference model: shares of the kinds of work, and rates.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/compare/measured.h"

namespace etalon::cli {

struct ReferenceOutcome {
  std::string text;  // for the terminal
  std::string run_dir;
};

// `request` names one program. `reference` is a .pte, or a model that is exported as the program was: same
// backend, same type of arithmetic. Both are measured together. Errors: those of exporting and of
// compare_programs().
Result<ReferenceOutcome> compare_with_reference(const std::string& reference, CompareRequest request);

}  // namespace etalon::cli
