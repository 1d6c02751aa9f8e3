// --engine, --isa, --threads and --math: what was asked for, and what this build really runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/native/prepacked_cache.h"
#include "base/result.h"
#include "cli/run_report.h"
#include "runtime/method.h"

namespace etalon::native {
class NativeBackend;
}

namespace etalon::cli {

inline constexpr const char* kMathHelp =
    "exact; direct: without Winograd; fast: errors of 1e-5 of the largest output; bf16, fp16: dense products of 16-bit "
    "factors where there are kernels for them, errors of about 1e-2";

struct EngineWish {
  std::string_view engine = {};  // "portable", "native"; empty: native
  std::string_view isa = {};     // the highest instruction set to use; empty or "auto": the best there is
  int threads = 0;               // 0 and -1: as many as are useful
  std::string_view math = {};    // "exact", "direct" (without Winograd), "fast", "bf16", "fp16"; empty: exact
};

// Owns the backends that method options point to; must outlive methods loaded with them.
class Engine {
 public:
  // Fills the engine, ISA and thread fields of `report` and its notes, and the options' kernels and backends.
  // Errors: kInvalidInput (no such engine, ISA or arithmetic), kUnsupported (an engine that this build does not contain,
  // an ISA that this machine lacks).
  static Result<Engine> choose(const EngineWish& wish, runtime::MethodOptions& options, RunReport& report);

  // Before a method is loaded: takes packed weights from `<program>.prepacked` if that exists and fits. One that does not
  // is left alone and noted in the report. Engines without packed weights ignore it.
  void use_packed(const std::string& program, RunReport& report);
  // Collects what loading packs, for write_packed(). kUnsupported for engines that pack nothing.
  Status collect_packed();
  // Writes `<program>.prepacked` while the methods that were loaded are alive; returns its path.
  Result<std::string> write_packed(const std::string& program) const;

 private:
  native::NativeBackend* native_ = nullptr;  // in backends_
  std::unique_ptr<native::PrepackedCache> packed_;
  std::unique_ptr<std::vector<native::PackedEntry>> collected_;
  std::unique_ptr<runtime::BackendRegistry> backends_ = std::make_unique<runtime::BackendRegistry>();
  std::unique_ptr<runtime::KernelResolver> kernels_;
};

}  // namespace etalon::cli
