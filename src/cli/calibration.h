// Runs graphs to see values inside of them: how ranges for int8 are found and how accuracy is measured.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/calibration_data.h"
#include "ir/graph.h"
#include "quantize/observer.h"
#include "quantize/plan.h"
#include "quantize/rewrite.h"
#include "runtime/method.h"

namespace etalon::cli {

// A graph as a program in memory whose outputs are the values one wants to see. It runs on the native engine,
// delegated where possible; state of the model lasts from run to run. Move-only, one thread at a time.
class GraphProbe {
 public:
  // `wanted` are float32 tensors of the graph, which is copied (its constants are shared). Threads: 0, as
  // many as useful.
  static Result<GraphProbe> create(const ir::Graph& graph, std::span<const ir::ValueId> wanted, int threads);
  GraphProbe(GraphProbe&&) noexcept;
  GraphProbe& operator=(GraphProbe&&) noexcept;
  ~GraphProbe();

  // One tensor per tensor input. Errors: kInvalidInput (shapes and dtypes), and what operators say.
  Status run(std::span<const runtime::Tensor> inputs);
  // The i-th wanted value in row-major order, until the next run.
  Result<std::span<const float>> value(std::size_t i);
  const Dims& sizes(std::size_t i) const;

 private:
  struct State;
  explicit GraphProbe(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

using ProgressFn = std::function<void(std::string_view what, std::size_t done, std::size_t total)>;

// Shows the samples to an observer per group of a static plan: the groups' parameters, in order, and the
// means that biases are corrected with. Errors: kInvalidInput for NaN or infinity in a value, naming it, and
// those of running.
Result<quantize::Calibration> calibrate(const ir::Graph& graph, const quantize::Plan& plan,
                                        const Samples& samples, const quantize::ObserverOptions& options,
                                        int threads, const ProgressFn& progress);

}  // namespace etalon::cli
