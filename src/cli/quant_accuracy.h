// The accuracy of a quantised model against the float one, measured by running both.
#pragma once

#include <vector>

#include "cli/quantiser.h"

namespace etalon::cli {

// A float graph and how it is to be quantised. All of it outlives the call.
struct Candidate {
  const ir::Graph& graph;
  const quantize::Plan& plan;
  const quantize::Calibration& calibration;
  int threads = 0;
};

// Fills `judged_on`, `outputs`, `layers`, `top1` and with request.explain `gains`. Judged are the sources of
// request.judge, else at most 16 of `calibration`, or all of them when there are labels. int8 is computed as
// rounding to int8 in float arithmetic, which is what the portable kernels do; delegates differ by a step
// here and there.
Status judge(const Candidate& candidate, const Samples& calibration, const QuantiseRequest& request,
             const ProgressFn& progress, QuantiseOutcome& outcome);

}  // namespace etalon::cli
