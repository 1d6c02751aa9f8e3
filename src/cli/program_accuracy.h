// How close programs come to a float one of the same model on real samples, by running the files themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/calibration_data.h"

namespace etalon::cli {

// A program and the engine that computes it: native or portable. (The real ExecuTorch runs in processes of
// its own.)
struct ProgramRun {
  std::string program;  // .pte
  std::string engine, isa, math;
  int threads = 0;  // 0: as many as are useful
};

struct ProgramAccuracy {
  // Of the first floating output over all samples. None: the float program gives zeros only. Infinite: no
  // difference; minus infinity: a value is not finite.
  std::optional<double> snr_db;
  std::optional<double> cosine;
  double max_error = 0;
  // Where that output is rows of scores; rows are counted, of which a sample may hold several.
  std::size_t rows = 0;
  std::optional<std::size_t> agreeing;  // same class as in float
  std::optional<std::size_t> right;     // right class, with labels
};

// The float program's outputs, which others are held against. Thread-compatible; `samples` must outlive it.
class FloatReference {
 public:
  // Outputs are kept in memory; samples beyond kMostBytes of them are left out. `labels`: one class per row;
  // empty: none. Errors: those of loading and running, kInvalidInput (labels that do not fit, a value that is
  // not finite).
  static Result<FloatReference> run(const ProgramRun& reference, const Samples& samples,
                                    std::vector<std::int64_t> labels);
  static constexpr std::size_t kMostBytes = std::size_t{512} << 20;

  std::size_t samples() const { return outputs_.size(); }
  const ProgramAccuracy& itself() const { return itself_; }

  // `progress` is told samples done and all; may be empty. A floating input is converted to what the program
  // takes.
  Result<ProgramAccuracy> judge(const ProgramRun& candidate,
                                const std::function<void(std::size_t, std::size_t)>& progress) const;

 private:
  const Samples* samples_ = nullptr;
  std::vector<std::vector<float>> outputs_;  // by sample
  std::size_t classes_ = 0;                  // of a row of scores; 0: none
  std::vector<std::int64_t> labels_;
  ProgramAccuracy itself_;
};

}  // namespace etalon::cli
