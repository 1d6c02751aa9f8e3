// A worker that is a process of its own, kept alive and asked for runs over its standard input and output.
//
// The conversation is lines of text, so that any program can take part:
//   worker:  "ready load_ms=3.25 ..."           after loading; anything before it is ignored
//   we:      "run 12"                           twelve runs, please
//   worker:  "ns 1250031 1249880 ... peak_rss_bytes=5242880"   what each took, in order; or "error TEXT"
//   we:      "quit", and end of input
// "name=value" may follow "ready" and the times: a figure of the process, of which the last value counts.
// Standard error is left alone or appended to a file. The process leads its own group, which is ended with the worker.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "measure/protocol.h"

namespace etalon::measure {

struct WorkerCommand {
  std::vector<std::string> argv;                   // argv[0] is a path, or a name looked up in PATH
  std::map<std::string, std::string> environment;  // added to ours
  double load_timeout_seconds = 120;
  double run_timeout_seconds = 600;  // of one "run N"
  double quit_timeout_seconds = 0.5;  // between "quit" and its end, after which it is ended
  std::string error_path;             // where its standard error is appended; empty: ours
};

// Starts it and waits for "ready". Errors: kNotFound (no such program), kRunFailed (it ended, kept silent, or
// reported an error), kIo. A worker that dies is an error of the next run(), never a signal here.
// Thread-compatible.
Result<std::unique_ptr<Worker>> launch_worker_process(const WorkerCommand& command);

// The other side: says "ready", then answers until "quit" or the end of input. `run` returns nanoseconds of
// each run. `input` and `output` are file descriptors, usually 0 and 1. `figures` is asked once before "ready"
// and after every request; what changed is told. Errors: kIo, kInvalidInput (a line that is no request).
Status serve_worker(int input, int output,
                    const std::function<Result<std::vector<double>>(std::uint32_t runs)>& run,
                    const std::function<Figures()>& figures = {});

}  // namespace etalon::measure
