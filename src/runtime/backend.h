// What executes the delegates of a program: a Backend per id ("XnnpackBackend") compiles a payload to a Delegate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/pte/pte.h"
#include "ops/value.h"
#include "runtime/events.h"

namespace etalon::runtime {

// One piece of work inside a delegate and the code that does it: the evidence behind a profile.
struct DelegateOperation {
  std::string name;         // what its events are called: "Convolution (NHWC, F32) IGEMM #1"
  std::string kernel;       // the micro-kernel, in XNNPACK's grammar: "f32_gemm_minmax_ukernel_7x32__avx512f"
  std::string isa;          // what it was compiled for: "avx512"
  std::string wanted_isa;   // the best one that was allowed
  std::string reason;       // why `isa` is not `wanted_isa`; empty when it is
  std::string tile;         // "7x32"; empty where there is none
  unsigned threads = 1;     // how many may share the work
  std::vector<std::uint32_t> debug_handles;  // of the payload's nodes that it stands for
  std::vector<std::uint32_t> nodes;  // their places in the payload; none: the engine's own copy
  std::int64_t flops = 0;   // a multiply-add counts as two
  std::int64_t bytes = 0;   // read and written, tensors and weights once each
  std::string shape;        // "1x56x56x64 -> 1x56x56x128", for people
};

// One compiled delegate of one method. Used by one thread at a time.
class Delegate {
 public:
  virtual ~Delegate() = default;

  // Where events of this execution belong; `tracer` is null when nobody listens.
  struct Place {
    EventTracer* tracer = nullptr;
    std::int32_t chain = 0;
    std::int32_t instruction = 0;
  };

  // How many leading arguments are inputs; the rest are outputs, which the loader has proved to be writable tensors.
  virtual std::size_t input_count() const = 0;

  // What execute() does, in the order of its events. Empty if the delegate cannot tell.
  virtual std::span<const DelegateOperation> operations() const { return {}; }
  // Bytes held: weights as packed, and working memory.
  virtual std::uint64_t memory_bytes() const { return 0; }
  // The weights among them.
  virtual std::uint64_t packed_bytes() const { return 0; }

  // `args` are inputs, then outputs. Dtypes and sizes are the program's claims and must be checked; outputs are given
  // their sizes with TensorView::resize. Inputs and outputs may overlap in memory in a hostile program. No heap use.
  virtual Status execute(std::span<ops::Value* const> args, const Place& place) = 0;
};

// What a payload is compiled from. All of it outlives the Delegate.
struct DelegateSource {
  Bytes payload;
  std::span<const formats::pte::CompileSpec> compile_specs;
  // Named data of the program and of its external data file; nothing when the key is unknown.
  std::function<std::optional<Bytes>(std::string_view key)> named_data;
  // One per argument of its first call, inputs then outputs, with the upper bounds of their sizes.
  std::span<const ops::Value* const> args;
  // By argument: its data are a constant of the program, the same in every call. Missing entries are false.
  std::vector<bool> constant_args;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Result<std::unique_ptr<Delegate>> compile(const DelegateSource& source) = 0;
};

// Backends by id. Owns them; must outlive the methods loaded with it. Filled before use, then read-only.
class BackendRegistry {
 public:
  void add(std::string id, std::unique_ptr<Backend> backend) { backends_[std::move(id)] = std::move(backend); }
  Backend* find(std::string_view id) const {
    const auto found = backends_.find(id);
    return found == backends_.end() ? nullptr : found->second.get();
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& [id, backend] : backends_) out.push_back(id);
    return out;
  }

 private:
  std::map<std::string, std::unique_ptr<Backend>, std::less<>> backends_;
};

}  // namespace etalon::runtime
