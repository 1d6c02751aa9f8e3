// The life of a runner process, whatever computes: flags, log lines, inputs, warm-up, runs, outputs, reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/run_report.h"
#include "cli/runner_flags.h"
#include "cli/tensor_files.h"
#include "ops/value.h"

namespace etalon::cli {

// A method that can be run: of our runtime or of ExecuTorch's.
class Runnable {
 public:
  virtual ~Runnable() = default;
  virtual std::size_t input_count() const = 0;
  // Nothing for an input that is not a tensor; the program stores its value.
  virtual std::optional<InputSpec> input(std::size_t i) const = 0;
  virtual Status set_input(std::size_t i, const ops::Value& value) = 0;
  virtual Status execute() = 0;
  virtual std::size_t output_count() const = 0;
  // Valid until the next set_input() or execute().
  virtual const ops::Value& output(std::size_t i) const = 0;
};

// What a runner is built around. Called in the order of declaration, from one thread.
class RunnerEngine : public Runnable {
 public:
  // Reads --engine, --isa, --cpu_threads; says what runs in `report` and where that is not what was asked for.
  virtual Status configure(const RunnerFlags& flags, RunReport& report) = 0;
  enum class Recording { kNone, kMethods, kOperators };
  virtual void prepare_recording(Recording recording) = 0;
  // Both outlive the engine; `data` is empty without --data_path.
  virtual Status open(Bytes program, Bytes data) = 0;
  virtual std::optional<std::size_t> external_keys() const = 0;
  virtual std::string first_method() const = 0;
  virtual Status load(const std::string& method) = 0;
  virtual std::vector<std::int64_t> planned_buffer_sizes() const = 0;
  virtual std::uint64_t memory_bytes() const = 0;  // 0: unknown
  virtual std::optional<std::uint64_t> packed_bytes() const { return std::nullopt; }  // weights as kernels want them
  // Whether executions from now on are recorded, if prepare_recording() asked for any.
  virtual void record(bool on) = 0;
  virtual Status write_events(const std::string& path) = 0;
  virtual std::vector<KernelRecord> kernels() const = 0;
};

// The whole program: `name` stands in front of error messages. Returns the exit code.
int run_runner(std::string_view name, int argc, char** argv, RunnerEngine& engine);

}  // namespace etalon::cli
