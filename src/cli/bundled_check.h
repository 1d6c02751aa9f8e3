// Inputs and expected outputs of a bundled program (.bpte), as executor_runner uses them: test set 0 of the method.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "formats/bpte/bpte.h"
#include "cli/runner.h"

namespace etalon::cli {

// Test set 0 for this method, or null if the file has none.
const formats::bpte::TestCase* first_test_case(const formats::bpte::BundledProgram& bundle, std::string_view method);

Status set_bundled_inputs(Runnable& method, const formats::bpte::TestCase& test);

struct BundledResult {
  bool matches = true;
  double mean_absolute_error = 0;
  double max_absolute_error = 0;
  double mean_relative_error = 0;
  double max_relative_error = 0;
};

// Floating outputs match when |a - b| <= atol + |rtol * b|; NaN equals NaN, infinities equal themselves. Other types
// match when they are equal. Errors: kInvalidInput when outputs and expectations cannot be compared at all.
Result<BundledResult> compare_with_bundle(const Runnable& method, const formats::bpte::TestCase& test,
                                          double rtol, double atol);

}  // namespace etalon::cli
