// The engine: compiles the XNNGraph payloads of delegates and runs them with this project's own kernels.
//
//   ETALON_TRY(auto backend, NativeBackend::create({.isa = "avx2", .threads = 2}));
//   registry.add(std::string(kXnnpackId), std::move(backend));
//
// compile() decodes, rewrites, chooses a kernel per operation and packs the weights; execute() walks a flat
// list of operations without using the heap. Sizes other than the compiled ones are compiled for when they
// first occur.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backends/native/settings.h"
#include "backends/native/worker_pool.h"
#include "backends/native/working_memory.h"
#include "runtime/backend.h"

namespace etalon::native {

// The delegate id in programs.
inline constexpr std::string_view kXnnpackId = "XnnpackBackend";

struct Options {
  std::string isa = {};  // the highest one to use; empty or "auto": the best there is
  unsigned threads = 1;  // 0: one per CPU that this process may use
  kernels::MathMode math = kernels::MathMode::kExact;
  bool winograd = true;
};

// What packed weights depend on besides the program: the ISA, the arithmetic, the machine's caches, the
// kernels of this build.
std::string packing_configuration(const Settings& settings);

// Thread-safe; delegates share the backend's threads, and one that finds them busy runs on its caller's
// alone.
class NativeBackend final : public runtime::Backend {
 public:
  // Errors: kInvalidInput (an unknown ISA), kUnsupported (one that this machine lacks).
  static Result<std::unique_ptr<NativeBackend>> create(const Options& options);

  Result<std::unique_ptr<runtime::Delegate>> compile(const runtime::DelegateSource& source) override;

  const Settings& settings() const { return settings_; }

  // Before the first compile(): where packed weights come from and who is told what was packed; see Settings.
  void keep_packed(const PrepackedCache* cache, std::vector<PackedEntry>* sink) {
    settings_.packed_cache = cache;
    settings_.packed_sink = sink;
  }

 private:
  explicit NativeBackend(const Settings& settings) : settings_(settings), pool_(settings.threads) {}

  Settings settings_;
  WorkerPool pool_;
  WorkingMemory memory_;
};

}  // namespace etalon::native
