// What one process learned by loading and running a model: the numbers behind --json, for `run` and for the runner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/console.h"
#include "cli/output_summary.h"
#include "runtime/method.h"

namespace etalon::cli {

struct RunReport {
  std::string model;
  std::string method;
  std::string engine_wanted;
  std::string engine;      // what ran
  std::string engine_version;   // of a runtime that is not ours: "1.5.1+cpu"
  std::string engine_revision;  // its commit
  std::string isa_wanted;  // empty: not asked for
  std::string isa;         // what ran
  int threads_wanted = 0;  // 0: not asked for
  int threads = 1;
  std::uint32_t warmup = 0;
  double load_ms = 0;
  std::optional<double> first_ms;  // the first execution of the process, warm-up or not
  std::vector<double> runs_ms;
  std::uint64_t memory_bytes = 0;  // tensors and scratch
  std::vector<OutputSummary> outputs;
  std::vector<std::string> notes;  // where what ran is not what was asked for
};

// Which code runs an operator call or a part of a delegate, and with what: the evidence behind a profile.
struct KernelRecord {
  std::size_t instruction = 0;
  std::string operation;  // "aten::add.out", or the name of the delegate's events
  std::string backend;    // empty for operator calls
  std::string kernel, isa, wanted_isa, reason;
  std::string tile, shape;  // of a delegate's parts
  unsigned threads = 1;     // that may share the work
  std::vector<std::string> inputs, outputs;  // "float32[1, 3, 224, 224]"
  std::int64_t flops = 0;
  std::int64_t read_bytes = 0, written_bytes = 0;  // of an operator call
  std::int64_t bytes = 0;                          // of a delegate's part, both ways
};
std::vector<KernelRecord> kernel_records(const runtime::Method& method);

// The value below which `share` (0..1) of the sorted numbers lie, interpolated as numpy does; `values` is not empty.
double percentile(std::vector<double> values, double share);

// interfaces.md, section 2; `kernels` adds a list of them.
std::string to_json(const RunReport& report, const std::vector<KernelRecord>* kernels = nullptr);

// Two lines: what ran, and its times.
std::string summary_of(const RunReport& report, const Console& console);

// Writes to a file, or to stdout for "-".
Status write_json(const std::string& path, const std::string& json);

}  // namespace etalon::cli
